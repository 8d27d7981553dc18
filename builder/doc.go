// Package builder carries a recipe to an OCI image: it is the one room that
// knows the order of the steps.
//
//	recipe ──Plan──▶ lock ──Fetch──▶ debs ──Extract──▶ packages ──Layout──▶ image tree ──Image──▶ index ──write──▶ dist
//	                                                                          │                    │
//	                                                                        report                 ├─ tell: SBOM, provenance (referrers)
//	                                                                                               ├─ Test: a real server, the same mount
//	                                                                                               └─ Publish ─▶ registry ─▶ Verify, Rebuild
//
// Plan is the only step that decides: it resolves against the archives, looks
// into the packages that it must, and puts the complete answer into the lock.
// Every later step is a pure function of recipe, lock and blobs. What is told
// about an image (Bill, Provenance) follows from the same values; who vouches
// for it (Attestor) and what somebody else makes of it (Verify, RebuildAt) come
// after, and change no byte of it. The steps themselves live in the rooms below; what stands here is order, and the
// translation of one room's result into the next one's input.
package builder
