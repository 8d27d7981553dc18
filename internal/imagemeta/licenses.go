package imagemeta

import (
	"github.com/pgext/pgext/internal/license"
	"github.com/pgext/pgext/internal/lock"
)

// licenses returns the SPDX expressions of all packages with a file in the image
// and of the extension's own packages. An expression is "" if the licence of one
// of its packages is unknown.
func licenses(in Input) (all, own string) {
	var every, ours []license.License
	for _, l := range in.Layout.Licenses {
		every = append(every, l.License)
		if l.Role == lock.Extension {
			ours = append(ours, l.License)
		}
	}
	return join(every), join(ours)
}

// join joins expressions with AND. It returns "" if one of them is "".
func join(list []license.License) string {
	for _, l := range list {
		if l.Expression == "" {
			return ""
		}
	}
	return license.Join(list...).Expression
}

// Together returns the description of an index from the descriptions of its
// architectures: their licence expressions are joined, the other values of the
// first one are used.
func Together(all []Description) Description {
	out := all[0]
	var every, own []license.License
	for _, d := range all {
		every = append(every, license.License{Expression: d.standard.Licenses})
		own = append(own, license.License{Expression: d.standard.OwnLicenses})
	}
	out.standard.Licenses, out.standard.OwnLicenses = joinDistinct(every), joinDistinct(own)
	return out
}

// joinDistinct joins expressions with AND. If all are equal it returns the
// expression unchanged.
func joinDistinct(list []license.License) string {
	for _, l := range list {
		if l.Expression != list[0].Expression {
			return join(list)
		}
	}
	return list[0].Expression
}
