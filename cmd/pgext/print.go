package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/pgext/pgext/internal/finding"
)

// printJSON writes the one document of --json.
func (a *app) printJSON(document any) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(document)
}

// print writes the document with --json, and the text without.
func (a *app) print(document any, text func() string) error {
	if a.global.json {
		return a.printJSON(document)
	}
	_, err := io.WriteString(a.stdout, visible(text()))
	return err
}

// visible replaces the characters that would make a terminal do something:
// names in images, packages and answers are a stranger's.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// linef is Fprintf of lines with names in them that a stranger gave: none of
// them begins a line of its own, which would look like one of pgext's.
func linef(b *strings.Builder, format string, args ...any) {
	for i, arg := range args {
		switch text := arg.(type) {
		case string:
			args[i] = oneLine(text)
		case fmt.Stringer:
			args[i] = oneLine(text.String())
		}
	}
	fmt.Fprintf(b, format, args...)
}

// oneLine is visible for what is one line.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// list returns an empty list for none, as JSON documents have it.
func list[T any](all []T) []T { return append([]T{}, all...) }

// byteCount is a size as people read it, in powers of a thousand.
func byteCount(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1e6:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1e9:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}

// describeFindings prints findings with their hints, each after prefix.
func describeFindings(b *strings.Builder, prefix string, all []finding.Finding) {
	for _, f := range all {
		linef(b, "%s%s\n", prefix, f)
		if f.Hint != "" {
			linef(b, "  hint: %s\n", f.Hint)
		}
	}
}

// printLines writes every line of text to stderr after a prefix such as "hint: ".
func (a *app) printLines(prefix, text string) {
	for line := range strings.Lines(visible(text)) {
		fmt.Fprintf(a.stderr, "%s%s\n", prefix, strings.TrimSuffix(line, "\n"))
	}
}
