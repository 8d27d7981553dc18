// Package registrytest breaks registries.
//
// Its nouns are Proxy (fails requests in front of a registry), Docker (Debian's
// registry, which has no referrers API) and State (all that a repository has,
// read as a stranger reads it). It serves tests only.
package registrytest
