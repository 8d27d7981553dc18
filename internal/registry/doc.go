// Package registry talks to OCI registries.
//
// Its nouns are Client (pushes, resolves, lists referrers), Publication (what
// is pushed together), Server (a read-only registry over a folder of layouts)
// and Memory (a writable one that forgets).
//
// A publication is a transaction: blobs and manifests by digest, evidence, a
// look at what arrived, tags last. The room builds and signs nothing; layouts
// are read here only to be served.
package registry
