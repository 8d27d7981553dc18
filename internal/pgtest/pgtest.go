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
	// Dir is the folder that the server mounts.
	Dir string
}

// Input is one image with the server to test it on.
type Input struct {
	// Root is the folder of the operand's root file system.
	Root string
	// Emulator runs its programs; nil if this machine runs them.
	Emulator *sandbox.Emulator
	// Postgres is the major version of its PostgreSQL, Version the upstream
	// version, such as "18.6".
	Postgres int
	Version  string
	// Image is the image under test, Others are the images that it requires. The
	// server mounts all of them.
	Image  Image
	Others []Image
	// Lacking are extensions that the image requires and no image has. Extensions
	// that require them are not created.
	Lacking []string
	// Script is a psql script to run after the extensions were created; "" for
	// none.
	Script string
	// Preload are libraries to preload in addition to those of the images.
	Preload []string
	// Suite is a regression suite to run on a second server; nil for none.
	Suite *Suite
}

// Options configure a test. Cache is required.
type Options struct {
	Cache *cache.Cache
	// Timeout is the time limit of Script and of each test of Suite; 0 means 2
	// minutes for Script and 5 minutes for a test. With an emulator all limits are
	// ten times as long.
	Timeout time.Duration
	// Report is called with each check when it is finished; nil discards.
	Report func(Check)
}

// retries is how often a test is repeated with more libraries preloaded.
const retries = 3

// Run tests an image. The faults of the image are in the Result; an error means
// that it could not be tested.
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
		err = suite.addTo(ctx, &result)
	}
	return result, err
}

// checks tests an image. If a check fails it repeats the test with the libraries
// preloaded that the server's messages name, and turns the result into advice.
func checks(ctx context.Context, in Input, o Options) (Result, error) {
	result, missing, err := once(ctx, in, o)
	if err != nil || !result.Failed() {
		return result, err
	}
	silent := o
	silent.Report = nil
	more, best := in, result
	for range retries {
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
		noteOptional(&result, best, in.Image.Metadata, more.Preload)
	}
	return result, nil
}

// noteOptional turns the failure of an extension that manifests do not create into
// a note, if the extension works with more libraries preloaded.
func noteOptional(result *Result, best Result, m metadata.Metadata, preloaded []string) {
	for i, c := range result.Checks {
		name, create := strings.CutPrefix(c.Name, "create ")
		passes := slices.ContainsFunc(best.Checks, func(b Check) bool { return b.Name == c.Name && b.Status == Pass })
		if c.Status == Fail && create && passes && len(m.Create) > 0 && name != together && !slices.Contains(m.Create, name) {
			result.Checks[i].Status = Note
			result.Checks[i].Detail = fmt.Sprintf("manifests do not create it; works with %s preloaded", strings.Join(preloaded, ", "))
		}
	}
}

// once tests an image on one server. It also returns the libraries that may have
// to be preloaded.
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

// images returns all images, each after those that it requires, as a Cluster lists
// them.
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

// metadata returns the metadata of all images, in the order of images.
func (in Input) metadata() []metadata.Metadata {
	var out []metadata.Metadata
	for _, i := range in.images() {
		out = append(out, i.Metadata)
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
