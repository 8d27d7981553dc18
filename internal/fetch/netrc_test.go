package fetch

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/retry"
)

func TestParseNetrc(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       netrc
	}{
		{"empty", "", nil},
		{"one line", "machine a login b password c", netrc{{"a", "b", "c"}}},
		{"many lines", "machine a\r\n\tlogin b\r\n\tpassword c\r\n\r\nmachine d\nlogin e", netrc{{"a", "b", "c"}, {"d", "e", ""}}},
		{"default", "machine a password c\ndefault login e password f", netrc{{"a", "", "c"}, {"", "e", "f"}}},
		{"account", "machine a login b account x password c", netrc{{"a", "b", "c"}}},
		{"macro", "machine a login b\nmacdef init\n machine no login no\n\npassword c", netrc{{"a", "b", "c"}}},
		{"macro to the end", "macdef init\nmachine no", nil},
		{"comments", "# machine no\nmachine a login #b # password c\n  # password no\npassword d", netrc{{"a", "#b", "d"}}},
		{"quoted", `machine a login "b c" password "d\"\\\n"`, netrc{{"a", "b c", "d\"\\\n"}}},
		{"open quote", `machine a password "b`, netrc{{"a", "", "b"}}},
		{"no machine", "login b password c", nil},
		{"words cut short", "machine a login", netrc{{"a", "", ""}}},
		{"machine without a name", "machine", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(parseNetrc(tt.text), tt.want, cmp.AllowUnexported(netrcEntry{})); diff != "" {
				t.Errorf("(-got +want):\n%s", diff)
			}
		})
	}
}

func TestNetrcLookup(t *testing.T) {
	n := netrc{{"a.example", "one", "1"}, {"a.example", "two", "2"}, {"", "any", "3"}}
	for _, tt := range []struct{ host, login, want string }{
		{"a.example", "", "1"},
		{"A.EXAMPLE", "", "1"},
		{"a.example", "two", "2"},
		{"b.a.example", "", "3"},
		{"a.example", "any", "3"},
		{"a.example", "nobody", ""},
	} {
		if got, _ := n.lookup(tt.host, tt.login); got.password != tt.want {
			t.Errorf("lookup(%s, %s) = %+v, want password %s", tt.host, tt.login, got, tt.want)
		}
	}
}

func FuzzParseNetrc(f *testing.F) {
	for _, seed := range []string{
		"machine a login b password c", "default login \"", "macdef x\n\n", "# c\nmachine", "machine a password \"\\", "\r\n\t#",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, e := range parseNetrc(text) {
			if len(e.machine)+len(e.login)+len(e.password) > len(text) {
				t.Errorf("%+v is longer than its source", e)
			}
		}
	})
}

func TestDelay(t *testing.T) {
	for n, most := range map[int]time.Duration{1: 500 * time.Millisecond, 2: time.Second, 3: 2 * time.Second, 6: 15 * time.Second, 1000: 15 * time.Second} {
		for range 100 {
			if d := delay(n); d < most/2 || d >= most {
				t.Fatalf("delay(%d) = %v, want at least %v and less than %v", n, d, most/2, most)
			}
		}
	}
}

func TestSleep(t *testing.T) {
	if err := retry.Sleep(t.Context(), time.Millisecond); err != nil {
		t.Error(err)
	}
}
