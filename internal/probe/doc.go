// Package probe finds out what a recipe for Debian packages has to say.
//
// Its nouns are Facts (the values that no build could derive, each with how it
// is known and whether that is a guess) and Class (what a package is to pgext:
// an image, a half of another image, or no extension). It looks at indexes, at
// files and at what layout made of them; it fetches nothing, and it decides no
// order of steps. Nothing in it is a list of known packages: what it knows of a
// package comes out of that package.
package probe
