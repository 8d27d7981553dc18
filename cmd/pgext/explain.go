package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgext/pgext/internal/finding"
)

type explainDocument struct {
	Schema   int              `json:"schema"`
	Findings []explainedEntry `json:"findings"`
}

type explainedEntry struct {
	Code     string           `json:"code"`
	Severity finding.Severity `json:"severity"`
	Title    string           `json:"title"`
	Detail   string           `json:"detail"`
}

func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [CODE...]",
		Short: "Explain findings",
		Long: `Explain findings: what a code means, why it matters, what to do. Without a
code, list them all.`,
		Example: `  pgext explain
  pgext explain PGX001`,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var out []string
			for _, k := range finding.Kinds() {
				out = append(out, k.Code+"\t"+k.Title)
			}
			return out, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			kinds, err := kindsOf(args)
			if err != nil {
				return err
			}
			return a.explain(kinds, len(args) > 0)
		},
	}
}

// kindsOf returns the kinds of the codes, all of them when none is named.
func kindsOf(codes []string) ([]finding.Kind, error) {
	if len(codes) == 0 {
		return finding.Kinds(), nil
	}
	var out []finding.Kind
	for _, code := range codes {
		k, ok := finding.Lookup(strings.ToUpper(code))
		if !ok {
			return nil, &unknownCodeError{code}
		}
		out = append(out, k)
	}
	return out, nil
}

func (a *app) explain(kinds []finding.Kind, whole bool) error {
	doc := explainDocument{Schema: 1, Findings: []explainedEntry{}}
	for _, k := range kinds {
		doc.Findings = append(doc.Findings, explainedEntry(k))
	}
	return a.print(doc, func() string {
		var b strings.Builder
		for i, k := range kinds {
			switch {
			case !whole:
				fmt.Fprintf(&b, "%s  %-7s  %s\n", k.Code, k.Severity, k.Title)
				continue
			case i > 0:
				b.WriteString("\n")
			}
			fmt.Fprintf(&b, "%s %s: %s\n\n%s\n", k.Code, k.Severity, k.Title, wrap(k.Detail, 79))
		}
		return b.String()
	})
}

// wrap breaks a text into lines of at most width bytes, where words allow.
func wrap(text string, width int) string {
	var b strings.Builder
	length := 0
	for _, word := range strings.Fields(text) {
		switch {
		case length == 0:
		case length+1+len(word) > width:
			b.WriteString("\n")
			length = 0
		default:
			b.WriteString(" ")
			length++
		}
		b.WriteString(word)
		length += len(word)
	}
	return b.String()
}

// unknownCodeError is a code that no finding has.
type unknownCodeError struct{ code string }

func (e *unknownCodeError) Error() string { return fmt.Sprintf("no finding has the code %q", e.code) }

// Hint names the nearest code.
func (e *unknownCodeError) Hint() string {
	return "did you mean " + finding.Nearest(e.code) + "? pgext explain lists them all"
}
