package archive

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

var armorBegin = []byte("-----BEGIN PGP ")

// readKeyring reads binary keys, or any number of armored blocks of them.
// Verification notes what it learns in the keys, so every goroutine reads a
// keyring of its own.
func readKeyring(data []byte) (openpgp.EntityList, error) {
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return nil, errors.New("is empty")
	case len(data) > 12 && bytes.HasPrefix(data[8:], []byte("KBXf")):
		return nil, errors.New("is a GnuPG keybox, not an exported keyring")
	case data[0]&0x80 != 0: // every packet starts with this bit, RFC 9580, section 4.2
		return openpgp.ReadKeyRing(bytes.NewReader(data))
	}
	var keys openpgp.EntityList
	for rest := data; ; {
		i := bytes.Index(rest, armorBegin)
		if i < 0 {
			break
		}
		rest = rest[i:]
		block, err := armor.Decode(bytes.NewReader(rest))
		if err != nil {
			return nil, fmt.Errorf("reading armor: %w", err)
		}
		if block.Type != openpgp.PublicKeyType {
			return nil, fmt.Errorf("holds a %s, not a public key", strings.ToLower(block.Type))
		}
		some, err := openpgp.ReadKeyRing(block.Body)
		if err != nil {
			return nil, fmt.Errorf("reading keys: %w", err)
		}
		keys = append(keys, some...)
		rest = rest[len(armorBegin):]
	}
	if len(keys) == 0 {
		return nil, errors.New("holds no OpenPGP public key")
	}
	return keys, nil
}

// checkKeyring returns an *InvalidError when the archive's keyring cannot
// verify anything.
func (a Archive) checkKeyring() error {
	keys, err := readKeyring(a.Keyring)
	switch {
	case err != nil:
	case len(keys) == 0:
		err = errors.New("holds no OpenPGP public key")
	case slices.ContainsFunc(keys, func(k *openpgp.Entity) bool { return k.PrivateKey != nil }):
		err = errors.New("holds a private key, not a public key")
	}
	if err != nil {
		return &InvalidError{
			Archive: a.Name, Text: fmt.Sprintf("its keyring %v", err),
			hint: "signed_by takes OpenPGP public keys, binary or armored, as gpg --export writes them",
		}
	}
	return nil
}

// fingerprint returns a key's fingerprint in upper-case hex.
func fingerprint(k *packet.PublicKey) string {
	return strings.ToUpper(hex.EncodeToString(k.Fingerprint))
}

// normalFingerprint removes the spaces and the 0x that people write.
func normalFingerprint(s string) string {
	s = strings.ToUpper(strings.Join(strings.Fields(s), ""))
	return strings.TrimPrefix(s, "0X")
}

func isFingerprint(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && (len(s) == 40 || len(s) == 64)
}

// issuer names who made a signature as exactly as it tells: by fingerprint,
// or by key id.
func issuer(sig *packet.Signature) string {
	switch {
	case len(sig.IssuerFingerprint) > 0:
		return strings.ToUpper(hex.EncodeToString(sig.IssuerFingerprint))
	case sig.IssuerKeyId != nil:
		return fmt.Sprintf("%016X", *sig.IssuerKeyId)
	}
	return "an unnamed key"
}

// readSignatures splits an armored or binary signature file into its
// signature packets. Those of kinds the library does not know are left out:
// an archive may add one beside those that everybody reads.
func readSignatures(data []byte) ([]*signature, error) {
	var body io.Reader = bytes.NewReader(data)
	if len(data) > 0 && data[0]&0x80 == 0 {
		block, err := armor.Decode(body)
		if err != nil {
			return nil, fmt.Errorf("reading armor: %w", err)
		}
		if block.Type != openpgp.SignatureType {
			return nil, fmt.Errorf("holds a %s, not a signature", strings.ToLower(block.Type))
		}
		body = block.Body
	}
	packets := packet.NewOpaqueReader(io.LimitReader(body, maxSignatures))
	var list []*signature
	for range maxPackets {
		raw, err := packets.Next()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading signature packets: %w", err)
		}
		parsed, err := raw.Parse()
		if err != nil {
			continue
		}
		if sig, ok := parsed.(*packet.Signature); ok {
			list = append(list, &signature{Signature: sig, raw: raw})
		}
	}
	return nil, fmt.Errorf("more than %d signatures", maxPackets)
}

// Limits of a signature file; Debian's have three packets in 2 kB.
const (
	maxSignatures = 1 << 20
	maxPackets    = 32
)

// signature is a parsed packet beside its bytes.
type signature struct {
	*packet.Signature
	raw *packet.OpaquePacket
}
