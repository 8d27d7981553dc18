// Package signtest is a sigstore deployment that lives as long as a test.
//
// Its nouns are Sigstore (everything together), Issuer (an OIDC provider),
// Fulcio (a certificate authority that knows its issuer's tokens), Rekor and
// Tiles (transparency logs of version 1 and 2 of Rekor's API) and TSA (a
// timestamp authority, RFC 3161), each on loopback with keys made in the test,
// and each able to misbehave when told to. TrustedRoot is the file a verifier
// needs, SigningConfig that of a signer, TUF a repository that has them.
// Cosign is the stock program that everything is compared with, Registries are
// what evidence is kept in. It serves tests only.
package signtest
