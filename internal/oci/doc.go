// Package oci defines the values that OCI image layouts and registries share: Set
// (an image with everything attached to it), Ref (where an image is), Referrer
// (a document attached to a manifest) and Manifest.
//
// It reads and writes no blobs: package image does that for layouts on disk,
// package registry for registries.
package oci
