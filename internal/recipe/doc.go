// Package recipe reads the file in which an author says what an image is made
// of.
//
// Its nouns are Recipe (the document, version 1), Target (one distribution and
// PostgreSQL major that it is built for, with everything resolution needs) and
// Problem (one fault, with file, line, column and field). The Go types are the
// one definition of the format: their comments become the descriptions of the
// JSON Schema, and the patterns that validation uses become its patterns.
//
// Everything that can be judged from the text is judged here, all of it at
// once and before anything is fetched. What depends on an archive or on a
// package is not: this room never opens another file than the recipe, knows no
// network and changes nothing.
package recipe
