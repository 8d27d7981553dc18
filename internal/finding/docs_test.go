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

// TestPage checks that docs/findings.md matches the registry. To update the page:
// go test ./internal/finding -run TestPage -update
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

// markdown returns the registry as a Markdown page.
func markdown() string {
	var b strings.Builder
	b.WriteString(`# Findings

A finding is a problem or a fact about an image, with a code, a severity, a path and a text. An error fails a build and makes ` + "`pgext lint`" + ` exit with 3; a warning does so with ` + "`--strict`" + `; a note never does. ` + "`pgext explain CODE`" + ` prints the entry of a code. The meaning of a code does not change.

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
