// Command pgext turns a PostgreSQL extension into a bare OCI image.
//
// One file holds one verb; root.go what all verbs share. A verb binds flags,
// calls one function of a lower room, prints what it returned.
package main
