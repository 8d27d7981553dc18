// Package provenance writes and reads SLSA provenance of images.
//
// A Statement is an in-toto statement (version 1) with an SLSA provenance predicate
// (version 1) about the image of one architecture. It contains the recipe, the
// patches and the lock entries of its target unchanged, so that the image can be
// built again from it. Input has the inputs of the build. Invocation is the CI run
// that signs a statement.
//
// A statement without an invocation depends on its Input only: it has no build time,
// host, user or mirror. The package does not sign or send statements. It reads the
// environment only through the function passed to FromEnvironment.
package provenance
