// Package cache keeps bytes on disk under their own SHA-256 digest, safely for
// several processes at a time.
//
// Its nouns are Cache (a directory), Writer (a blob on its way in) and record
// (a small derived fact under a kind and a key). Under the directory lie
//
//	v1/blobs/sha256/ab/abcdef…   one file a blob, read-only, named by its digest
//	v1/records/<kind>/<key>      data, then a checksum of kind, key and data
//	v1/tmp/                      what is being written
//
// Everything is written to tmp and renamed when it is whole, so a reader sees a
// complete file or none. Nothing is synced to the disk: after a power cut a
// file may be short or empty. That costs a download and never correctness,
// because a name is only believed after the content was hashed in this process.
//
// The room does not know where bytes come from or what they mean, does not
// expire anything but its own temporary files, and writes nothing before the
// first Create or PutRecord, so a read-only directory that holds what is needed
// serves as well as any.
package cache
