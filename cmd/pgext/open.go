package main

import (
	"strconv"
	"time"

	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/registry"
	"github.com/pgext/pgext/internal/session"
)

// registryClient talks to the registries that arguments and flags name.
func (a *app) registryClient() *registry.Client {
	return registry.New(registry.Options{
		Jobs: a.global.jobs, UserAgent: "pgext/" + versionString(), Log: a.logger(), Backoff: a.patience,
	})
}

// newSession returns the session that the flags describe.
func (a *app) newSession(r resolvingFlags, i imageFlags) (*session.Session, error) {
	mirrors, err := r.parse()
	if err != nil {
		return nil, err
	}
	annotations, err := i.parse()
	if err != nil {
		return nil, err
	}
	epoch, err := a.sourceDateEpoch()
	if err != nil {
		return nil, err
	}
	c, err := a.openCache()
	if err != nil {
		return nil, err
	}
	var operands session.Resolver // of base: image:REF
	if !a.global.offline {
		operands = a.registryClient()
	}
	return session.New(session.Options{
		Registry:     operands,
		Cache:        c,
		Fetcher:      fetch.New(c, a.fetchOptions()),
		Jobs:         a.global.jobs,
		Archives:     r.archives,
		Mirrors:      mirrors,
		AllowExpired: r.allowExpired,
		Annotations:  annotations,
		Compression:  image.Compression(i.compression),
		Revision:     i.revision,
		Epoch:        epoch,
		Program:      programIdentity(),
		Maker:        maker(),
		Log:          a.logger(),
	}), nil
}

// openRecipes returns the session that the flags describe, and loads the recipes
// that arguments name.
func (a *app) openRecipes(args []string, r resolvingFlags, i imageFlags) (*session.Session, []*recipe.Recipe, error) {
	s, err := a.newSession(r, i)
	if err != nil {
		return nil, nil, err
	}
	recipes, err := loadRecipes(args)
	if err != nil {
		return nil, nil, err
	}
	return s, recipes, r.checkMirrors(recipes)
}

// openCache opens what --cache-dir names, else the user's own.
func (a *app) openCache() (*cache.Cache, error) {
	dir := a.global.cacheDir
	if dir == "" {
		var err error
		if dir, err = cache.DefaultDir(); err != nil {
			return nil, err
		}
	}
	return cache.Open(dir)
}

func (a *app) fetchOptions() fetch.Options {
	return fetch.Options{
		Jobs:      a.global.jobs,
		Offline:   a.global.offline,
		UserAgent: "pgext/" + versionString(),
		Log:       a.logger(),
		Progress:  a.progress(),
	}
}

// lastSecond is the end of the year 9999, the last that RFC 3339 can write.
const lastSecond = 253402300799

// sourceDateEpoch returns the time of SOURCE_DATE_EPOCH, in seconds since
// 1970, or nil when it is not set
// (https://reproducible-builds.org/specs/source-date-epoch/).
func (a *app) sourceDateEpoch() (*time.Time, error) {
	text, ok := a.getenv("SOURCE_DATE_EPOCH")
	if !ok || text == "" {
		return nil, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 || seconds > lastSecond {
		return nil, usageErrorf("SOURCE_DATE_EPOCH=%q: not a number of seconds since 1970", text)
	}
	at := time.Unix(seconds, 0).UTC()
	return &at, nil
}
