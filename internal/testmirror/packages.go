package testmirror

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// fresh is how long a Release file in the cache is used without asking the
// mirror.
const fresh = 6 * time.Hour

// Packages returns a file that holds the decompressed Packages index of the
// main component of suite for arch, as the mirror's InRelease names it.
func Packages(tb testing.TB, suite, arch string) string {
	tb.Helper()
	name := "main/binary-" + arch + "/Packages.gz"
	sum := releaseSum(tb, suite, name)
	plain := filepath.Join(cacheDir(tb), sum+".plain")
	if _, err := os.Stat(plain); err == nil {
		return plain
	}
	folder := "dists/" + suite + "/main/binary-" + arch
	packed := Get(tb, folder+"/by-hash/SHA256/"+sum, sum)
	if err := gunzip(packed, plain); err != nil {
		tb.Fatal(err)
	}
	return plain
}

// releaseSum returns the SHA256 that the InRelease of suite has for name.
func releaseSum(tb testing.TB, suite, name string) string {
	tb.Helper()
	file := filepath.Join(cacheDir(tb), "InRelease-"+suite)
	url := URL(tb) + "/dists/" + suite + "/InRelease"
	switch info, err := os.Stat(file); {
	case err != nil:
		download(tb, url, file, "")
	case time.Since(info.ModTime()) > fresh:
		if err := fetch(tb.Context(), url, file, ""); err != nil {
			tb.Logf("using the InRelease of %v: %v", info.ModTime(), err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	_, sums, _ := strings.Cut(string(text), "\nSHA256:\n")
	for line := range strings.Lines(sums) {
		if f := strings.Fields(line); len(f) == 3 && f[2] == name {
			return f[0]
		}
	}
	tb.Fatalf("the InRelease of %s has no SHA256 of %s", suite, name)
	return ""
}

func gunzip(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	unpacked, err := gzip.NewReader(bufio.NewReader(in))
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(to), ".partial-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) //nolint:errcheck // gone when it has been renamed
	_, err = io.Copy(temp, unpacked)
	if err = errors.Join(err, temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), to)
}

// Package is a stanza of a Packages index.
type Package struct {
	Name, Version, Section string
	Depends                string
	// Filename is the path below the mirror's root.
	Filename, SHA256 string
	// Size of the .deb in bytes.
	Size int64
}

// All returns the packages of suite for arch in the order of the index.
func All(tb testing.TB, suite, arch string) []Package {
	tb.Helper()
	in, err := os.Open(Packages(tb, suite, arch))
	if err != nil {
		tb.Fatal(err)
	}
	defer in.Close()
	var all []Package
	var p Package
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		if len(lines.Bytes()) == 0 {
			all, p = append(all, p), Package{}
			continue
		}
		name, value, _ := strings.Cut(lines.Text(), ": ")
		p.set(name, value)
	}
	if err := lines.Err(); err != nil {
		tb.Fatal(err)
	}
	return all
}

func (p *Package) set(name, value string) {
	switch name {
	case "Package":
		p.Name = value
	case "Version":
		p.Version = value
	case "Section":
		p.Section = value
	case "Depends":
		p.Depends = value
	case "Filename":
		p.Filename = value
	case "SHA256":
		p.SHA256 = value
	case "Size":
		p.Size, _ = strconv.ParseInt(value, 10, 64) // 0 is as good as nonsense
	}
}

// Deb returns a file that holds the .deb of the package called name.
func Deb(tb testing.TB, suite, arch, name string) string {
	tb.Helper()
	for _, p := range All(tb, suite, arch) {
		if p.Name == name {
			return Get(tb, p.Filename, p.SHA256)
		}
	}
	tb.Fatalf("%s has no package %s for %s", suite, name, arch)
	return ""
}
