//go:build corpus && linux

package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/imagetest"
	"github.com/pgext/pgext/internal/pgtest"
	"github.com/pgext/pgext/internal/session"
)

// greenShare is how many images in a hundred have to pass every check.
const greenShare = 97

// tried is what came of an image on a real server.
type tried struct {
	pgtest.Result
	// extensions are those that the label names, created those that were.
	extensions, created int
	// lacks are the findings that say what the archives do not have.
	lacks []finding.Finding
	// unexplained are extensions that were not created for no such reason.
	unexplained []string
}

// live tries every image for amd64 out, with those that it requires.
func (c *corpus) live(t *testing.T, ses *session.Session) {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		t.Skip("the images are for amd64")
	}
	if c.postgres < 18 {
		t.Skipf("PostgreSQL %d has no extension_control_path", c.postgres)
	}
	start := time.Now()
	subjects := make([]subject, len(c.images))
	var all []imagetest.Subject
	for i, img := range c.images {
		trial := img.trial(t)
		subjects[i], all = subject{Subject: trial, tag: img.built.Tags[0]}, append(all, trial)
	}
	var group errgroup.Group
	group.SetLimit(2)
	lines := &liveLines{app: corpusApp()}
	for i, s := range subjects {
		group.Go(func() error {
			result, err := imagetest.New(ses).Test(t.Context(), imagetest.Request{
				Subject: s.Subject, Images: all, Report: func(c pgtest.Check) { lines.show(s, c) },
			})
			c.images[i].live = c.images[i].judgeLive(outcome{subject: s, Result: result})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d images were tried out in %.0f seconds", len(c.images), time.Since(start).Seconds())
	c.checkLive(t)
}

// trial is the image's architecture that is tried out.
func (i corpusImage) trial(t *testing.T) imagetest.Subject {
	t.Helper()
	artifact, err := image.At(i.built.Path).Open(i.built.Tags[0])
	if err != nil {
		t.Fatal(err)
	}
	trials, err := imagetest.Subjects(artifact, i.name, i.recipe)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(trials, func(t imagetest.Subject) bool { return t.Metadata.Arch == "amd64" })
	if at < 0 {
		t.Fatalf("%s has no image for amd64", i.name)
	}
	return trials[at]
}

// judgeLive counts what was created, in another run with more preloaded at
// the least, and finds out why the rest was not.
func (i corpusImage) judgeLive(o outcome) tried {
	out := tried{Result: o.Result, extensions: len(o.Metadata.Extensions)}
	for _, e := range o.Metadata.Extensions {
		if slices.ContainsFunc(o.Checks, func(c pgtest.Check) bool {
			return c.Name == "create "+e.Name && (c.Status == pgtest.Pass || c.Status == pgtest.Note)
		}) {
			out.created++
			continue
		}
		excused := false
		for _, f := range i.built.Findings {
			if f.Code == "PGX033" && strings.HasSuffix(f.Path, "/"+e.Name+".control") || f.Code == "PGX034" {
				out.lacks, excused = append(out.lacks, f), true
			}
		}
		if !excused {
			out.unexplained = append(out.unexplained, e.Name)
		}
	}
	out.lacks = slices.CompactFunc(out.lacks, func(a, b finding.Finding) bool { return a.Text == b.Text })
	return out
}

// checkLive wants every image to pass, or a finding that says what the world
// lacks, and nearly all of them to pass.
func (c *corpus) checkLive(t *testing.T) {
	t.Helper()
	green := 0
	for _, i := range c.images {
		if !i.live.Failed() {
			green++
		}
		if i.live.Skipped() {
			t.Errorf("%s: not tried", i.name)
		}
		if len(i.live.unexplained) > 0 || i.live.Failed() && len(i.live.lacks) == 0 {
			t.Errorf("%s: not created: %v\n%s", i.name, i.live.unexplained, i.live.told())
		}
	}
	if green*100 < greenShare*len(c.images) {
		t.Errorf("%d of %d images pass, fewer than %d in a hundred", green, len(c.images), greenShare)
	}
}

// told are the checks that did not pass, a line each.
func (l tried) told() string {
	var lines []string
	for _, c := range l.Checks {
		if c.Status != pgtest.Pass {
			lines = append(lines, fmt.Sprintf("%s %s: %s", c.Status, c.Name, c.Detail))
		}
	}
	return strings.Join(lines, "\n")
}

// columns are those of the image's line in the table.
func (l tried) columns() string {
	notes := ""
	if n := l.Count(pgtest.Note); n > 0 {
		notes = fmt.Sprint(n)
	}
	created := ""
	if l.extensions > 0 {
		created = fmt.Sprintf("%d/%d", l.created, l.extensions)
	}
	return fmt.Sprintf("%s | %d/%d | %s", created, l.Count(pgtest.Pass), len(l.Checks), notes)
}

// liveTotals is the summary of all.
func (c *corpus) liveTotals() string {
	green, extensions, created, checks := 0, 0, 0, 0
	for _, i := range c.images {
		if !i.live.Failed() {
			green++
		}
		extensions, created, checks = extensions+i.live.extensions, created+i.live.created, checks+len(i.live.Checks)
	}
	return fmt.Sprintf("On a real server (amd64) **%d of %d images pass every check**, %d checks in all; **%d of %d extensions** were created.",
		green, len(c.images), checks, created, extensions)
}

// writeLive describes what did not pass: what the archives lack, and notes.
func (c *corpus) writeLive(b *strings.Builder) {
	b.WriteString("\n## On a real server\n\nChecks of `pgext test` that did not pass, for the images for amd64, each with the images it requires. " +
		"A *fail* or *skip* has a finding that names what the archives lack.\n\n| image | status | check | what | finding |\n|---|---|---|---|---|\n")
	for _, i := range c.images {
		for _, row := range i.live.rows() {
			fmt.Fprintf(b, "| %s | %s |\n", i.name, strings.Join(row, " | "))
		}
	}
}

// rows are what is told of an image: status, checks, what and a finding. Checks
// that say the same share one.
func (l tried) rows() [][]string {
	var rows [][]string
	for _, check := range l.Checks {
		if check.Status == pgtest.Pass {
			continue
		}
		excuse := ""
		if check.Status != pgtest.Note {
			excuse = l.excuse()
		}
		first, _, _ := strings.Cut(check.Detail, "\n")
		row := []string{string(check.Status), check.Name, strings.ReplaceAll(first, "|", "\\|"), excuse}
		if n := len(rows) - 1; n >= 0 && rows[n][0] == row[0] && rows[n][2] == row[2] {
			rows[n][1] += ", " + strings.TrimPrefix(row[1], commonWords(rows[n][1], row[1]))
			continue
		}
		rows = append(rows, row)
	}
	return rows
}

// commonWords is how both names begin: "update x " of the updates of x.
func commonWords(a, b string) string {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return b[:strings.LastIndexByte(b[:n], ' ')+1]
}

func (l tried) excuse() string {
	var out []string
	for _, f := range l.lacks {
		out = append(out, f.Code+": "+f.Text)
	}
	return strings.Join(out, "; ")
}
