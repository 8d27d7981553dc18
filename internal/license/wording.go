package license

import "strings"

// wording is a phrase, in lower case, by which a text is known to be of a
// licence. The empty phrase is in every text.
type wording struct{ phrase, id string }

// sharedNames are short names, in lower case, of several licences. For each the
// wordings are asked in their order.
var sharedNames = map[string][]wording{
	// The Artistic License of Debian is that of Perl: the text in
	// /usr/share/common-licenses, which has clauses that Artistic-1.0 lacks.
	"artistic":   artistic,
	"artistic-1": artistic,
	"artistic-1.0": {
		{"common-licenses/artistic", "Artistic-1.0-Perl"},
		{"which comes with perl", "Artistic-1.0-Perl"},
		{"embed this package's interpreter", "Artistic-1.0-Perl"},
		{"", "Artistic-1.0"},
	},
	// The permissions of the FSF were one licence to SPDX until its list had
	// those with a disclaimer too.
	"fsf-unlimited": unlimited,
	"fsfullr":       append([]wording{unlimited[0]}, wording{"", "FSFULLR"}),
}

var artistic = []wording{
	{"embed this package's interpreter", "Artistic-1.0-Perl"},
	{"aggregation of this package", "Artistic-1.0-cl8"},
	{"reasonable copying fee", "Artistic-1.0"},
	{"", "Artistic-1.0-Perl"},
}

var unlimited = []wording{
	{"as long as this notice is preserved. this program is distributed in the hope that it will be useful, but without any warranty", "FSFULLRWD"},
	{"with or without modifications, as long as this notice is preserved", "FSFULLR"},
	{"gives unlimited permission to copy, distribute and modify it", "FSFUL"},
}

// decided returns the licence of the first wording that text has; "" for none.
func decided(list []wording, text string) string {
	for _, w := range list {
		if strings.Contains(text, w.phrase) {
			return w.id
		}
	}
	return ""
}

// maxWording is how much of a text is looked at for wordings, in bytes: more
// than the GPL with an exception after it.
const maxWording = 64 << 10

// plain returns a text in lower case with single spaces, as wordings have it.
func plain(text string) string {
	if len(text) > maxWording {
		text = text[:maxWording]
	}
	return strings.ToLower(strings.Join(strings.Fields(text), " "))
}
