package lock

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/failure"
)

var (
	sumA = strings.Repeat("a", 64)
	sumB = strings.Repeat("b", 64)
)

// postgis returns pins that have every field.
func postgis() Target {
	return Target{
		Distro: "forky", Postgres: 18, Arch: "amd64", Recipe: "sha256:" + sumA,
		Archives: []Archive{{
			Name: "debian", Suite: "forky", InRelease: sumA, Date: time.Date(2026, 10, 30, 8, 8, 1, 0, time.UTC),
			Fingerprint: strings.Repeat("C", 40), ExpiredAllowed: true,
		}},
		Base: Base{
			Name: "cnpg-minimal", Postgres: "18.6", Checksum: "sha256:" + sumB, Extensions: []string{"plpgsql"},
			Packages: []BasePackage{{Package: "libc6", Version: "2.42-1", SHA256: sumA, Libraries: []string{"libc.so.6", "libm.so.6"}}},
		},
		Requires: []Require{{Extension: "postgis", Package: "postgresql-18-postgis-3", Image: "postgis"}},
		Packages: []Package{
			{
				Package: "libproj25", Version: "9.7.0-1", Arch: "amd64", Source: "proj", SourceVersion: "9.7.0-1", Role: Library,
				Size: 1234, SHA256: sumA, SHA512: sumA + sumB, Archive: "debian", Path: "pool/main/p/proj/libproj25_9.7.0-1_amd64.deb",
			},
			{
				Package: "vendor", Version: "1:1.0+dfsg~1-2", Arch: "all", Source: "vendor", SourceVersion: "1:1.0+dfsg~1-2",
				Role: Extension, Size: 1, SHA256: sumB,
			},
		},
	}
}

const golden = `{
  "lock": 1,
  "targets": [
    {
      "distro": "forky",
      "postgres": 18,
      "arch": "amd64",
      "recipe": "sha256:A",
      "archives": [
        {"name":"debian","suite":"forky","inrelease":"A","date":"2026-10-30T08:08:01Z","fingerprint":"C","expired_allowed":true}
      ],
      "base": {
        "name": "cnpg-minimal",
        "postgres": "18.6",
        "checksum": "sha256:B",
        "extensions": ["plpgsql"],
        "packages": [
          {"package":"libc6","version":"2.42-1","sha256":"A","libraries":["libc.so.6","libm.so.6"]}
        ]
      },
      "requires": [
        {"extension":"postgis","package":"postgresql-18-postgis-3","image":"postgis"}
      ],
      "packages": [
        {"package":"libproj25","version":"9.7.0-1","arch":"amd64","source":"proj","source_version":"9.7.0-1","role":"library","size":1234,"sha256":"A","sha512":"AB","archive":"debian","path":"pool/main/p/proj/libproj25_9.7.0-1_amd64.deb"},
        {"package":"vendor","version":"1:1.0+dfsg~1-2","arch":"all","source":"vendor","source_version":"1:1.0+dfsg~1-2","role":"extension","size":1,"sha256":"B"}
      ]
    }
  ]
}
`

// short replaces long digests with letters.
var short = strings.NewReplacer(sumA, "A", sumB, "B", strings.Repeat("C", 40), "C")

func TestEncode(t *testing.T) {
	l := Lock{}.With(postgis())
	if diff := cmp.Diff(golden, short.Replace(string(l.Encode()))); diff != "" {
		t.Errorf("Encode() (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("{\n  \"lock\": 1,\n  \"targets\": []\n}\n", string(Lock{}.Encode())); diff != "" {
		t.Errorf("Encode() of an empty lock (-want +got):\n%s", diff)
	}
	if err := l.Validate(); err != nil {
		t.Errorf("Validate() = %v", err)
	}
	bare := Lock{[]Target{{Distro: "sid", Postgres: 18, Arch: "amd64"}}}
	got := string(bare.Encode())
	for _, part := range []string{`"archives": [],`, `"checksum": ""` + "\n      },", `"packages": []` + "\n"} {
		if !strings.Contains(got, part) {
			t.Errorf("Encode() lacks %q:\n%s", part, got)
		}
	}
}

func TestEncodeTwiceGivesTheSame(t *testing.T) {
	a, b := postgis(), postgis()
	b.Arch = "arm64"
	b.Packages[0].Arch = "arm64"
	first := Lock{}.With(a).With(b).Encode()
	slices.Reverse(a.Packages)
	slices.Reverse(a.Base.Packages[0].Libraries)
	a.Archives[0].Date = a.Archives[0].Date.In(time.FixedZone("", 7200))
	second := Lock{[]Target{b, a}}.Encode()
	if diff := cmp.Diff(string(first), string(second)); diff != "" {
		t.Errorf("Encode() depends on the order it is given (-first +second):\n%s", diff)
	}
}

func TestParse(t *testing.T) {
	want := Lock{}.With(postgis())
	got, err := Parse("pgext.lock", want.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Parse() (-want +got):\n%s", diff)
	}
}

func TestWith(t *testing.T) {
	amd64, arm64, old := postgis(), postgis(), postgis()
	arm64.Arch, old.Postgres = "arm64", 9
	one := Lock{}.With(amd64)
	all := one.With(arm64).With(old)
	if len(one.Targets) != 1 {
		t.Errorf("With changed the lock it was called on: %v", one.Targets)
	}
	var got []string
	for _, target := range all.Targets {
		got = append(got, target.String())
	}
	if diff := cmp.Diff([]string{"forky/9/amd64", "forky/18/amd64", "forky/18/arm64"}, got); diff != "" {
		t.Errorf("With() (-want +got):\n%s", diff)
	}
	amd64.Recipe = "sha256:" + sumB
	replaced, ok := all.With(amd64).Find("forky", 18, "amd64")
	if !ok || replaced.Recipe != amd64.Recipe || len(all.With(amd64).Targets) != 3 {
		t.Errorf("Find() = %v, %v after the target was replaced", replaced.Recipe, ok)
	}
	if _, ok := all.Find("sid", 18, "amd64"); ok {
		t.Error("Find() found what is not there")
	}
}

func TestParseErrors(t *testing.T) {
	good := string(Lock{}.With(postgis()).Encode())
	for _, tt := range []struct{ name, old, new, want string }{
		{"not JSON", "\"lock\": 1,", "<<<<<<< HEAD", `line 2: invalid character '<' looking for beginning of object key string`},
		{"trailing data", "\n  ]\n}\n", "\n  ]\n}\n{}", `line 31: invalid character '{' after top-level value`},
		{"no version", "\"lock\": 1,", "", `no version: field "lock" is missing`},
		{"newer", "\"lock\": 1", "\"lock\": 2", `version 2 of the format, not 1`},
		{"older", "\"lock\": 1", "\"lock\": 0", `version 0 of the format, not 1`},
		{"a list", good, "[]", `line 1: want an object, got array`},
		{"wrong type", "\"postgres\": 18,", "\"postgres\": \"18\",", `line 6: targets.postgres: want int, got string`},
		{"unknown field", "\"distro\"", "\"distribution\"", `json: unknown field "distribution"`},
		{"field in upper case", "\"distro\"", "\"Distro\"", `line 5: unknown field "Distro"`},
		{"field twice", "\"postgres\": 18,", "\"postgres\": 17,\n\"postgres\": 18,", `line 7: key "postgres" repeats`},
		{"no distro", "\"distro\": \"forky\"", "\"distro\": \"\"", `target /18/amd64: needs distro, postgres and arch`},
		{"recipe", "sha256:" + sumA, "md5:1", `target forky/18/amd64: recipe: "md5:1" is not "sha256:" and 64 hex digits`},
		{"inrelease", `"inrelease":"` + sumA, `"inrelease":"x`, `target forky/18/amd64: archive debian forky: inrelease: "x" is not a SHA-256 in hex`},
		{"fingerprint", strings.Repeat("C", 40), "C0FFEE", `target forky/18/amd64: archive debian forky: fingerprint: "C0FFEE" is not one in hex`},
		{"date", "2026-10-30T08", "1926-10-30T08", `target forky/18/amd64: archive debian forky: date: 1926-10-30 08:08:01 +0000 UTC is not a date of a Release file`},
		{"base", "\"cnpg-minimal\"", "\"https://x.example\"", `target forky/18/amd64: base: "https://x.example" is a URL; a lock never holds one`},
		{"base checksum", "sha256:" + sumB, "", `target forky/18/amd64: base: checksum: "" is not "sha256:" and 64 hex digits`},
		{"base package", "2.42-1", "", `target forky/18/amd64: base: package libc6: needs package and version`},
		{"requires", `"extension":"postgis"`, `"extension":"a","module":"b"`, `target forky/18/amd64: requires: needs either extension or module, has "a" and "b"`},
		{"version", `"version":"9.7.0-1"`, `"version":""`, `target forky/18/amd64: package libproj25: needs package, version, source and source_version`},
		{"arch", `"arch":"all"`, `"arch":"arm64"`, `target forky/18/amd64: package vendor: arch: "arm64" is neither amd64 nor all`},
		{"role", `"role":"library"`, `"role":"lib"`, `target forky/18/amd64: package libproj25: role: "lib" is not one of extension, library, data`},
		{"size", `"size":1234`, `"size":0`, `target forky/18/amd64: package libproj25: size: 0 is not a size in bytes`},
		{"sha256", `"size":1,"sha256":"` + sumB, `"size":1,"sha256":"` + strings.ToUpper(sumB), `target forky/18/amd64: package vendor: sha256: "` + strings.ToUpper(sumB) + `" is not a SHA-256 in hex`},
		{"sha512", `"sha512":"` + sumA, `"sha512":"`, `target forky/18/amd64: package libproj25: sha512: "` + sumB + `" is not a SHA-512 in hex`},
		{"archive without path", `"archive":"debian","path"`, `"path"`, `target forky/18/amd64: package libproj25: needs both archive and path, or neither`},
		{"unknown archive", `"archive":"debian"`, `"archive":"pgdg"`, `target forky/18/amd64: package libproj25: archive "pgdg" is not among archives`},
		{"URL", `"path":"pool`, `"path":"https://x.example/pool`, `target forky/18/amd64: package libproj25: path: "https://x.example/pool/main/p/proj/libproj25_9.7.0-1_amd64.deb" is a URL; a lock has paths below an archive's root`},
		{"absolute path", `"path":"pool`, `"path":"/pool`, `target forky/18/amd64: package libproj25: path: "/pool/main/p/proj/libproj25_9.7.0-1_amd64.deb" is not a path below the archive's root`},
		{"escaping path", `"path":"pool`, `"path":"pool/../..`, `target forky/18/amd64: package libproj25: path: "pool/../../main/p/proj/libproj25_9.7.0-1_amd64.deb" is not a path below the archive's root`},
		{"no extension", `"role":"extension"`, `"role":"data"`, `target forky/18/amd64: no package has the role extension`},
		{"package twice", `"package":"vendor"`, `"package":"libproj25"`, `target forky/18/amd64: package libproj25: appears twice`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(good, tt.old) {
				t.Fatalf("%q is not in the lock", tt.old)
			}
			l, err := Parse("x.lock", []byte(strings.Replace(good, tt.old, tt.new, 1)))
			var invalid *failure.Error
			if !errors.As(err, &invalid) || invalid.ExitCode() != 11 {
				t.Fatalf("Parse() = %v, %v; want an error with exit code 11", l, err)
			}
			if diff := cmp.Diff("reading lock x.lock: "+tt.want, err.Error()); diff != "" {
				t.Errorf("Parse() (-want +got):\n%s", diff)
			}
			if got := strings.HasPrefix(invalid.Hint(), "upgrade"); got != (tt.name == "newer") {
				t.Errorf("Hint() = %q", invalid.Hint())
			}
		})
	}
}

func TestParseRefusesTargetTwice(t *testing.T) {
	_, err := Parse("x.lock", Lock{[]Target{postgis(), postgis()}}.Encode())
	if want := "reading lock x.lock: target forky/18/amd64: appears twice"; err == nil || err.Error() != want {
		t.Errorf("Parse() = %v, want %s", err, want)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	if l, ok, err := Load(filepath.Join(dir, "absent.lock")); ok || err != nil || len(l.Targets) > 0 {
		t.Errorf("Load() of nothing = %v, %v, %v", l, ok, err)
	}
	path := filepath.Join(dir, "pgext.lock")
	want := Lock{}.With(postgis())
	if err := os.WriteFile(path, want.Encode(), 0o644); err != nil {
		t.Fatal(err)
	}
	got, ok, err := Load(path)
	if !ok || err != nil {
		t.Fatalf("Load() = %v, %v", ok, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Load() (-want +got):\n%s", diff)
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := Load(path); ok || err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("Load() of an empty file = %v, %v", ok, err)
	}
}

func TestDiff(t *testing.T) {
	before, after := postgis(), postgis()
	after.Packages[0].Version = "9.8.0-1"
	after.Packages[0].Path = "elsewhere"
	after.Packages[1].Package, after.Packages[1].SHA256 = "vendor2", sumA
	gone, rebuilt := postgis(), postgis()
	gone.Arch = "arm64"
	gone.Packages = gone.Packages[:1]
	rebuilt.Arch = "riscv64"
	moved := postgis()
	moved.Arch = "riscv64"
	moved.Packages[0].SHA256 = sumB
	moved.Packages[1].Archive = "other"

	var got []string
	for _, c := range Diff(Lock{}.With(before).With(gone).With(rebuilt), Lock{}.With(after).With(moved)) {
		got = append(got, c.String())
	}
	want := []string{
		"forky/18/amd64: libproj25 9.7.0-1 -> 9.8.0-1",
		"forky/18/amd64: vendor 1:1.0+dfsg~1-2 removed",
		"forky/18/amd64: vendor2 1:1.0+dfsg~1-2 added",
		"forky/18/arm64: libproj25 9.7.0-1 removed",
		"forky/18/riscv64: libproj25 9.7.0-1 has other bytes",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Diff() (-want +got):\n%s", diff)
	}
	if same := Diff(Lock{}.With(before), Lock{}.With(before)); len(same) > 0 {
		t.Errorf("Diff() of the same = %v", same)
	}
}

func TestOutOfDate(t *testing.T) {
	var err *failure.Error
	if !errors.As(OutOfDate("a/pgext.lock", "a/recipe.yaml", []string{"forky/18/amd64: not locked", "recipe changed"}), &err) {
		t.Fatal("OutOfDate() has no exit code")
	}
	if got, want := err.Error(), "lock a/pgext.lock is out of date: forky/18/amd64: not locked; recipe changed"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if err.ExitCode() != 11 || err.Hint() != "pgext lock a/recipe.yaml" {
		t.Errorf("ExitCode() = %d, Hint() = %q", err.ExitCode(), err.Hint())
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Lock{}.Encode())
	f.Add(Lock{}.With(postgis()).Encode())
	f.Add([]byte(`{"lock":1,"targets":[{"distro":"a","postgres":1,"arch":"b","recipe":"sha256:` + sumA + `","base":{"name":"x","postgres":"1","checksum":"sha256:` + sumA + `"}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := Parse("x.lock", data)
		if err != nil {
			return
		}
		second, err := Parse("x.lock", first.Encode())
		if err != nil {
			t.Fatalf("parsing the output of Encode: %v", err)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("Parse(Encode()) (-first +second):\n%s", diff)
		}
	})
}
