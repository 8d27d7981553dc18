// Package signtest starts a sigstore deployment on loopback for a test.
//
// Sigstore has an Issuer (OIDC provider), Fulcio (certificate authority), Rekor and
// Tiles (transparency logs of version 1 and 2 of the Rekor API) and a TSA (timestamp
// authority, RFC 3161). Their keys are created in the test, and Service.Next makes
// requests fail. TrustedRoot and SigningConfig return the files for verifiers and
// signers; TUF is a repository that publishes them. Cosign runs the cosign program,
// which is the reference implementation. Only tests import this package.
package signtest
