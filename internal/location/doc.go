// Package location finds images in OCI layouts and registries, with the documents
// attached to them.
package location
