package metadata

import (
	"fmt"
	"maps"
	"strconv"
	"time"
)

// maxLicenses is the maximum length of org.opencontainers.image.licenses that
// GitHub's registry documents, in characters.
const maxLicenses = 256

// Description holds the values of the standard OCI and CloudNativePG labels and
// annotations, for tools that do not read the metadata label. Labels with an
// empty value are omitted.
type Description struct {
	Created     time.Time
	Version     string
	Title       string
	Description string
	// Licenses is the SPDX expression of all packages in the image.
	// OwnLicenses is the expression of the extension's own packages, used if
	// Licenses exceeds maxLicenses. Neither is ever truncated.
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
	// Extra are annotations from the recipe and the command line. They override
	// the annotations above and are not written as labels.
	Extra map[string]string
}

// Labels returns the labels of the image config, including the encoded m.
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

// licenses returns the first expression that is short enough. It does not
// truncate, because part of an expression has another meaning.
func (d Description) licenses() string {
	for _, expression := range []string{d.Licenses, d.OwnLicenses} {
		if len(expression) <= maxLicenses && expression != "" {
			return expression
		}
	}
	return ""
}

// FromLabels decodes the metadata label among the labels of an image config. A
// missing label is an error.
func FromLabels(labels map[string]string) (Metadata, error) {
	text, ok := labels[Label]
	if !ok {
		return Metadata{}, fmt.Errorf("reading label %s: the image has none", Label)
	}
	return Decode([]byte(text))
}
