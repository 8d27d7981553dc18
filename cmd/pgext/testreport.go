package main

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/pgext/pgext/internal/atomicfile"
	"github.com/pgext/pgext/internal/pgtest"
)

type testDocument struct {
	Schema int           `json:"schema"`
	Images []testedImage `json:"images"`
	// Failures are about images that could not be tested, and about files that
	// could not be written.
	Failures []failure `json:"failures"`
}

// testedImage is one architecture of an image.
type testedImage struct {
	Image  string `json:"image"`
	Name   string `json:"name"`
	Digest string `json:"digest"`
	// From is the image of --from.
	From     *fromDocument `json:"from,omitempty"`
	Distro   string        `json:"distro"`
	Postgres int           `json:"postgres"`
	Arch     string        `json:"arch"`
	// Status is pass, fail, or skip when nothing ran.
	Status  pgtest.Status   `json:"status"`
	Seconds float64         `json:"seconds"`
	Checks  []pgtest.Check  `json:"checks"`
	Advice  []pgtest.Advice `json:"advice"`
	// Log is where the server's log was kept.
	Log string `json:"log,omitempty"`
	// Diffs is where differences of its regression suite were kept.
	Diffs string `json:"diffs,omitempty"`
}

// reportTests keeps logs, writes the report that was asked for and prints the
// table or the document. What went wrong, before the tests too, hides no result.
func (a *app) reportTests(outcomes []outcome, failures []failure, f testFlags) error {
	doc := testDocument{Schema: 1, Images: []testedImage{}, Failures: list(failures)}
	failed := false
	for _, o := range withOwnLogs(outcomes) {
		if o.err == nil {
			o.err = o.keep(f.output)
			doc.Images = append(doc.Images, o.document())
		}
		if o.err != nil {
			doc.Failures = append(doc.Failures, newFailure(o.Name+" "+o.Metadata.Arch, o.err))
		}
		failed = failed || o.Failed()
	}
	if f.junit != "" {
		if err := writeJUnit(f.junit, doc); err != nil {
			doc.Failures = append(doc.Failures, newFailure(f.junit, fmt.Errorf("writing the JUnit report: %w", err)))
		}
	}
	if err := a.print(doc, func() string { return testTable(doc) }); err != nil {
		return err
	}
	a.printFailures(doc.Failures)
	switch {
	case len(doc.Failures) > 0:
		return printedError{doc.Failures[0].ExitCode}
	case failed:
		return printedError{exitFindings}
	}
	return nil
}

// withOwnLogs returns outcomes whose logs have names of their own: two registries may
// have images of one name.
func withOwnLogs(outcomes []outcome) []outcome {
	out, seen := slices.Clone(outcomes), map[string]int{}
	for i, o := range out {
		name := o.logName("")
		if seen[name]++; seen[name] > 1 {
			out[i].tag = fmt.Sprintf("%s-%d", o.tag, seen[name])
		}
	}
	return out
}

func writeJUnit(path string, doc testDocument) error {
	report, err := junit(doc)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, report)
}

func (o outcome) document() testedImage {
	d := testedImage{
		Image: o.Name, Name: o.Metadata.Name, Distro: o.Metadata.Distro, Postgres: o.Metadata.Postgres, Arch: o.Metadata.Arch,
		Status: pgtest.Pass, Checks: o.Checks, Advice: list(o.Advice), Log: o.log, Diffs: o.diffs, From: o.fromDocument(),
	}
	if digest, err := o.Image.Digest(); err == nil {
		d.Digest = digest.String()
	}
	for _, c := range o.Checks {
		d.Seconds += c.Seconds
	}
	switch {
	case o.Failed():
		d.Status = pgtest.Fail
	case o.Skipped():
		d.Status = pgtest.Skip
	}
	return d
}

// testTable is a line for every image, and what is to be told about its
// checks below it.
func testTable(doc testDocument) string {
	var b strings.Builder
	for _, i := range doc.Images {
		w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		r := pgtest.Result{Checks: i.Checks}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d of %d checks pass\t%.1f s\n", i.Status, i.Image, i.Arch, r.Count(pgtest.Pass), len(i.Checks), i.Seconds)
		w.Flush() //nolint:errcheck // a strings.Builder takes everything
		for _, c := range i.Checks {
			if c.Status != pgtest.Pass {
				fmt.Fprintf(&b, "  %s %s: %s\n", c.Status, oneLine(c.Name), clip(c))
			}
		}
		for _, advice := range i.Advice {
			linef(&b, "  hint: %s\n", advice.Text)
			if advice.Recipe != "" {
				linef(&b, "    in the recipe: %s\n", advice.Recipe)
			}
		}
		if i.Log != "" {
			fmt.Fprintf(&b, "  log: %s\n", i.Log)
		}
		if i.Diffs != "" {
			fmt.Fprintf(&b, "  diffs: %s\n", i.Diffs)
		}
	}
	return b.String()
}

// clip shortens a detail for the table; JSON and JUnit have all of it.
func clip(c pgtest.Check) string {
	const most = 6
	lines := strings.Split(strings.TrimSpace(c.Detail), "\n")
	switch {
	case c.Status != pgtest.Fail:
		lines = lines[:1]
	case len(lines) > most:
		lines = append(lines[:most:most], "…")
	}
	return strings.Join(lines, "\n    ")
}

// The elements of a JUnit report that CI systems read.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitMessage `xml:"failure"`
		Error   *junitMessage `xml:"error"`
		Skipped *junitMessage `xml:"skipped"`
		Output  string        `xml:"system-out,omitempty"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// junit returns the JUnit form of a document. A note is a pass with output, what
// could not be tested an error.
func junit(doc testDocument) ([]byte, error) {
	var suites junitSuites
	for _, i := range doc.Images {
		r := pgtest.Result{Checks: i.Checks}
		s := junitSuite{
			Name: i.Image + " " + i.Arch, Tests: len(i.Checks), Failures: r.Count(pgtest.Fail), Skipped: r.Count(pgtest.Skip),
			Time: fmt.Sprintf("%.3f", i.Seconds),
		}
		for _, c := range i.Checks {
			j := junitCase{Class: i.Name, Name: c.Name, Time: fmt.Sprintf("%.3f", c.Seconds)}
			first, _, _ := strings.Cut(c.Detail, "\n")
			switch c.Status {
			case pgtest.Fail:
				j.Failure = &junitMessage{first, c.Detail}
			case pgtest.Skip:
				j.Skipped = &junitMessage{first, c.Detail}
			default:
				j.Output = c.Detail
			}
			s.Cases = append(s.Cases, j)
		}
		suites.Suites = append(suites.Suites, s)
	}
	for _, f := range doc.Failures {
		c := junitCase{Class: f.Subject, Name: "run", Time: "0.000", Error: &junitMessage{f.Message, f.Hint}}
		suites.Suites = append(suites.Suites, junitSuite{Name: f.Subject, Tests: 1, Errors: 1, Time: c.Time, Cases: []junitCase{c}})
	}
	text, err := xml.MarshalIndent(suites, "", "  ")
	return append([]byte(xml.Header), append(text, '\n')...), err
}
