package lock

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// full returns valid pins with a value in every field.
func full() Target {
	t := postgis()
	t.Base.Image = "sha256:" + sumA
	t.Base.Packages = append(t.Base.Packages, BasePackage{Package: "libgcc-s1", Version: "15.2.0-4"})
	t.Archives = append(t.Archives, Archive{
		Name: "debian", Suite: "forky-security", InRelease: sumB, Date: time.Unix(0, 0).UTC(), Fingerprint: strings.Repeat("d", 64),
	})
	t.Data = []DataFolder{
		{Package: "proj-data", From: "usr/share/proj", To: "share/proj", Env: "PROJ_DATA", Home: "share/proj"},
		{Package: "gdal-data", From: "usr/share/gdal", To: "share/gdal"},
	}
	return t
}

// TestValidateRefuses has one case for each condition of Validate. Removing the
// condition makes its case fail.
func TestValidateRefuses(t *testing.T) {
	if err := (Lock{[]Target{full()}}).Validate(); err != nil {
		t.Fatalf("Validate() = %v for valid pins", err)
	}
	const (
		notRelative = " is not a path relative to the root"
		blank       = " has a blank or control character"
		url         = " is a URL; a lock never holds one"
		noPair      = ` do not go together`
		needsPins   = "needs package, version, source and source_version"
	)
	for _, tt := range []struct {
		name   string
		change func(*Target)
		want   string
	}{
		{"no distro", func(t *Target) { t.Distro = "" }, "needs distro, postgres and arch"},
		{"no arch", func(t *Target) { t.Arch = "" }, "needs distro, postgres and arch"},
		{"postgres 0", func(t *Target) { t.Postgres = 0 }, "needs distro, postgres and arch"},
		{"negative postgres", func(t *Target) { t.Postgres = -1 }, "needs distro, postgres and arch"},
		{"distro with a line end", func(t *Target) { t.Distro = "forky\n" }, `"forky\n"` + blank},
		{"arch with a tab", func(t *Target) { t.Arch = "amd\t64" }, `"amd\t64"` + blank},
		{"recipe without algorithm", func(t *Target) { t.Recipe = sumA }, `recipe: "` + sumA + `" is not "sha256:" and 64 hex digits`},

		{"archive without name", func(t *Target) { t.Archives[0].Name = "" }, "archive  forky: needs name and suite"},
		{"archive without suite", func(t *Target) { t.Archives[0].Suite = "" }, "archive debian : needs name and suite"},
		{"archive name with DEL", func(t *Target) { t.Archives[0].Name = "a\x7f" }, `archive a` + "\x7f" + ` forky: "a\x7f"` + blank},
		{"suite that is a URL", func(t *Target) { t.Archives[1].Suite = "http://x" }, `archive debian http://x: "http://x"` + url},
		{"short InRelease digest", func(t *Target) { t.Archives[0].InRelease = sumA[1:] }, `archive debian forky: inrelease: "` + sumA[1:] + `" is not a SHA-256 in hex`},
		{"fingerprint of 41 digits", func(t *Target) { t.Archives[0].Fingerprint += "C" }, `archive debian forky: fingerprint: "` + strings.Repeat("C", 41) + `" is not one in hex`},
		{"date before 1970", func(t *Target) { t.Archives[0].Date = time.Unix(-1, 0) }, "archive debian forky: date: 1969-12-31 23:59:59 +0000 UTC is not a date of a Release file"},
		{"date that JSON cannot hold", func(t *Target) { t.Archives[0].Date = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "archive debian forky: date: 10000-01-01 00:00:00 +0000 UTC is not a date of a Release file"},
		{"suite twice", func(t *Target) { t.Archives[1].Suite = "forky" }, "archive debian forky: appears twice"},

		{"base without name", func(t *Target) { t.Base.Name = "" }, "base: needs name and postgres"},
		{"base without postgres", func(t *Target) { t.Base.Postgres = "" }, "base: needs name and postgres"},
		{"base name with a blank", func(t *Target) { t.Base.Name = "cnpg minimal" }, `base: "cnpg minimal"` + blank},
		{"base postgres with a blank", func(t *Target) { t.Base.Postgres = "18 .6" }, `base: "18 .6"` + blank},
		{"base extension with a blank", func(t *Target) { t.Base.Extensions[0] = "pl pgsql" }, `base: "pl pgsql"` + blank},
		{"base image that is a tag", func(t *Target) { t.Base.Image = "18" }, `base: image: "18" is not "sha256:" and 64 hex digits`},
		{"base checksum in upper case", func(t *Target) { t.Base.Checksum = "sha256:" + strings.ToUpper(sumB) }, `base: checksum: "sha256:` + strings.ToUpper(sumB) + `" is not "sha256:" and 64 hex digits`},
		{"base package without name", func(t *Target) { t.Base.Packages[0].Package = "" }, "base: package : needs package and version"},
		{"base package without version", func(t *Target) { t.Base.Packages[0].Version = "" }, "base: package libc6: needs package and version"},
		{"base package with a blank", func(t *Target) { t.Base.Packages[0].Package = "lib c6" }, `base: package lib c6: "lib c6"` + blank},
		{"base package version with a blank", func(t *Target) { t.Base.Packages[0].Version = "2 .42" }, `base: package libc6: "2 .42"` + blank},
		{"library with NUL", func(t *Target) { t.Base.Packages[0].Libraries[0] = "lib\x00" }, `base: package libc6: "lib\x00"` + blank},
		{"base package digest", func(t *Target) { t.Base.Packages[0].SHA256 = "00" }, `base: package libc6: sha256: "00" is not a SHA-256 in hex`},
		{"base package twice", func(t *Target) { t.Base.Packages[1].Package = "libc6" }, "base: package libc6: appears twice"},

		{"requirement of nothing", func(t *Target) { t.Requires[0].Extension = "" }, `requires: needs either extension or module, has "" and ""`},
		{"requirement of both", func(t *Target) { t.Requires[0].Module = "m" }, `requires: needs either extension or module, has "postgis" and "m"`},
		{"required extension with a blank", func(t *Target) { t.Requires[0].Extension = "post gis" }, `requires: "post gis"` + blank},
		{"required module that is a URL", func(t *Target) { t.Requires[0] = Require{Module: "http://x"} }, `requires: "http://x"` + url},
		{"required package with a blank", func(t *Target) { t.Requires[0].Package = "a b" }, `requires: "a b"` + blank},
		{"required image with a blank", func(t *Target) { t.Requires[0].Image = "a b" }, `requires: "a b"` + blank},

		{"data from outside", func(t *Target) { t.Data[0].From = "../etc" }, `data of proj-data: "../etc"` + notRelative},
		{"data from the root", func(t *Target) { t.Data[0].From = "." }, `data of proj-data: "."` + notRelative},
		{"data to an absolute path", func(t *Target) { t.Data[0].To = "/share" }, `data of proj-data: "/share"` + notRelative},
		{"data to the outside", func(t *Target) { t.Data[0].To = "share/../../x" }, `data of proj-data: "share/../../x"` + notRelative},
		{"data to the root", func(t *Target) { t.Data[0].To = "." }, `data of proj-data: "."` + notRelative},
		{"variable without home", func(t *Target) { t.Data[0].Home = "" }, `data of proj-data: env "PROJ_DATA" and home ""` + noPair},
		{"home without variable", func(t *Target) { t.Data[0].Env = "" }, `data of proj-data: env "" and home "share/proj"` + noPair},
		{"home outside", func(t *Target) { t.Data[0].Home = "../home" }, `data of proj-data: env "PROJ_DATA" and home "../home"` + noPair},
		{"data package with a blank", func(t *Target) { t.Data[0].Package = "proj data" }, `data of proj data: "proj data"` + blank},
		{"variable with a blank", func(t *Target) { t.Data[0].Env = "PROJ DATA" }, `data of proj-data: "PROJ DATA"` + blank},

		{"package without name", func(t *Target) { t.Packages[0].Package = "" }, "package : " + needsPins},
		{"package without version", func(t *Target) { t.Packages[0].Version = "" }, "package libproj25: " + needsPins},
		{"package without source", func(t *Target) { t.Packages[0].Source = "" }, "package libproj25: " + needsPins},
		{"package without source version", func(t *Target) { t.Packages[0].SourceVersion = "" }, "package libproj25: " + needsPins},
		{"package of another arch", func(t *Target) { t.Packages[0].Arch = "arm64" }, `package libproj25: arch: "arm64" is neither amd64 nor all`},
		{"unknown role", func(t *Target) { t.Packages[0].Role = "" }, `package libproj25: role: "" is not one of extension, library, data`},
		{"negative size", func(t *Target) { t.Packages[0].Size = -1 }, "package libproj25: size: -1 is not a size in bytes"},
		{"SHA-256 of 63 digits", func(t *Target) { t.Packages[0].SHA256 = sumA[1:] }, `package libproj25: sha256: "` + sumA[1:] + `" is not a SHA-256 in hex`},
		{"SHA-512 of 64 digits", func(t *Target) { t.Packages[0].SHA512 = sumA }, `package libproj25: sha512: "` + sumA + `" is not a SHA-512 in hex`},
		{"path without archive", func(t *Target) { t.Packages[0].Archive = "" }, "package libproj25: needs both archive and path, or neither"},
		{"archive without path", func(t *Target) { t.Packages[0].Path = "" }, "package libproj25: needs both archive and path, or neither"},
		{"path that is a URL", func(t *Target) { t.Packages[0].Path = "https://x/y" }, `package libproj25: path: "https://x/y" is a URL; a lock has paths below an archive's root`},
		{"path to the root", func(t *Target) { t.Packages[0].Path = "." }, `package libproj25: path: "." is not a path below the archive's root`},
		{"path outside", func(t *Target) { t.Packages[0].Path = "../x" }, `package libproj25: path: "../x" is not a path below the archive's root`},
		{"unknown archive", func(t *Target) { t.Packages[0].Archive = "pgdg" }, `package libproj25: archive "pgdg" is not among archives`},
		{"name with a blank", func(t *Target) { t.Packages[0].Package = "lib proj" }, `package lib proj: "lib proj"` + blank},
		{"version with a line end", func(t *Target) { t.Packages[0].Version = "1\n2" }, `package libproj25: "1\n2"` + blank},
		{"source with a blank", func(t *Target) { t.Packages[0].Source = "pr oj" }, `package libproj25: "pr oj"` + blank},
		{"source version with a blank", func(t *Target) { t.Packages[0].SourceVersion = "9 7" }, `package libproj25: "9 7"` + blank},
		{"path with a blank", func(t *Target) { t.Packages[0].Path = "pool/a b.deb" }, `package libproj25: "pool/a b.deb"` + blank},
		{"package twice", func(t *Target) { t.Packages[1].Package = "libproj25" }, "package libproj25: appears twice"},
		{"invalid package twice", func(t *Target) { t.Packages[1].Package, t.Packages[1].Size = "libproj25", 0 }, "package libproj25: size: 0 is not a size in bytes"},
		{"invalid package of an unknown archive", func(t *Target) { t.Packages[0].Archive, t.Packages[0].Size = "pgdg", 0 }, "package libproj25: size: 0 is not a size in bytes"},
		{"no extension", func(t *Target) { t.Packages[1].Role = Data }, "no package has the role extension"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pins := full()
			tt.change(&pins)
			err := (Lock{[]Target{pins}}).Validate()
			if want := "reading lock pgext.lock: target " + pins.String() + ": " + tt.want; err == nil || err.Error() != want {
				t.Errorf("Validate() = %v, want %s", err, want)
			}
		})
	}
}

// TestValidateComparesTargets requires that only a target with the same
// distribution, major and architecture counts as repeated, and that the first
// fault of a target is reported.
func TestValidateComparesTargets(t *testing.T) {
	other, invalid := full(), full()
	other.Postgres, invalid.Recipe = 17, ""
	if err := (Lock{[]Target{full(), other}}).Validate(); err != nil {
		t.Errorf("Validate() of two majors = %v", err)
	}
	err := (Lock{[]Target{full(), invalid}}).Validate()
	if want := `recipe: "" is not "sha256:" and 64 hex digits`; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("Validate() = %v, want %s", err, want)
	}
}

// TestInvalidLock checks the exit code and hint of an invalid lock.
func TestInvalidLock(t *testing.T) {
	for data, want := range map[string]string{
		`{"lock":1,"lock":1}`: "restore the file, or remove it and make it again: pgext lock RECIPE",
		`{"lock":0}`:          "restore the file, or remove it and make it again: pgext lock RECIPE",
		`{"lock":2}`:          "upgrade pgext, or make the lock again with this one: pgext lock RECIPE",
	} {
		_, err := Parse("pgext.lock", []byte(data))
		var failure interface {
			Hint() string
			ExitCode() int
		}
		if !errors.As(err, &failure) || failure.ExitCode() != 11 || failure.Hint() != want {
			t.Errorf("Parse(%s) = %v; want exit code 11 and hint %q", data, err, want)
		}
	}
}
