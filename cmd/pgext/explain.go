package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	fail "github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/text"
)

type explainDocument struct {
	Schema   int            `json:"schema"`
	Findings []finding.Kind `json:"findings"`
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

// kindsOf returns the kinds of the codes, all kinds if codes is empty. The error for
// an unknown code suggests a similar one.
func kindsOf(codes []string) ([]finding.Kind, error) {
	if len(codes) == 0 {
		return finding.Kinds(), nil
	}
	var out []finding.Kind
	for _, code := range codes {
		k, ok := finding.Lookup(strings.ToUpper(code))
		if !ok {
			hint := "run pgext explain to list all codes"
			if nearest := nearestCode(code); nearest != "" {
				hint = "did you mean " + nearest + "? " + hint
			}
			return nil, fail.New(fail.Other, hint, "unknown code %q", code)
		}
		out = append(out, k)
	}
	return out, nil
}

// nearestCode returns the registered code that is most similar to code, which may be
// a number without PGX; "" if none is similar.
func nearestCode(code string) string {
	if n, err := strconv.Atoi(code); err == nil {
		code = fmt.Sprintf("PGX%03d", n)
	}
	var codes []string
	for _, k := range finding.Kinds() {
		codes = append(codes, k.Code)
	}
	return text.Nearest(code, codes)
}

func (a *app) explain(kinds []finding.Kind, whole bool) error {
	return a.print(explainDocument{1, kinds}, func() string {
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
