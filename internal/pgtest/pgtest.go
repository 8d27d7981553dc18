package pgtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/sandbox"
)

// Image is an unpacked extension image.
type Image struct {
	Metadata metadata.Metadata
	// Dir is the folder that is mounted.
	Dir string
}

// Input is what is tested.
type Input struct {
	// Root is the root file system of the operand.
	Root string
	// Emulator runs its programs; nil when this machine does.
	Emulator *sandbox.Emulator
	// Postgres is its major, Version its upstream version, such as "18.6".
	Postgres int
	Version  string
	// Image is the one under test. Others are mounted beside it, as many as it
	// requires.
	Image  Image
	Others []Image
	// Lacking are extensions that the image requires and no image has. What
	// requires them is not tried.
	Lacking []string
	// Script is a psql script that runs after the extensions were created; ""
	// when there is none.
	Script string
	// Preload are libraries that are preloaded although no image says so.
	Preload []string
	// Suite is a regression suite that runs as well, on a server of its own;
	// nil is none.
	Suite *Suite
}

// Options say how images are tested. Cache is required.
type Options struct {
	Cache *cache.Cache
	// Timeout is how long Script may take, and each test of Suite; 0 is 2
	// minutes for the one and 5 for the others. An emulator gets ten times as
	// long.
	Timeout time.Duration
	// Report is told of each check as soon as it is known; nil discards.
	Report func(Check)
}

// rounds is how often a test is repeated with what the last one said must be
// preloaded.
const rounds = 3

// Run tests an image. Whatever is wrong with it is in the Result; the error
// says that it could not be tested.
func Run(ctx context.Context, in Input, o Options) (Result, error) {
	if in.Suite == nil {
		return checks(ctx, in, o)
	}
	suite, err := openSuite(ctx, in, o)
	if err != nil {
		return Result{}, err
	}
	defer suite.server.close()
	result, err := checks(ctx, in, o)
	if err == nil {
		err = suite.into(ctx, &result)
	}
	return result, err
}

// checks tests an image, and if need be again with more preloaded.
func checks(ctx context.Context, in Input, o Options) (Result, error) {
	result, missing, err := once(ctx, in, o)
	if err != nil || !result.Failed() {
		return result, err
	}
	silent := o
	silent.Report = nil
	more, best := in, result
	for range rounds {
		before := len(more.Preload)
		more.Preload = appendNew(more.Preload, missing...)
		if len(more.Preload) == before {
			break
		}
		if best, missing, err = once(ctx, more, silent); err != nil {
			return result, err
		}
	}
	if best.Count(Fail) < result.Count(Fail) && best.Count(Pass) >= result.Count(Pass) {
		result.Advice = append(preloadAdvice(more, best), result.Advice...)
		excuse(&result, best, in.Image.Metadata, more.Preload)
	}
	return result, nil
}

// excuse turns failures to create an extension that manifests do not ask for
// into notes, where more preloaded libraries are all that it takes.
func excuse(result *Result, best Result, m metadata.Metadata, preloaded []string) {
	for i, c := range result.Checks {
		name, create := strings.CutPrefix(c.Name, "create ")
		passes := slices.ContainsFunc(best.Checks, func(b Check) bool { return b.Name == c.Name && b.Status == Pass })
		if c.Status == Fail && create && passes && len(m.Create) > 0 && name != together && !slices.Contains(m.Create, name) {
			result.Checks[i].Status = Note
			result.Checks[i].Detail = fmt.Sprintf("not asked for by manifests; works with %s preloaded", strings.Join(preloaded, ", "))
		}
	}
}

// once tests an image on one server. It returns the libraries that seem to
// have to be preloaded.
func once(ctx context.Context, in Input, o Options) (Result, []string, error) {
	s, err := newServer(ctx, in, o)
	if err != nil {
		return Result{}, nil, err
	}
	defer s.close()
	r := &run{in: in, options: o, server: s}
	if err := r.all(ctx); err != nil {
		return Result{}, nil, err
	}
	r.result.Log = []byte(s.log.since(0))
	r.result.Advice = r.advice
	return r.result, r.preload, nil
}

// images are all images as a Cluster would list them: what is required first.
func (in Input) images() []Image {
	byName := map[string]Image{in.Image.Metadata.Name: in.Image}
	all := []metadata.Metadata{in.Image.Metadata}
	for _, i := range in.Others {
		byName[i.Metadata.Name] = i
		all = append(all, i.Metadata)
	}
	var out []Image
	for _, m := range metadata.InOrder(all) {
		out = append(out, byName[m.Name])
	}
	return out
}

func appendNew(list []string, more ...string) []string {
	out := slices.Clone(list)
	for _, m := range more {
		if !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	return out
}
