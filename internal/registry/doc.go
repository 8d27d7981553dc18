// Package registry talks to OCI registries.
//
// Its nouns are Client (pushes, resolves, collects), Publication (what is pushed
// together), Collection (an image with all that is said about it), Server (a
// read-only registry over a folder of layouts) and Memory (a writable one that
// forgets).
//
// A publication is a transaction: blobs and manifests by digest, referrers and
// evidence, a look at what arrived, tags last. Lists of referrers and tags of
// evidence are shared with other publishers, so they are merged and looked at
// again. The room builds and signs nothing; layouts are read here only to be
// served.
package registry
