package archivetest

import (
	"bytes"
	"crypto"
	_ "crypto/sha1" // a weak digest for tests that must refuse it
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/hex"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// KeyOptions are the traits of a Key; the zero value is a sound Ed25519 key.
type KeyOptions struct {
	// Name is the user id's name; "" is "pgext test archive".
	Name string
	// Created is when the key was made; zero is two years ago.
	Created time.Time
	// Lifetime ends the primary key's validity; 0 never does.
	Lifetime time.Duration
	// RSABits makes an RSA key of that size.
	RSABits int
	// Subkey signs with a subkey, as Debian's archive keys do, whose validity
	// ends after SubkeyLifetime; 0 never does.
	Subkey         bool
	SubkeyLifetime time.Duration
	// WeakSelf binds the user id with SHA-1.
	WeakSelf bool
	// Revoked keys carry a revocation.
	Revoked bool
}

// Key is an OpenPGP key pair that exists for one test.
type Key struct {
	entity *openpgp.Entity
	signer *packet.PrivateKey
}

// NewKey makes a key.
func NewKey(tb testing.TB, o KeyOptions) *Key {
	tb.Helper()
	if o.Name == "" {
		o.Name = "pgext test archive"
	}
	if o.Created.IsZero() {
		o.Created = time.Now().AddDate(-2, 0, 0)
	}
	config := o.config(o.Lifetime)
	entity, err := openpgp.NewEntity(o.Name, "", "archive@example.org", config)
	if err != nil {
		tb.Fatalf("making a key: %v", err)
	}
	entity.Subkeys = nil // the library adds one for encryption
	k := &Key{entity: entity, signer: entity.PrivateKey}
	if o.WeakSelf {
		for _, id := range entity.Identities {
			self := id.SelfCertifications[0].Packet
			self.Hash = crypto.SHA1
			must(self.SignUserId(id.UserId.Id, entity.PrimaryKey, entity.PrivateKey, config))
		}
	}
	if o.Subkey {
		if err := entity.AddSigningSubkey(o.config(o.SubkeyLifetime)); err != nil {
			tb.Fatalf("making a subkey: %v", err)
		}
		k.signer = entity.Subkeys[0].PrivateKey
	}
	if o.Revoked {
		if err := entity.Revoke(packet.KeyCompromised, "", config); err != nil {
			tb.Fatalf("revoking a key: %v", err)
		}
	}
	return k
}

func (o KeyOptions) config(lifetime time.Duration) *packet.Config {
	deterministic := false
	c := &packet.Config{
		Time:            func() time.Time { return o.Created },
		KeyLifetimeSecs: uint32(lifetime / time.Second),
		Algorithm:       packet.PubKeyAlgoEdDSA,

		NonDeterministicSignaturesViaNotation: &deterministic,
	}
	if o.RSABits > 0 {
		c.Algorithm, c.RSABits, c.MinRSABits = packet.PubKeyAlgoRSA, o.RSABits, uint16(o.RSABits)
	}
	return c
}

// Public returns the armored public key.
func (k *Key) Public() []byte {
	var out bytes.Buffer
	w, err := armor.Encode(&out, openpgp.PublicKeyType, nil)
	must(err)
	must(k.entity.Serialize(w))
	must(w.Close())
	out.WriteByte('\n')
	return out.Bytes()
}

// Private returns the private key in binary form, not encrypted.
func (k *Key) Private() []byte {
	var out bytes.Buffer
	must(k.entity.SerializePrivateWithoutSigning(&out, nil))
	return out.Bytes()
}

// Fingerprint returns the primary key's fingerprint, 40 upper-case hex digits.
func (k *Key) Fingerprint() string { return fingerprint(&k.entity.PrivateKey.PublicKey) }

// SignerFingerprint returns the fingerprint of the key that signs: the
// subkey's where there is one.
func (k *Key) SignerFingerprint() string { return fingerprint(&k.signer.PublicKey) }

func fingerprint(k *packet.PublicKey) string {
	return strings.ToUpper(hex.EncodeToString(k.Fingerprint))
}

// sign returns one OpenPGP signature packet over data, which the caller has
// brought into canonical form when kind is text.
func (k *Key) sign(data []byte, kind packet.SignatureType, digest crypto.Hash, at time.Time) []byte {
	deterministic := false
	id := k.signer.KeyId
	sig := &packet.Signature{
		SigType:      kind,
		PubKeyAlgo:   k.signer.PubKeyAlgo,
		Hash:         digest,
		CreationTime: at,
		IssuerKeyId:  &id,
	}
	h := digest.New()
	_, err := h.Write(data)
	must(err)
	must(sig.Sign(h, k.signer, &packet.Config{NonDeterministicSignaturesViaNotation: &deterministic}))
	var out bytes.Buffer
	must(sig.Serialize(&out))
	return out.Bytes()
}

// signAll armors the signatures of all keys in one block.
func signAll(keys []*Key, data []byte, kind packet.SignatureType, digest crypto.Hash, at time.Time) []byte {
	var out bytes.Buffer
	w, err := armor.Encode(&out, openpgp.SignatureType, nil)
	must(err)
	for _, k := range keys {
		_, err := io.Copy(w, bytes.NewReader(k.sign(data, kind, digest, at)))
		must(err)
	}
	must(w.Close())
	out.WriteByte('\n')
	return out.Bytes()
}

// clearsign wraps text, whose lines end in "\n" and carry no trailing white
// space, in the cleartext framework of RFC 9580, section 7.
func clearsign(keys []*Key, text []byte, digest crypto.Hash, at time.Time) []byte {
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	signature := signAll(keys, []byte(strings.Join(lines, "\r\n")), packet.SigTypeText, digest, at)
	var out bytes.Buffer
	out.WriteString("-----BEGIN PGP SIGNED MESSAGE-----\nHash: " + strings.ReplaceAll(digest.String(), "-", "") + "\n\n")
	for _, line := range lines {
		if strings.HasPrefix(line, "-") {
			out.WriteString("- ")
		}
		out.WriteString(line + "\n")
	}
	out.Write(signature)
	return out.Bytes()
}

// must stops the test program on what only a defect of this package can cause.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
