// Package builder plans and builds images: from a recipe to an OCI layout.
//
//	recipe ──Plan──▶ lock ──fetch──▶ debs ──extract──▶ packages ──layOut──▶ image tree ──makeImage──▶ image ──join──▶ index ──write──▶ dist
//	                                                                         │                               │
//	                                                                       report                            └─ documents: SBOM, provenance (referrers)
//
// Plan, in plan.go, is the only step that decides: it resolves against the
// archives, scans the packages that it must, and writes the complete result into
// the lock. Every later step is a pure function of recipe, lock and blobs;
// build.go shows their order, and each is in the file of its name.
//
// The steps themselves are in the packages below; this package holds their order
// and passes the result of one to the next.
package builder
