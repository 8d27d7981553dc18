package archive

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/archive/archivetest"
)

const (
	begin = "-----BEGIN PGP SIGNED MESSAGE-----\n"
	block = "-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n"
)

func TestSplitClearsigned(t *testing.T) {
	tests := []struct {
		name, data   string
		text, signed string
		part         string // of the error
	}{
		{name: "plain", data: begin + "Hash: SHA256\n\nA: b\nC: d\n" + block, text: "A: b\nC: d\n", signed: "A: b\r\nC: d"},
		{name: "two hashes, no hash", data: begin + "Hash: SHA256\nHash: SHA512\n\nA: b\n" + block, text: "A: b\n", signed: "A: b"},
		{name: "no header", data: begin + "\nA: b\n" + block, text: "A: b\n", signed: "A: b"},
		{name: "dashes", data: begin + "\n- -----BEGIN X-----\n- - x\n- A\n" + block, text: "-----BEGIN X-----\n- x\nA\n", signed: "-----BEGIN X-----\r\n- x\r\nA"},
		{name: "white space at line ends", data: begin + "\nA: b \t\n \n\nC\n" + block, text: "A: b\n\n\nC\n", signed: "A: b\r\n\r\n\r\nC"},
		{name: "CRLF", data: strings.ReplaceAll(begin+"\nA: b\nC: d\n"+block, "\n", "\r\n"), text: "A: b\nC: d\n", signed: "A: b\r\nC: d"},
		{name: "empty line first", data: begin + "\n\nA\n" + block, text: "\nA\n", signed: "\r\nA"},
		{name: "blank lines at the end", data: begin + "\nA\n" + block + "\n \n", text: "A\n", signed: "A"},

		{name: "empty", data: "", part: "does not start"},
		{name: "HTML", data: "<html>" + begin, part: "does not start"},
		{name: "blank line first", data: "\n" + begin + "\nA\n" + block, part: "does not start"},
		{name: "suffix on the first line", data: "-----BEGIN PGP SIGNED MESSAGE-----x\n\nA\n" + block, part: "does not start"},
		{name: "other header", data: begin + "NotDashEscaped: yes\n\nA\n" + block, part: "header"},
		{name: "text in the headers", data: begin + "A b\n\nA\n" + block, part: "header"},
		{name: "only headers", data: begin + "Hash: SHA256\n", part: "ends in its headers"},
		{name: "no signature", data: begin + "\nA\n", part: "before its signature"},
		{name: "signature cut short", data: begin + "\nA\n-----BEGIN PGP SIGNATURE-----\n\nAAAA\n", part: "inside its signature"},
		{name: "dash not escaped", data: begin + "\n-----BEGIN PGP SIGNED MESSAGE-----\n\nA\n" + block, part: "inside the signed text"},
		{name: "carriage return", data: begin + "\nA\rB\n" + block, part: "carriage return"},
		{name: "text after", data: begin + "\nA\n" + block + "B: c\n", part: "after its signature"},
		{name: "second signature block", data: begin + "\nA\n" + block + block, part: "after its signature"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := splitClearsigned([]byte(tt.data))
			if tt.part != "" {
				if err == nil || !strings.Contains(err.Error(), tt.part) {
					t.Errorf("got error %v, want one with %q", err, tt.part)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([2]string{string(got.text), string(got.signed)}, [2]string{tt.text, tt.signed}); diff != "" {
				t.Errorf("text and what is signed (-got +want):\n%s", diff)
			}
			if !bytes.HasPrefix(got.signatures, beginSignature) || !bytes.HasSuffix(got.signatures, endSignature) {
				t.Errorf("got signature block %q", got.signatures)
			}
		})
	}
}

func FuzzSplitClearsigned(f *testing.F) {
	f.Add([]byte(begin + "Hash: SHA256\n\nA: b\n- - c\n" + block))
	f.Add([]byte(begin + "\n\r\n \n" + block))
	a := archivetest.New(f, archivetest.Debian("sid", "unstable"))
	f.Add(a.File("dists/sid/InRelease"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := splitClearsigned(data)
		if err != nil {
			return
		}
		// Text and signed text are the same lines, and every line was one of
		// the file's.
		if got, want := strings.ReplaceAll(string(m.signed), "\r\n", "\n")+"\n", string(m.text); got != want && want != "" {
			t.Errorf("signed %q, text %q", got, want)
		}
		for line := range bytes.Lines(m.text) {
			if !bytes.Contains(data, bytes.TrimSuffix(line, []byte("\n"))) {
				t.Errorf("line %q is not in the file", line)
			}
		}
	})
}

// FuzzVerify gives the OpenPGP reader whatever a mirror may send: nothing but
// the genuine signature over the genuine text counts.
func FuzzVerify(f *testing.F) {
	a := archivetest.New(f, archivetest.Debian("sid", "unstable"))
	genuine, err := splitClearsigned(a.File("dists/sid/InRelease"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(genuine.signed, genuine.signatures)
	f.Add([]byte("x"), genuine.signatures)
	f.Add(genuine.signed, []byte(block))
	f.Fuzz(func(t *testing.T, signed, signatures []byte) {
		v := verifier{keyring: a.Key(), now: time.Now()}
		key, refusal := v.verify(message{signed: signed, signatures: signatures})
		if refusal == nil && (key != a.Fingerprint() || !bytes.Equal(normal(signed), normal(genuine.signed))) {
			t.Errorf("accepted as signed by %s: %q", key, signed)
		}
	})
}

// normal gives lines the ends that text signatures cover.
func normal(text []byte) []byte {
	return bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
}
