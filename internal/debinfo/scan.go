package debinfo

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/pgext/pgext/debextract"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
)

// open opens the package in the cache. Set-user-ID programs are allowed: many
// packages of a base system contain one, and none is ever kept.
func (s *Store) open(sha256 string) (*debextract.Package, io.Closer, error) {
	f, err := s.cache.Open(sha256)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	p, err := debextract.Open(f, info.Size(), debextract.Options{Jobs: s.options.Jobs, Budget: s.budget, AllowSetuid: true})
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return p, f, nil
}

// walk scans a package, stores the files that keep selects and the record.
func (s *Store) walk(ctx context.Context, sha256 string, keep Keep) (*record, error) {
	start := time.Now()
	p, closer, err := s.open(sha256)
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	control, err := p.Control()
	if err != nil {
		return nil, err
	}
	w := &walk{keep: keep, files: fileScanner{cache: s.cache}, index: map[string]int{}, record: record{
		Control: control.Paragraph.Fields(), Scripts: control.Scripts, Objects: map[string]elf.Object{}, Malformed: map[string]string{},
	}}
	if err := p.Walk(ctx, w.entry); err != nil {
		return nil, err
	}
	slices.SortFunc(w.record.Entries, func(a, b filetree.Entry) int { return strings.Compare(a.Path, b.Path) })
	data, err := w.record.encode()
	if err != nil {
		return nil, err
	}
	if err := s.cache.PutRecord(recordKind, sha256, data); err != nil {
		return nil, err
	}
	s.options.Log.Debug("scanned a package", "package", control.Paragraph.Get("Package"), "sha256", sha256,
		"entries", len(w.record.Entries), "record", len(data), "took", time.Since(start))
	return &w.record, nil
}

// walk fills a record, entry by entry.
type walk struct {
	keep   Keep
	files  fileScanner
	record record
	// index holds the position of each path in the record's entries.
	index map[string]int
}

func (w *walk) entry(e debextract.Entry, r io.Reader) error {
	if i, ok := w.index[e.Path]; ok {
		w.record.Entries[i] = e.Entry // a directory may be listed twice; in tar the last entry counts
		return nil
	}
	switch {
	case e.Kind != filetree.File:
	case e.HardLink != "":
		w.link(&e)
	default:
		if err := w.file(&e.Entry, r); err != nil {
			return fmt.Errorf("reading %s: %w", e.Path, err)
		}
	}
	w.index[e.Path] = len(w.record.Entries)
	w.record.Entries = append(w.record.Entries, e.Entry)
	return nil
}

// link copies the scan of a hard link's target.
func (w *walk) link(e *debextract.Entry) {
	e.SHA256 = w.record.Entries[w.index[e.HardLink]].SHA256
	if o, ok := w.record.Objects[e.HardLink]; ok {
		w.record.Objects[e.Path] = o
	}
	if problem, ok := w.record.Malformed[e.HardLink]; ok {
		w.record.Malformed[e.Path] = problem
	}
}

func (w *walk) file(e *filetree.Entry, r io.Reader) error {
	found, err := w.files.scan(r, e.Size, !privileged(*e) && w.keep(*e))
	if err != nil {
		return err
	}
	e.SHA256 = found.sha256
	if found.object != nil {
		w.record.Objects[e.Path] = *found.object
	}
	if found.malformed != "" {
		w.record.Malformed[e.Path] = found.malformed
	}
	return nil
}

// extract walks a scanned package and stores the files with the missing digests.
// It stops after the last of them.
func (s *Store) extract(ctx context.Context, sha256 string, f *record, missing map[string]bool) error {
	s.options.Log.Debug("extracting more files of a package", "sha256", sha256, "files", len(missing))
	p, closer, err := s.open(sha256)
	if err != nil {
		return err
	}
	defer closer.Close()
	digests := make(map[string]string, len(f.Entries))
	for _, e := range f.Entries {
		if missing[e.SHA256] {
			digests[e.Path] = e.SHA256
		}
	}
	files := fileScanner{cache: s.cache}
	err = p.Walk(ctx, func(e debextract.Entry, r io.Reader) error {
		digest := digests[e.Path]
		if e.Kind != filetree.File || e.HardLink != "" || !missing[digest] {
			return nil
		}
		if err := files.extract(r, digest); err != nil {
			return fmt.Errorf("extracting %s: %w", e.Path, err)
		}
		if delete(missing, digest); len(missing) == 0 {
			return fs.SkipAll
		}
		return nil
	})
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("%d files differ from the first scan of the package", len(missing))
	}
	return err
}
