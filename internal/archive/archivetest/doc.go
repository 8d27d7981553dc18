// Package archivetest serves signed Debian archives, made in memory, on the
// loopback interface for the tests of every room that reads one.
//
// Its nouns are Key (an OpenPGP key made for the test), Package (a .deb beside
// its control fields), Suite (what one Release file covers, with knobs for
// everything that can be wrong about it) and Archive (the files, a server in
// front of them and ways to spoil both):
//
//	a := archivetest.New(t, archivetest.Suite{
//		Name:     "trixie",
//		Packages: []archivetest.Package{archivetest.FromDeb(deb)},
//	})
//	// a.URL and a.Key() are the values for a recipe's archives[] entry.
//
// It knows nothing of how pgext reads an archive: what it writes follows
// https://wiki.debian.org/DebianRepository/Format, so that apt can judge it.
package archivetest
