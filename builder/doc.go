// Package builder carries a recipe to an OCI image: it is the one room that
// knows the order of the steps.
//
//	recipe ──Plan──▶ lock ──fetch──▶ debs ──extract──▶ packages ──layOut──▶ image tree ──makeImage──▶ image ──join──▶ index ──write──▶ dist
//	                                                                         │                               │
//	                                                                       report                            ├─ tell: SBOM, provenance (referrers)
//	                                                                                                         ├─ Test: a real server, the same mount
//	                                                                                                         └─ Publish ─▶ registry ─▶ Verify, RebuildAt
//
// Plan, in plan.go, is the only step that decides: it resolves against the
// archives, looks into the packages that it must, and puts the complete answer
// into the lock. Every later step is a pure function of recipe, lock and blobs;
// build.go tells them in their order, and each has the file that is named like
// it. What is told about an image follows from the same values. Who vouches for
// it (Attestor) and what somebody else makes of it (Verify, RebuildAt) come
// after, and change no byte of it.
//
// The steps themselves live in the rooms below; what stands here is order, and
// the translation of one room's result into the next one's input.
package builder
