// Package sign signs images and documents about them, and verifies the signatures.
//
// Signer makes signatures with a key file, a KMS key or an OIDC identity. Trust
// verifies the signatures and attestations (signed in-toto statements) of a
// subject, given as Evidence, and returns a Verdict. Both support the two formats
// of cosign: sigstore bundles, which are referrers of their subject, and layers of
// the image under the tag sha256-<hex>.sig or sha256-<hex>.att.
//
// Exported functions and types use only types of the standard library and
// go-containerregistry, not of sigstore. The package sends requests to Fulcio,
// Rekor, timestamp authorities, TUF repositories and OIDC providers, never to a
// registry. It reads the environment for env://NAME and for identity tokens. KMS
// plugins inherit the environment without the secrets of pgext and cosign.
package sign
