// Package sbomtest validates SBOMs in tests.
//
// It uses the official schemas, from syft's module in the module cache, without
// network access. Check also enforces rules that the schemas do not contain:
// identifiers are unique, the elements of relationships exist, licences are valid
// expressions.
package sbomtest
