package archive

import (
	"testing"
	"time"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// ReadKeyring returns the keys of a keyring.
func ReadKeyring(t *testing.T, data []byte) openpgp.EntityList {
	t.Helper()
	keys, err := readKeyring(data)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// Fingerprint returns the primary key's.
func Fingerprint(e *openpgp.Entity) string { return fingerprint(e.PrimaryKey) }

// Unusable returns the keys of a keyring, subkeys too, that no signature
// would be accepted from.
func Unusable(t *testing.T, data []byte, now time.Time) []string {
	t.Helper()
	v := verifier{now: now}
	var list []string
	for _, e := range ReadKeyring(t, data) {
		keys := []key{{entity: e, public: e.PrimaryKey}}
		for i := range e.Subkeys {
			keys = append(keys, key{entity: e, public: e.Subkeys[i].PublicKey, subkey: &e.Subkeys[i]})
		}
		for _, k := range keys {
			if v.checkValidity(k) != nil || weakness(k.public) != "" {
				list = append(list, fingerprint(k.public))
			}
		}
	}
	return list
}
