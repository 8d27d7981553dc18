// Package debextract opens .deb files: deb(5) from strangers, as a stream.
//
// Its nouns are Package (an ar archive whose members are known), Control (the
// control paragraph beside the maintainer scripts as text) and Entry (one
// path of data.tar). It refuses what a hostile package could use to reach
// outside of its root, and whatever is damaged, truncated or larger than
// Options allow; each refusal is an error of its own. It runs no maintainer
// script, writes nothing, and has no opinion on where a file should go.
package debextract
