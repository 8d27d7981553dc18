package imagemeta

import (
	"github.com/pgext/pgext/internal/license"
	"github.com/pgext/pgext/layout"
)

// licenses returns the SPDX expression over all packages that gave the image a
// file, and the one over the extension's own; "" when a package does not say.
func licenses(in Input) (all, own string) {
	var every, ours []license.License
	for _, l := range in.Layout.Licenses {
		every = append(every, l.License)
		if l.Role == layout.Extension {
			ours = append(ours, l.License)
		}
	}
	return join(every), join(ours)
}

func join(list []license.License) string {
	for _, l := range list {
		if l.Expression == "" {
			return ""
		}
	}
	return license.Join(list...).Expression
}

// Together describes what holds several architectures of one image: licenses
// are those of all of them. Everything else they have in common.
func Together(all []Description) Description {
	out := all[0]
	var every, own []license.License
	for _, d := range all {
		every = append(every, license.License{Expression: d.words.Licenses})
		own = append(own, license.License{Expression: d.words.OwnLicenses})
	}
	out.words.Licenses, out.words.OwnLicenses = united(every), united(own)
	return out
}

// united leaves an expression that all agree on as it was written.
func united(list []license.License) string {
	for _, l := range list {
		if l.Expression != list[0].Expression {
			return join(list)
		}
	}
	return list[0].Expression
}
