// Package sbomtest holds bills of materials against the rules of their formats.
//
// The official schemas come from syft's module in the module cache; nothing is
// fetched. What the schemas do not say (an identifier names one thing, the ends
// of a relationship exist, licences are expressions) is checked beside them. It
// serves tests only.
package sbomtest
