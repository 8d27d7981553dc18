// Package registry reads from OCI registries, publishes to them and serves images
// as one.
//
// Client pushes, resolves and collects images (oci.Set). Server is a read-only
// registry of the layouts in a folder; Memory is a writable one in memory.
//
// A push is a transaction: blobs and manifests by digest, then referrers and legacy
// tags, then everything is read back, and tags are moved last. Lists of referrers
// and legacy tags are shared with other publishers, so they are merged and read
// again. The package neither builds nor signs.
package registry
