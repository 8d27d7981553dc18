package metadata

import (
	"fmt"
	"maps"
	"strconv"
	"time"
)

// maxLicenses is the longest org.opencontainers.image.licenses that ghcr.io
// is known to take, in characters.
const maxLicenses = 256

// Description is what an image says about itself to tools that know nothing
// of pgext. Empty fields are left out.
type Description struct {
	Created     time.Time
	Version     string
	Title       string
	Description string
	// Licenses is an SPDX expression over everything in the image;
	// OwnLicenses, over the extension alone, takes its place where Licenses
	// is too long for a registry. Neither is ever cut.
	Licenses    string
	OwnLicenses string
	URL         string
	// BaseName is a profile ("cnpg-minimal") or an image reference.
	BaseName string
	// Postgres is the major version, Distro the suite's codename.
	Postgres int
	Distro   string
	// SQLVersion is the default_version of the extension to create.
	SQLVersion string
	// Revision, Source and Vendor are never derived, only passed on.
	Revision, Source, Vendor string
	// Extra are annotations of the recipe's or the command line's; they win
	// over the ones above and never become labels.
	Extra map[string]string
}

// Labels returns the config labels, the encoded m among them.
func (d Description) Labels(m Metadata) (map[string]string, error) {
	encoded, err := m.Encode()
	if err != nil {
		return nil, err
	}
	labels := d.common()
	labels[Label] = string(encoded)
	return labels, nil
}

// Annotations returns the annotations of a manifest or an index.
func (d Description) Annotations() map[string]string {
	annotations := d.common()
	maps.Copy(annotations, d.Extra)
	return annotations
}

func (d Description) common() map[string]string {
	all := map[string]string{
		"org.opencontainers.image.version":     d.Version,
		"org.opencontainers.image.title":       d.Title,
		"org.opencontainers.image.description": d.Description,
		"org.opencontainers.image.licenses":    d.licenses(),
		"org.opencontainers.image.url":         d.URL,
		"org.opencontainers.image.base.name":   d.BaseName,
		"org.opencontainers.image.revision":    d.Revision,
		"org.opencontainers.image.source":      d.Source,
		"org.opencontainers.image.vendor":      d.Vendor,
		"io.cloudnativepg.image.base.name":     d.BaseName,
		"io.cloudnativepg.image.base.os":       d.Distro,
		"io.cloudnativepg.image.sql.version":   d.SQLVersion,
		"io.cloudnativepg.image.base.pgmajor":  "",
		"org.opencontainers.image.created":     "",
	}
	if !d.Created.IsZero() {
		all["org.opencontainers.image.created"] = d.Created.UTC().Format(time.RFC3339)
	}
	if d.Postgres > 0 {
		all["io.cloudnativepg.image.base.pgmajor"] = strconv.Itoa(d.Postgres)
	}
	maps.DeleteFunc(all, func(_, value string) bool { return value == "" })
	return all
}

// licenses never cuts an expression: half of one would claim something else.
func (d Description) licenses() string {
	for _, expression := range []string{d.Licenses, d.OwnLicenses} {
		if len(expression) <= maxLicenses && expression != "" {
			return expression
		}
	}
	return ""
}

// FromLabels returns the Metadata of an image's config labels.
func FromLabels(labels map[string]string) (Metadata, error) {
	text, ok := labels[Label]
	if !ok {
		return Metadata{}, fmt.Errorf("reading label %s: the image has none", Label)
	}
	return Decode([]byte(text))
}
