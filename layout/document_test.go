package layout

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/lock"
)

func TestReportDocument(t *testing.T) {
	report := Report{Packages: []PackageReport{{
		Package: "postgresql-18-thing", Version: "1.0-1", Source: "thing", Role: lock.Extension,
		Files:   []FileReport{{Path: "usr/lib/thing.so", Action: Placed, To: "lib/thing.so"}},
		Dropped: []DropsReport{{Reason: "documentation & more", Paths: []string{"usr/share/doc/thing/README"}}},
	}}}
	for _, tt := range []struct {
		name string
		in   ReportDocument
		want string
	}{
		{"empty", ReportDocument{}, `{"schema":1,"image":"","tag":"","arch":"","digest":"","findings":[],"packages":null}`},
		{
			"everything",
			ReportDocument{
				Image: "thing-extension", Tag: "1.0-18-forky", Arch: "amd64", Digest: "sha256:12",
				Findings: []finding.Finding{{Code: "PGX041", Severity: finding.Warning, Path: "lib/thing.so", Text: "a < b"}}, Report: report,
			},
			`{"schema":1,"image":"thing-extension","tag":"1.0-18-forky","arch":"amd64","digest":"sha256:12",` +
				`"findings":[{"code":"PGX041","severity":"warning","path":"lib/thing.so","text":"a < b"}],` +
				`"packages":[{"package":"postgresql-18-thing","version":"1.0-1","source":"thing","role":"extension",` +
				`"files":[{"path":"usr/lib/thing.so","action":"placed","to":"lib/thing.so"}],` +
				`"dropped":[{"reason":"documentation & more","paths":["usr/share/doc/thing/README"]}]}]}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.in.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, compact(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			var back ReportDocument
			if err := json.Unmarshal(got, &back); err != nil {
				t.Fatal(err)
			}
			if again, err := back.Encode(); err != nil || string(again) != string(got) {
				t.Errorf("decoded and encoded again: %s (%v)", again, err)
			}
		})
	}
}

// compact removes the indentation. The texts must not contain two adjacent spaces.
func compact(b []byte) string {
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.Replace(strings.TrimLeft(l, " "), `": `, `":`, 1)
	}
	return strings.Join(lines, "")
}
