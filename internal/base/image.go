package base

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/image"
)

// Unpackaged is the package that files of an operand image count under which
// no package of it has.
const Unpackaged = "unpackaged"

// Operand is an operand image for one architecture.
type Operand struct {
	// Name is the value of the recipe: "image:" and a reference.
	Name string
	// Digest is the digest of the reference: that of the index if there is one.
	Digest string
	// Arch is the Debian architecture, Postgres the major version wanted.
	Arch     string
	Postgres int
	// Image is the architecture's image.
	Image v1.Image
}

// OperandError reports that an image is no operand image.
type OperandError struct {
	Name, Problem string
}

func (e *OperandError) Error() string { return fmt.Sprintf("%s: %s", e.Name, e.Problem) }

// Hint returns what kind of image is meant.
func (*OperandError) Hint() string {
	return "base: image:REF is the image that PostgreSQL runs in, such as image:ghcr.io/cloudnative-pg/postgresql:18-minimal-trixie"
}

// ExitCode returns 10: the recipe names the wrong thing.
func (*OperandError) ExitCode() int { return 10 }

// recordKind names the cache records of what images hold. Its number goes up
// with whatever changes what is learnt from the same image.
const recordKind = "operand-1"

// contents are the contents of an image, the same for every major.
type contents struct {
	Packages  []apt.Package  `json:"packages"`
	Libraries []elf.Provider `json:"libraries"`
	// Programs maps the paths of executable files to their packages.
	Programs map[string]string `json:"programs"`
	// Extensions and Servers are by PostgreSQL major.
	Extensions map[string][]string `json:"extensions"`
	Servers    map[string]bool     `json:"servers"`
	// Version is PG_VERSION of the image's environment, as the images of
	// Docker's library have it.
	Version string `json:"version,omitempty"`
}

// FromImage reads what an operand image holds: its package database, the
// libraries that its loader finds, programs, contrib extensions. What was
// read once is kept in c.
func FromImage(ctx context.Context, o Operand, c *cache.Cache) (Base, error) {
	b, known, err := Recall(o, c)
	if known || err != nil {
		return b, err
	}
	found, err := readImage(ctx, o, c)
	if err == nil {
		err = found.keep(o, c)
	}
	if err == nil {
		b, err = found.base(o)
	}
	if err != nil {
		return Base{}, fmt.Errorf("reading the base %s for %s: %w", o.Name, o.Arch, err)
	}
	return b, nil
}

// Recall is FromImage for what c knows already; o needs no Image.
func Recall(o Operand, c *cache.Cache) (Base, bool, error) {
	var found contents
	record, known := c.Record(recordKind, o.key())
	if known {
		known = json.Unmarshal(record, &found) == nil
	}
	if !known {
		return Base{}, false, nil
	}
	b, err := found.base(o)
	if err != nil {
		return Base{}, true, fmt.Errorf("reading the base %s for %s: %w", o.Name, o.Arch, err)
	}
	return b, true, nil
}

func (o Operand) key() string { return o.Arch + " " + o.Digest }

func (f contents) keep(o Operand, c *cache.Cache) error {
	record, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return c.PutRecord(recordKind, o.key(), record)
}

// readImage reads the layers.
func readImage(ctx context.Context, o Operand, c *cache.Cache) (contents, error) {
	config, err := o.Image.ConfigFile()
	if err != nil {
		return contents{}, err
	}
	r := newImageReader(o.Arch)
	if r.flat, err = image.Flatten(ctx, o.Image, image.FlattenOptions{Cache: c, Keep: wanted, Look: r.files.Read}); err != nil {
		return contents{}, err
	}
	found, err := r.contents()
	if err != nil {
		return contents{}, err
	}
	for _, variable := range config.Config.Env {
		if version, ok := strings.CutPrefix(variable, "PG_VERSION="); ok {
			found.Version = version
		}
	}
	return found, nil
}

// base returns the base for one major.
func (f contents) base(o Operand) (Base, error) {
	major := fmt.Sprint(o.Postgres)
	b := Base{
		Name: o.Name, Image: o.Digest, Packages: f.Packages, Libraries: f.Libraries,
		Extensions: f.Extensions[major], programs: f.Programs,
	}
	if len(f.Packages) == 0 {
		return Base{}, &OperandError{o.Name, "it has no database of Debian packages"}
	}
	if p, ok := b.Package("postgresql-" + major); ok {
		b.Postgres = upstream(p.Version)
	} else if version := upstream(f.Version); f.Servers[major] || strings.HasPrefix(version, major+".") {
		b.Postgres = major
		if strings.HasPrefix(version, major+".") {
			b.Postgres = version
		}
	}
	if b.Postgres == "" {
		return Base{}, &OperandError{o.Name, "it has no PostgreSQL " + major}
	}
	return b, nil
}
