// Package archive opens a signed Debian archive: from "debian forky" to
// verified Packages files.
//
// It also knows the URLs that may have a file of an archive's pool.
//
// Its nouns are Archive (a root URL with suites, components and the keys that
// sign them), Mirror (the root that is really asked), Release (a verified
// InRelease, or Release with Release.gpg), PackagesFile (an index that the
// Release names by digest) and TrustError (why something was refused). The
// chain is the one of apt-secure(8): key, Release, index; the digests in the
// index then vouch for the .deb files.
//
// It does not read packages, resolve dependencies or talk to a server itself:
// a Fetcher does that. It trusts no keyring of the host, only the ones it
// embeds and those an Archive brings.
package archive
