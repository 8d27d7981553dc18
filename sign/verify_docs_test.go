package sign_test

import (
	"os"
	"strings"
	"testing"

	"github.com/pgext/pgext/sign"
)

// TestReasonsAreDocumented requires each reason in docs/sign.md.
func TestReasonsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/sign.md")
	must(t, err)
	_, table, _ := strings.Cut(string(page), "| reason |")
	for _, reason := range []sign.Reason{
		sign.Unreadable, sign.TooLarge, sign.Malformed, sign.UnknownVersion, sign.NoKeyTrusted, sign.NoIdentityTrusted,
		sign.NotLogged, sign.LogMismatch, sign.NoTime, sign.BadTimestamp, sign.Future, sign.UntrustedAuthority, sign.Expired, sign.NoSCT,
		sign.WrongKey, sign.BadSignature, sign.OtherSubject, sign.WrongIssuer, sign.WrongIdentity, sign.Unverified,
	} {
		if !strings.Contains(table, string(reason)) {
			t.Errorf("docs/sign.md does not explain %q", reason)
		}
	}
}
