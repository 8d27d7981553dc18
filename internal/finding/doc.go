// Package finding holds what a person should know about an image, as data.
//
// A finding has a stable code, a severity, a path, a text and a hint.
//
// Its nouns are Finding and Kind (a row of the registry that explains a code).
// Rooms that look at files make findings; this room knows only which codes
// exist and what they mean.
package finding
