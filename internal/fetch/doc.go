// Package fetch brings bytes from archives into the cache.
//
// Its nouns are Blob (immutable bytes known by their digest, with a ladder of
// URLs that may have them), Document (a small mutable file, such as InRelease,
// asked for again with a conditional request) and Fetcher. A blob's size and
// digest are checked while it is streamed, before it gets its name in the
// cache, so it does not matter which rung of the ladder it came from.
//
// The room speaks http, https and file. Proxies (HTTP_PROXY, HTTPS_PROXY,
// NO_PROXY), certificates (SSL_CERT_FILE) and credentials (netrc, or user and
// password in a URL) are honoured; credentials go to the host they are meant
// for and nowhere else, least of all into an error, a log or the cache.
//
// It does not know what an archive is, checks no signature, unpacks nothing and
// never decides that other bytes than those asked for will do.
package fetch
