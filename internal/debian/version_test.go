package debian

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/pgext/pgext/internal/oracle"
)

// ordered is strictly ascending.
var ordered = []string{
	"~~", "~", "", "1.0~~a", "1.0~", "1.0~rc1", "1.0", "1.0-0.1", "1.0-1~bpo12+1", "1.0-1", "1.0-1+b1", "1.0-1.pgdg13+1",
	"1.0-2", "1.0-10", "1.0a", "1.0b", "1.0+dfsg-1", "1.0.1", "1.1", "1.10", "3.6.4+dfsg-1", "3.6.4+dfsg-1.1",
	"20240101", "20240101000000000000000000", "1:0.1", "2:0", "10:0", "99999999999999999999:1",
}

func TestCompareVersionsOrder(t *testing.T) {
	for i, a := range ordered {
		for j, b := range ordered {
			if got, want := sign(CompareVersions(a, b)), sign(i-j); got != want {
				t.Errorf("CompareVersions(%q, %q) = %d, want %d", a, b, got, want)
			}
		}
	}
}

func TestCompareVersionsEqual(t *testing.T) {
	for _, pair := range [][2]string{
		{"1.0", "1.0-0"}, {"1.0", "0:1.0"}, {"1.0", "1.00"}, {"00:1", "1"}, {"1.0-", "1.0"}, {"1.02", "1.2"}, {"", "0"},
	} {
		if got := CompareVersions(pair[0], pair[1]); got != 0 {
			t.Errorf("CompareVersions(%q, %q) = %d, want 0", pair[0], pair[1], got)
		}
	}
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

var longNumber = regexp.MustCompile(`\d{19}`)

// validVersion matches what Policy 5.6.12 allows, with an epoch or without, with
// a revision or without.
var validVersion = regexp.MustCompile(`^(?:[0-9]{1,9}:[0-9][a-zA-Z0-9.+~:-]*-[a-zA-Z0-9.+~]+|[0-9]{1,9}:[0-9][a-zA-Z0-9.+~:]*|` +
	`[0-9][a-zA-Z0-9.+~-]*-[a-zA-Z0-9.+~]+|[0-9][a-zA-Z0-9.+~]*)$`)

// versionPairs returns n pairs, half of them neighbours of each other.
func versionPairs(n int, real []string) [][2]string {
	random := rand.New(rand.NewPCG(1, 2))
	parts := []string{"0", "1", "2", "10", "00", "~", "~rc", "+", "+dfsg", ".", "-", "a", "Z", ":", "1.0", "9999999999", "+really"}
	generate := func() string {
		if len(real) > 0 && random.IntN(2) == 0 {
			return real[random.IntN(len(real))]
		}
		b := strings.Builder{}
		b.WriteString(strconv.Itoa(random.IntN(3)))
		for range random.IntN(7) {
			b.WriteString(parts[random.IntN(len(parts))])
		}
		return b.String()
	}
	// Dpkg::Version compares numbers as Perl does: exactly up to 64 bits.
	usable := func(v string) bool { return validVersion.MatchString(v) && !longNumber.MatchString(v) }
	valid := func() string {
		for {
			if v := generate(); usable(v) {
				return v
			}
		}
	}
	pairs := make([][2]string, 0, n)
	for len(pairs) < n {
		a, b := valid(), valid()
		if random.IntN(2) == 0 { // a neighbour: something in the middle differs
			i := random.IntN(len(a) + 1)
			b = a[:i] + parts[random.IntN(len(parts))] + a[i:]
			if !usable(b) {
				continue
			}
		}
		pairs = append(pairs, [2]string{a, b})
	}
	return pairs
}

func installedVersions(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command(oracle.Need(t, "dpkg-query"), "-W", "-f", "${Version}\n").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

func TestCompareVersionsAgreesWithDpkgVersion(t *testing.T) {
	oracle.Need(t, "dpkg-parsechangelog") // of the package that needs Dpkg::Version
	perl := oracle.Need(t, "perl")
	pairs := versionPairs(20000, installedVersions(t))
	var in strings.Builder
	for _, p := range pairs {
		fmt.Fprintln(&in, p[0], p[1])
	}
	cmd := exec.Command(perl, "-MDpkg::Version", "-lane", "print version_compare($F[0], $F[1])")
	cmd.Stdin = strings.NewReader(in.String())
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	answers := strings.Fields(string(out))
	if len(answers) != len(pairs) {
		t.Fatalf("%d answers for %d pairs", len(answers), len(pairs))
	}
	for i, p := range pairs {
		if got := strconv.Itoa(sign(CompareVersions(p[0], p[1]))); got != answers[i] {
			t.Errorf("CompareVersions(%q, %q) = %s, Dpkg::Version says %s", p[0], p[1], got, answers[i])
		}
	}
}

func TestCompareVersionsAgreesWithDpkg(t *testing.T) {
	dpkg := oracle.Need(t, "dpkg")
	for _, p := range versionPairs(200, nil) {
		if CompareVersions(p[0], p[1]) > 0 {
			p[0], p[1] = p[1], p[0]
		}
		op := "lt"
		if CompareVersions(p[0], p[1]) == 0 {
			op = "eq"
		}
		if err := exec.Command(dpkg, "--compare-versions", p[0], op, p[1]).Run(); err != nil {
			t.Errorf("dpkg --compare-versions %s %s %s: %v", p[0], op, p[1], err)
		}
	}
}

func TestUpstreamVersion(t *testing.T) {
	for _, tc := range []struct{ version, want string }{
		{"0.8.1-1", "0.8.1"},
		{"3.6.4+dfsg-1.pgdg13+1", "3.6.4"},
		{"3.6.4+dfsg1-1", "3.6.4"},
		{"1:2.0~rc1-1", "2.0~rc1"},
		{"1.2+ds-1", "1.2"},
		{"1.2+ds1~exp-1", "1.2"},
		{"1.2~ds", "1.2"},
		{"1.2~dfsg.1-3", "1.2"},
		{"1.2.dfsg.1-3", "1.2"},
		{"1.2dfsg-3", "1.2"},
		{"1.2+repack1-3", "1.2"},
		{"3.0+really2.9-1", "2.9"},
		{"3.0+really2.9+dfsg-1", "2.9"},
		{"3.0+really-1", "3.0+really"},
		{"1.8-2-1", "1.8-2"},
		{"1.0+git20240101.abcdef0-1", "1.0+git20240101.abcdef0"},
		{"1.0+dsx-1", "1.0+dsx"},
		{"20240101", "20240101"},
		{"dfsg", "dfsg"},
		{"", ""},
	} {
		if got := UpstreamVersion(tc.version); got != tc.want {
			t.Errorf("UpstreamVersion(%q) = %q, want %q", tc.version, got, tc.want)
		}
	}
}

func FuzzCompareVersions(f *testing.F) {
	for i, a := range ordered[1:] {
		f.Add(ordered[i], a, "1.0")
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		ab, bc, ac := sign(CompareVersions(a, b)), sign(CompareVersions(b, c)), sign(CompareVersions(a, c))
		if ba := sign(CompareVersions(b, a)); ab != -ba {
			t.Errorf("CompareVersions(%q, %q) = %d, the other way round %d", a, b, ab, ba)
		}
		if CompareVersions(a, a) != 0 {
			t.Errorf("%q differs from itself", a)
		}
		if ab == bc && ac != ab || ab == 0 && ac != bc || bc == 0 && ac != ab {
			t.Errorf("not transitive: %q %d %q %d %q, but %d", a, ab, b, bc, c, ac)
		}
		UpstreamVersion(a)
	})
}

func BenchmarkCompareVersions(b *testing.B) {
	for b.Loop() {
		CompareVersions("1:3.6.4+dfsg-1.pgdg13+1", "1:3.6.4+dfsg-1.pgdg13+2")
	}
}
