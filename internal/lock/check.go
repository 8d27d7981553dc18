package lock

import (
	"crypto/sha512"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pgext/pgext/internal/digest"
)

// fingerprint matches those of OpenPGP keys of version 4 and 6.
var fingerprint = regexp.MustCompile(`^([0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})$`)

// Validate returns an error for the first invalid pin: a missing or malformed
// digest, a path outside the archive, a URL, a repeated element. Parse accepts
// every encoded lock that Validate accepts.
func (l Lock) Validate() error { return l.normal().check("pgext.lock") }

// check validates a normalized lock. name is the file in error messages.
func (l Lock) check(name string) error {
	for i, t := range l.Targets {
		err := t.check()
		if err == nil && i > 0 && l.Targets[i-1].compare(t) == 0 {
			err = errors.New("appears twice")
		}
		if err != nil {
			return invalid(name, fmt.Errorf("target %s: %w", t, err))
		}
	}
	return nil
}

func (t Target) check() error {
	if t.Distro == "" || t.Arch == "" || t.Postgres <= 0 {
		return errors.New("needs distro, postgres and arch")
	}
	if err := names(t.Distro, t.Arch); err != nil {
		return err
	}
	if err := checksum("recipe", t.Recipe); err != nil {
		return err
	}
	for i, a := range t.Archives {
		if err := a.check(); err != nil {
			return fmt.Errorf("archive %s %s: %w", a.Name, a.Suite, err)
		}
		if i > 0 && t.Archives[i-1].Name == a.Name && t.Archives[i-1].Suite == a.Suite {
			return fmt.Errorf("archive %s %s: appears twice", a.Name, a.Suite)
		}
	}
	if err := t.Base.check(); err != nil {
		return fmt.Errorf("base: %w", err)
	}
	for _, r := range t.Requires {
		if (r.Extension == "") == (r.Module == "") {
			return fmt.Errorf("requires: needs either extension or module, has %q and %q", r.Extension, r.Module)
		}
		if err := names(r.Extension, r.Module, r.Package, r.Image); err != nil {
			return fmt.Errorf("requires: %w", err)
		}
	}
	for _, d := range t.Data {
		if err := d.check(); err != nil {
			return fmt.Errorf("data of %s: %w", d.Package, err)
		}
	}
	return t.checkPackages()
}

func (d DataFolder) check() error {
	for _, path := range []string{d.From, d.To} {
		if !fs.ValidPath(path) || path == "." {
			return fmt.Errorf("%q is not a path relative to the root", path)
		}
	}
	if (d.Env == "") != (d.Home == "") || d.Home != "" && !fs.ValidPath(d.Home) {
		return fmt.Errorf("env %q and home %q do not go together", d.Env, d.Home)
	}
	return names(d.Package, d.Env)
}

func (t Target) checkPackages() error {
	for i, p := range t.Packages {
		err := p.check(t.Arch)
		if err == nil && i > 0 && t.Packages[i-1].Package == p.Package {
			err = errors.New("appears twice")
		}
		if err == nil && p.Archive != "" && !slices.ContainsFunc(t.Archives, func(a Archive) bool { return a.Name == p.Archive }) {
			err = fmt.Errorf("archive %q is not among archives", p.Archive)
		}
		if err != nil {
			return fmt.Errorf("package %s: %w", p.Package, err)
		}
	}
	if !slices.ContainsFunc(t.Packages, func(p Package) bool { return p.Role == Extension }) {
		return errors.New("no package has the role extension")
	}
	return nil
}

func (a Archive) check() error {
	switch {
	case a.Name == "" || a.Suite == "":
		return errors.New("needs name and suite")
	case !digest.IsSHA256(a.InRelease):
		return fmt.Errorf("inrelease: %q is not a SHA-256 in hex", a.InRelease)
	case !fingerprint.MatchString(a.Fingerprint):
		return fmt.Errorf("fingerprint: %q is not one in hex", a.Fingerprint)
	case a.Date.Before(time.Unix(0, 0)) || a.Date.Year() > 9999:
		return fmt.Errorf("date: %v is not a date of a Release file", a.Date)
	}
	return names(a.Name, a.Suite)
}

func (b Base) check() error {
	if b.Name == "" || b.Postgres == "" {
		return errors.New("needs name and postgres")
	}
	if err := names(b.Name, b.Postgres); err != nil {
		return err
	}
	if err := names(b.Extensions...); err != nil {
		return err
	}
	if b.Image != "" {
		if err := checksum("image", b.Image); err != nil {
			return err
		}
	}
	if err := checksum("checksum", b.Checksum); err != nil {
		return err
	}
	for i, p := range b.Packages {
		err := names(append([]string{p.Package, p.Version}, p.Libraries...)...)
		switch {
		case err != nil:
		case p.Package == "" || p.Version == "":
			err = errors.New("needs package and version")
		case p.SHA256 != "" && !digest.IsSHA256(p.SHA256):
			err = fmt.Errorf("sha256: %q is not a SHA-256 in hex", p.SHA256)
		case i > 0 && b.Packages[i-1].Package == p.Package:
			err = errors.New("appears twice")
		}
		if err != nil {
			return fmt.Errorf("package %s: %w", p.Package, err)
		}
	}
	return nil
}

func (p Package) check(arch string) error {
	switch {
	case p.Package == "" || p.Version == "" || p.Source == "" || p.SourceVersion == "":
		return errors.New("needs package, version, source and source_version")
	case p.Arch != arch && p.Arch != "all":
		return fmt.Errorf("arch: %q is neither %s nor all", p.Arch, arch)
	case p.Role != Extension && p.Role != Library && p.Role != Data:
		return fmt.Errorf("role: %q is not one of %s, %s, %s", p.Role, Extension, Library, Data)
	case p.Size <= 0:
		return fmt.Errorf("size: %d is not a size in bytes", p.Size)
	case !digest.IsSHA256(p.SHA256):
		return fmt.Errorf("sha256: %q is not a SHA-256 in hex", p.SHA256)
	case p.SHA512 != "" && !digest.Is(p.SHA512, sha512.Size):
		return fmt.Errorf("sha512: %q is not a SHA-512 in hex", p.SHA512)
	case (p.Archive == "") != (p.Path == ""):
		return errors.New("needs both archive and path, or neither")
	case strings.Contains(p.Path, "://"):
		return fmt.Errorf("path: %q is a URL; a lock has paths below an archive's root", p.Path)
	case p.Path != "" && (!fs.ValidPath(p.Path) || p.Path == "."):
		return fmt.Errorf("path: %q is not a path below the archive's root", p.Path)
	}
	return names(p.Package, p.Version, p.Source, p.SourceVersion, p.Archive, p.Path)
}

// names returns an error if one of the values contains a URL, a control character
// or a blank.
func names(values ...string) error {
	for _, v := range values {
		if strings.Contains(v, "://") {
			return fmt.Errorf("%q is a URL; a lock never holds one", v)
		}
		if strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
			return fmt.Errorf("%q has a blank or control character", v)
		}
	}
	return nil
}

// checksum validates a digest that is prefixed with its algorithm.
func checksum(field, value string) error {
	if !digest.IsNamed(value) {
		return fmt.Errorf(`%s: %q is not "sha256:" and 64 hex digits`, field, value)
	}
	return nil
}
