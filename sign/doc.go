// Package sign answers for images: it makes signatures over them, then judges
// those it is shown.
//
// Its nouns are Signer (a key file, a KMS key or an identity), Subject (what a
// signature is about), Statement (a claim about subjects), Signed (what signing
// gave, ready to be attached), Evidence (what is attached to a subject
// already), Trust (whose signatures count) and Verdict (what the evidence is
// worth). Signatures come in the two forms that the stock cosign program
// reads: sigstore bundles, which are referrers of their subject, and layers of
// an image under the tag sha256-<hex>.sig or .att.
//
// Everything of sigstore stays behind this room: what it takes and returns are
// types of the standard library and go-containerregistry. It talks to Fulcio,
// Rekor, timestamp authorities and OIDC providers, never to a registry. It
// reads the environment where it is told to (env://NAME) and to ask a provider
// of identity tokens; plugins of a KMS inherit it, but for what is secret and
// for pgext alone.
package sign
