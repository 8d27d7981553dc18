package finding_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/finding"
)

var update = flag.Bool("update", false, "write docs/findings.md")

const page = "../../docs/findings.md"

// TestPage: docs/findings.md is the registry as a page. After a change of the
// registry: go test ./internal/finding -run TestPage -update
func TestPage(t *testing.T) {
	want := markdown()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/findings.md (-registry +page):\n%s", diff)
	}
}

// markdown is the registry as a page.
func markdown() string {
	var b strings.Builder
	b.WriteString(`# Findings

What a person should know about an image is data, not log text: a code, a severity, a path, a text. Errors stop a build, and ` + "`pgext lint`" + ` exits with 3; warnings do with ` + "`--strict`" + `; notes never do. ` + "`pgext explain CODE`" + ` prints what is here. A code keeps its meaning for ever.

| code | severity | |
|---|---|---|
`)
	for _, k := range finding.Kinds() {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s |\n", k.Code, strings.ToLower(k.Code), k.Severity, k.Title)
	}
	for _, k := range finding.Kinds() {
		fmt.Fprintf(&b, "\n## %s\n\n**%s: %s.** %s\n", k.Code, k.Severity, k.Title, k.Detail)
	}
	return b.String()
}
