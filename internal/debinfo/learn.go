package debinfo

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/pgext/pgext/debextract"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
)

// open opens the package in the cache. Set-user-ID programs are let through:
// half of a base system's packages have one, and none is ever kept.
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

// learn passes over a package, stores what keep wants, and records the facts.
func (s *Store) learn(ctx context.Context, sha256 string, keep Keep) (*facts, error) {
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
	l := &learner{keep: keep, scan: scanner{cache: s.cache}, index: map[string]int{}, facts: facts{
		control: control.Paragraph, scripts: control.Scripts, objects: map[string]elf.Object{}, malformed: map[string]string{},
	}}
	if err := p.Walk(ctx, l.entry); err != nil {
		return nil, err
	}
	l.facts.sort()
	record, err := encode(&l.facts)
	if err != nil {
		return nil, err
	}
	if err := s.cache.PutRecord(recordKind, sha256, record); err != nil {
		return nil, err
	}
	s.options.Log.Debug("learnt a package", "package", l.facts.control.Get("Package"), "sha256", sha256,
		"entries", len(l.facts.entries), "record", len(record), "took", time.Since(start))
	return &l.facts, nil
}

// learner collects facts, entry by entry.
type learner struct {
	keep  Keep
	scan  scanner
	facts facts
	// index holds where the entry of a path is.
	index map[string]int
}

func (l *learner) entry(e debextract.Entry, r io.Reader) error {
	if i, ok := l.index[e.Path]; ok {
		l.facts.entries[i] = e.Entry // a directory may come twice; tar lets the last one win
		return nil
	}
	switch {
	case e.Kind != filetree.File:
	case e.HardLink != "":
		l.link(&e)
	default:
		if err := l.file(&e.Entry, r); err != nil {
			return fmt.Errorf("reading %s: %w", e.Path, err)
		}
	}
	l.index[e.Path] = len(l.facts.entries)
	l.facts.entries = append(l.facts.entries, e.Entry)
	return nil
}

// link copies what is known of a hard link's target.
func (l *learner) link(e *debextract.Entry) {
	e.SHA256 = l.facts.entries[l.index[e.HardLink]].SHA256
	if o, ok := l.facts.objects[e.HardLink]; ok {
		l.facts.objects[e.Path] = o
	}
	if problem, ok := l.facts.malformed[e.HardLink]; ok {
		l.facts.malformed[e.Path] = problem
	}
}

func (l *learner) file(e *filetree.Entry, r io.Reader) error {
	found, err := l.scan.file(r, e.Size, !privileged(*e) && l.keep(*e))
	if err != nil {
		return err
	}
	e.SHA256 = found.sha256
	if found.object != nil {
		l.facts.objects[e.Path] = *found.object
	}
	if found.malformed != "" {
		l.facts.malformed[e.Path] = found.malformed
	}
	return nil
}

// extract passes over a package whose facts are known and stores the files
// with the missing digests. It stops at the last of them.
func (s *Store) extract(ctx context.Context, sha256 string, f *facts, missing map[string]bool) error {
	p, closer, err := s.open(sha256)
	if err != nil {
		return err
	}
	defer closer.Close()
	digests := make(map[string]string, len(f.entries))
	for _, e := range f.entries {
		if missing[e.SHA256] {
			digests[e.Path] = e.SHA256
		}
	}
	scan := scanner{cache: s.cache}
	err = p.Walk(ctx, func(e debextract.Entry, r io.Reader) error {
		digest := digests[e.Path]
		if e.Kind != filetree.File || e.HardLink != "" || !missing[digest] {
			return nil
		}
		if err := scan.extract(r, digest); err != nil {
			return fmt.Errorf("extracting %s: %w", e.Path, err)
		}
		if delete(missing, digest); len(missing) == 0 {
			return fs.SkipAll
		}
		return nil
	})
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("%d files are not where they were learnt to be", len(missing))
	}
	return err
}
