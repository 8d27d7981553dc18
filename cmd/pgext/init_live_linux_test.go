package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/initrecipe"
	"github.com/pgext/pgext/internal/probe"
	"github.com/pgext/pgext/internal/session"
)

// TestLiveDiscover has a server find out again what the files of a package say.
func TestLiveDiscover(t *testing.T) {
	args := liveArgs(t)
	c, err := cache.Open(args[len(args)-1])
	if err != nil {
		t.Fatal(err)
	}
	b := initrecipe.New(session.New(session.Options{Cache: c, Fetcher: fetch.New(c, fetch.Options{}), AllowExpired: true}))
	ask := initrecipe.Ask{Distro: "forky", Postgres: 18}
	facts, err := b.Probe(t.Context(), ask, []string{"pg-stat-kcache"})
	if err != nil {
		t.Fatal(err)
	}
	read := facts
	if len(read.SharedPreloadLibraries) == 0 || len(read.Parameters) == 0 {
		t.Fatalf("the files say nothing any more: %+v", read)
	}
	facts.SharedPreloadLibraries, facts.Parameters = nil, nil
	d, err := b.Discover(t.Context(), ask, facts, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d.Result.Failed() {
		t.Errorf("fails with what was learnt: %+v", d.Result.Checks)
	}
	if diff := cmp.Diff(said(d.Facts), said(read)); diff != "" {
		t.Errorf("what the server taught (-got +want):\n%s", diff)
	}
	for _, item := range d.Facts.SharedPreloadLibraries {
		if item.Guess || !strings.HasPrefix(item.How, "found out by trying it out: ") {
			t.Errorf("%+v", item)
		}
	}
}

// said is what a recipe says, without how it is known.
func said(f probe.Facts) []string {
	var out []string
	for _, item := range f.SharedPreloadLibraries {
		out = append(out, "preload "+item.Value)
	}
	for _, p := range f.Parameters {
		out = append(out, p.Name+" = "+p.Value)
	}
	return out
}

// TestLiveInit writes the recipe of a package that needs nothing.
func TestLiveInit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "recipe.yaml")
	code, stdout, stderr := live(t, "init", "pgvector", "--distro", "forky", "--probe", "--output", path)
	if code != 0 || stdout != path+"\n" || !strings.Contains(stderr, "pgvector: tried out: 7 of 7 checks pass\n") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if code, _, stderr := live(t, "init", "pgvector", "--require-image", "dist/x"); code != 1 || !strings.Contains(stderr, "--require-image needs --probe") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}
