package license

import "strings"

// wording is a phrase, in lower case, that identifies a licence. Every text contains
// the empty phrase.
type wording struct{ phrase, id string }

// sharedNames are short names, in lower case, of several licences. The first wording in
// the text decides.
var sharedNames = map[string][]wording{
	// Debian's Artistic License, in /usr/share/common-licenses, is the licence of
	// Perl, which has more clauses than Artistic-1.0.
	"artistic":   artistic,
	"artistic-1": artistic,
	"artistic-1.0": {
		{"common-licenses/artistic", "Artistic-1.0-Perl"},
		{"which comes with perl", "Artistic-1.0-Perl"},
		{"embed this package's interpreter", "Artistic-1.0-Perl"},
		{"", "Artistic-1.0"},
	},
	// SPDX had one identifier for the permissions of the FSF before it added
	// variants with a disclaimer.
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

// decided returns the licence of the first wording that text contains, "" for none.
func decided(list []wording, text string) string {
	for _, w := range list {
		if strings.Contains(text, w.phrase) {
			return w.id
		}
	}
	return ""
}

// maxWording is the number of bytes of a text in which wordings are searched, which is
// more than the GPL followed by an exception.
const maxWording = 64 << 10

// plain returns a text in lower case with single spaces, the form of wordings.
func plain(text string) string {
	if len(text) > maxWording {
		text = text[:maxWording]
	}
	return strings.ToLower(strings.Join(strings.Fields(text), " "))
}
