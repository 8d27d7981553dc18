package archive

import (
	"bytes"
	"cmp"
	"crypto"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// maxSkew is how far the clocks of the archive and of this machine may
// differ.
const maxSkew = 10 * time.Minute

// minRSA is in bits. The product of two 1024-bit primes may have 2047.
const minRSA = 2047

// weakHashes never count, neither in the signature of a Release nor in a
// key's signature over itself.
var weakHashes = map[crypto.Hash]bool{crypto.MD5: true, crypto.SHA1: true, crypto.RIPEMD160: true}

// verifier checks messages against one archive's keys.
type verifier struct {
	keyring []byte
	pins    []string // normal fingerprints; empty allows every key
	now     time.Time
}

// verify returns the fingerprint of the primary key behind the first good
// signature. One is enough: archives sign with their next key beside the
// current one. Without any, the refusal that tells most is returned.
func (v verifier) verify(m message) (string, *TrustError) {
	keys, err := readKeyring(v.keyring)
	if err != nil {
		return "", refuse(UnknownKey, "its keyring %v", err)
	}
	signatures, err := readSignatures(m.signatures)
	if err != nil {
		return "", refuse(Malformed, "its signature cannot be read: %v", err)
	}
	if len(signatures) == 0 {
		return "", refuse(Malformed, "its signature block holds no signature")
	}
	var worst *TrustError
	var unknown []string
	for _, sig := range signatures {
		holders := keysOf(keys, sig)
		if len(holders) == 0 {
			unknown = append(unknown, issuer(sig.Signature))
		}
		for _, k := range holders {
			refusal := v.judge(sig, k, m.signed)
			if refusal == nil {
				return fingerprint(k.entity.PrimaryKey), nil
			}
			if worst == nil || cmp.Compare(refusal.Reason, worst.Reason) > 0 {
				worst = refusal
			}
		}
	}
	if worst == nil {
		worst = refuse(UnknownKey, "is signed by %s, which its keyring does not hold", strings.Join(unknown, " and "))
	}
	return "", worst
}

// key is a primary key or subkey of an entity.
type key struct {
	entity *openpgp.Entity
	public *packet.PublicKey
	subkey *openpgp.Subkey // nil for the primary key
}

// keysOf returns the keys that may have made a signature. There can be
// several: two copies of a certificate, or two keys with one id.
func keysOf(list openpgp.EntityList, sig *signature) []key {
	matches := func(k *packet.PublicKey) bool {
		if len(sig.IssuerFingerprint) > 0 {
			return bytes.Equal(sig.IssuerFingerprint, k.Fingerprint)
		}
		return sig.IssuerKeyId != nil && *sig.IssuerKeyId == k.KeyId
	}
	var keys []key
	for _, e := range list {
		if matches(e.PrimaryKey) {
			keys = append(keys, key{entity: e, public: e.PrimaryKey})
		}
		for i := range e.Subkeys {
			if matches(e.Subkeys[i].PublicKey) {
				keys = append(keys, key{entity: e, public: e.Subkeys[i].PublicKey, subkey: &e.Subkeys[i]})
			}
		}
	}
	return keys
}

// judge returns why a signature by k does not count, nil when it does. What
// the library would check at the time of the signature is checked now: a key
// that has expired since, or was revoked, vouches for nothing.
func (v verifier) judge(sig *signature, k key, signed []byte) *TrustError {
	if refusal := v.checkPins(k); refusal != nil {
		return refusal
	}
	if weakHashes[sig.Hash] {
		return refuse(WeakKey, "its signature by %s uses %s", fingerprint(k.public), sig.Hash)
	}
	for _, public := range []*packet.PublicKey{k.entity.PrimaryKey, k.public} {
		if weakness := weakness(public); weakness != "" {
			return refuse(WeakKey, "it is signed by %s, which is %s", fingerprint(public), weakness)
		}
	}
	if sig.CreationTime.After(v.now.Add(maxSkew)) {
		return refuse(Future, "was signed on %s, but now is %s", stamp(sig.CreationTime), stamp(v.now))
	}
	if refusal := v.checkValidity(k); refusal != nil {
		return refusal
	}
	return v.compare(sig, k, signed)
}

func (v verifier) checkPins(k key) *TrustError {
	if len(v.pins) == 0 {
		return nil
	}
	primary, own := fingerprint(k.entity.PrimaryKey), fingerprint(k.public)
	if slices.Contains(v.pins, primary) || slices.Contains(v.pins, own) {
		return nil
	}
	return refuse(UnpinnedKey, "is signed by %s, which fingerprints does not name", own)
}

// weakness describes a key that is too weak, "" for others.
func weakness(k *packet.PublicKey) string {
	switch k.PubKeyAlgo {
	case packet.PubKeyAlgoRSA, packet.PubKeyAlgoRSASignOnly:
		if bits, err := k.BitLength(); err != nil || bits < minRSA {
			return fmt.Sprintf("an RSA key of %d bits", bits)
		}
	case packet.PubKeyAlgoDSA:
		return "a DSA key"
	case packet.PubKeyAlgoElGamal:
		return "an ElGamal key"
	}
	return ""
}

// checkValidity looks at the key as it is today.
func (v verifier) checkValidity(k key) *TrustError {
	config := v.config(v.now)
	self, err := k.entity.VerifyPrimaryKey(v.now, config)
	if refusal := v.unfit(k.entity.PrimaryKey, self, err); refusal != nil {
		return refusal
	}
	if k.subkey == nil {
		return nil
	}
	_, err = k.subkey.Verify(v.now, config)
	if errors.Is(err, pgperrors.ErrKeyExpired) {
		self, _ = k.subkey.LatestValidBindingSignature(v.now, config)
	}
	return v.unfit(k.public, self, err)
}

// unfit turns what the library says about a key, whose current self-signature
// is self, into a refusal.
func (v verifier) unfit(k *packet.PublicKey, self *packet.Signature, err error) *TrustError {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pgperrors.ErrKeyRevoked):
		return refuse(RevokedKey, "it is signed by %s, a revoked key", fingerprint(k))
	case errors.Is(err, pgperrors.ErrKeyExpired) && self != nil && self.KeyLifetimeSecs != nil && *self.KeyLifetimeSecs > 0:
		end := k.CreationTime.Add(time.Duration(*self.KeyLifetimeSecs) * time.Second)
		return refuse(ExpiredKey, "it is signed by %s, a key that expired on %s, and now is %s", fingerprint(k), stamp(end), stamp(v.now))
	case errors.Is(err, pgperrors.ErrKeyExpired):
		return refuse(ExpiredKey, "it is signed by %s, a key that has expired", fingerprint(k))
	}
	return refuse(UnfitKey, "it is signed by %s, a key without a self-signature that is valid now and stronger than SHA-1", fingerprint(k))
}

// compare does the arithmetic.
func (v verifier) compare(sig *signature, k key, signed []byte) *TrustError {
	var raw bytes.Buffer
	if err := sig.raw.Serialize(&raw); err != nil {
		return refuse(Malformed, "its signature cannot be read: %v", err)
	}
	now := v.now
	if sig.CreationTime.After(now) { // within maxSkew
		now = sig.CreationTime
	}
	_, _, err := openpgp.VerifyDetachedSignature(openpgp.EntityList{k.entity}, bytes.NewReader(signed), &raw, v.config(now))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pgperrors.ErrSignatureExpired):
		return refuse(BadSignature, "its signature by %s has expired", fingerprint(k.public))
	}
	return refuse(BadSignature, "its signature by %s does not fit the text", fingerprint(k.public))
}

func (v verifier) config(now time.Time) *packet.Config {
	return &packet.Config{
		Time:                        func() time.Time { return now },
		MinRSABits:                  minRSA,
		RejectHashAlgorithms:        weakHashes,
		RejectMessageHashAlgorithms: weakHashes,
	}
}

// stamp formats a time for messages.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
