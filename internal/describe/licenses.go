package describe

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
