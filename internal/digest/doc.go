// Package digest knows digests as text.
//
// Its noun is the digest: lower-case hex of fixed length, alone or behind the
// name of its algorithm as in OCI descriptors. It computes that of bytes which
// are in memory, and tells what is one; the bytes of files and streams are
// digested by those that read them.
package digest
