// Package finding defines findings: problems and facts about an image that a
// user should know.
//
// A Finding has a stable code, a severity, a path, a text and a hint. A Kind is
// an entry of the registry and explains a code. Other packages inspect files and
// create findings; this package defines the codes and their meaning.
package finding
