// Package apt computes what apt-get would install, from Packages indexes held
// in memory.
//
// Its nouns are File (one Packages file of a suite, component and
// architecture), Package (one stanza of it), Index (several files merged as
// apt merges its sources: the highest version of a name is the candidate) and
// closure (the packages that installing some names adds to a system). The
// closure follows the rules of apt 2.6's depcache, with recommended packages
// left out; real apt-get is the oracle of the tests.
//
// It knows no network, no signature and no pinning: every File it is given
// has the same priority, and whoever opened the archive has verified it. It
// never removes an installed package to make room for another, and it has no
// problem resolver: where apt-get's first plan does not hold together, Install
// says why instead of looking for a second one.
package apt
