// Package toposort puts things behind those that they need.
//
// Its noun is the need: of an extension for another, of a module, of an image.
// What a thing is and how its needs are known, its callers say.
package toposort
