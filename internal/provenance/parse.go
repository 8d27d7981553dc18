package provenance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"

	"github.com/pgext/pgext/internal/digest"
	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/strictjson"
	"github.com/pgext/pgext/internal/text"
)

// maxSize is the largest statement in bytes.
const maxSize = 16 << 20

// Hints for invalid provenance, and for another statement, predicate or build type.
const (
	changed = "the provenance was changed after the build or written by another program; build the image again"
	newer   = "the image was built by another program or by a newer pgext; use that program"
)

// invalid returns an error about a field of the statement; "" for the whole.
func invalid(field, format string, args ...any) error {
	if field != "" {
		field += ": "
	}
	return failure.New(failure.Untrusted, changed, "reading provenance: %s%w", field, fmt.Errorf(format, args...))
}

// Parse reads a statement of this package. Unknown fields are ignored, as SLSA
// requires, except for external parameters, which determine the build. Parse checks
// that the recipe and the lock are valid and that the lock has exactly the target of
// the parameters. Errors have the code failure.Untrusted.
func Parse(data []byte) (Statement, error) {
	var head struct {
		Type          string          `json:"_type"`
		Subject       []Descriptor    `json:"subject"`
		PredicateType string          `json:"predicateType"`
		Predicate     json.RawMessage `json:"predicate"`
	}
	if err := decode(data, &head); err != nil {
		return Statement{}, err
	}
	switch {
	case head.Type != StatementType:
		return Statement{}, foreign("_type", head.Type, StatementType)
	case head.PredicateType != PredicateType:
		return Statement{}, foreign("predicateType", head.PredicateType, PredicateType)
	case len(head.Subject) == 0:
		return Statement{}, invalid("subject", "is empty")
	}
	for i, d := range head.Subject {
		if !digest.IsSHA256(d.Digest["sha256"]) {
			return Statement{}, invalid(fmt.Sprintf("subject[%d]", i), "has no SHA-256 digest")
		}
	}
	p, err := ParsePredicate(head.Predicate)
	if err != nil {
		return Statement{}, err
	}
	return Statement{Type: head.Type, Subject: head.Subject, PredicateType: head.PredicateType, Predicate: p}, nil
}

// ParsePredicate reads the predicate of a statement, as Parse does.
func ParsePredicate(data []byte) (Predicate, error) {
	var p Predicate
	var strict struct {
		BuildDefinition struct {
			BuildType          string          `json:"buildType"`
			ExternalParameters json.RawMessage `json:"externalParameters"`
		} `json:"buildDefinition"`
	}
	if err := decode(data, &strict); err != nil {
		return p, err
	}
	if got := strict.BuildDefinition.BuildType; got != BuildType {
		return p, foreign("buildDefinition.buildType", got, BuildType)
	}
	if err := decode(data, &p); err != nil {
		return p, err
	}
	dec := json.NewDecoder(bytes.NewReader(strict.BuildDefinition.ExternalParameters))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&External{}); err != nil {
		return p, invalid("buildDefinition.externalParameters", "%w", err)
	}
	if p.RunDetails.Builder.ID == "" {
		return p, invalid("runDetails.builder.id", "is missing")
	}
	return p, p.BuildDefinition.ExternalParameters.check()
}

// check validates the parameters.
func (e External) check() error {
	const field = "buildDefinition.externalParameters."
	if _, err := recipe.Parse("recipe", []byte(e.Recipe)); err != nil {
		return invalid(field+"recipe", "%w", err)
	}
	l, err := lock.Parse("lock", []byte(e.Lock))
	if err != nil {
		return invalid(field+"lock", "%w", err)
	}
	want := lock.Target{Distro: e.Distro, Postgres: e.Postgres, Arch: e.Arch}
	if len(l.Targets) != 1 || l.Targets[0].String() != want.String() {
		return invalid(field+"lock", "must have exactly the target %s", want)
	}
	if e.Compression != "gzip" && e.Compression != "zstd" {
		return invalid(field+"compression", "%q, want gzip or zstd", e.Compression)
	}
	if at := e.SourceDateEpoch; at != nil && (*at < 0 || *at > lastSecond) {
		return invalid(field+"sourceDateEpoch", "%d, want seconds from 1970 to 9999", *at)
	}
	if e.Revision < 0 {
		return invalid(field+"revision", "%d is negative", e.Revision)
	}
	return e.checkFiles(field)
}

// lastSecond is the end of the year 9999, the maximum of RFC 3339.
const lastSecond = 253402300799

// checkFiles validates the paths of files, which are relative to the recipe and may
// contain "..".
func (e External) checkFiles(field string) error {
	for i, f := range e.Files {
		if !digest.IsSHA256(f.SHA256) || (f.URL == "") == (f.Path == "") || path.IsAbs(f.Path) {
			return invalid(fmt.Sprintf("%sfiles[%d]", field, i), "needs a SHA-256 digest, and either a url or a relative path")
		}
	}
	seen := map[string]bool{}
	for i, p := range e.Patches {
		if p.Path == "" || path.IsAbs(p.Path) || seen[p.Path] {
			return invalid(fmt.Sprintf("%spatches[%d]", field, i), "%q is not a relative path, or is repeated", p.Path)
		}
		seen[p.Path] = true
	}
	return nil
}

// Pins returns the lock entries of the target.
func (e External) Pins() (lock.Target, error) {
	l, err := lock.Parse("lock", []byte(e.Lock))
	if err != nil {
		return lock.Target{}, err
	}
	pins, ok := l.Find(e.Distro, e.Postgres, e.Arch)
	if !ok {
		return lock.Target{}, fmt.Errorf("the lock has no target %s/%d/%s", e.Distro, e.Postgres, e.Arch)
	}
	return pins, nil
}

// Digests returns the digests of the subjects, "sha256:" and hex, in order.
func (s Statement) Digests() []string {
	var out []string
	for _, d := range s.Subject {
		out = append(out, "sha256:"+d.Digest["sha256"])
	}
	return out
}

// Of returns the resolved dependencies of a kind.
func (b BuildDefinition) Of(kind string) []Descriptor {
	var out []Descriptor
	for _, d := range b.ResolvedDependencies {
		if d.Annotations[kindKey] == kind {
			out = append(out, d)
		}
	}
	return out
}

// foreign returns an error about a statement of another type.
func foreign(field, got, want string) error {
	return failure.New(failure.Untrusted, newer, "reading provenance: %s: got %q, want %q", field, text.Truncate(got, 200), want)
}

// decode reads one JSON value of limited size without ambiguous keys.
func decode(data []byte, into any) error {
	if len(data) > maxSize {
		return invalid("", "%d bytes, more than %d", len(data), maxSize)
	}
	if err := strictjson.Unmarshal(data, into, strictjson.Rules{Maps: []string{"annotations"}}); err != nil {
		return invalid("", "%w", err)
	}
	return nil
}
