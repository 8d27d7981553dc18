// Package provenance says how one architecture of an image was built.
//
// Its nouns are Statement (an in-toto statement, version 1, whose predicate is
// SLSA provenance, version 1), Input (what a build is made of) and Invocation
// (which run on which platform made the copy that is signed). A statement holds
// the recipe, the patches and the part of the lock that is about its target
// word for word, so that the same image can be built from it again.
//
// A statement without an invocation is a pure function of its Input: it names
// no time, no host, no user and no mirror. This room signs nothing, sends
// nothing and reads no environment but what FromEnvironment is given.
package provenance
