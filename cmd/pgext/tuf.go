package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/pgext/pgext/internal/redact"
	"github.com/pgext/pgext/sign"
)

// tufFlags say who publishes what a deployment of sigstore is made of.
type tufFlags struct {
	mirror string
	root   string
}

func (t *tufFlags) bind(fs *pflag.FlagSet) {
	fs.StringVar(&t.mirror, "tuf-mirror", "", "TUF repository of a deployment of sigstore; default: the public one")
	fs.StringVar(&t.root, "tuf-root", "", "root.json that --tuf-mirror is trusted by")
}

func (t tufFlags) check(given func(string) bool) error {
	if err := notEmpty(given, map[string]string{"tuf-mirror": t.mirror, "tuf-root": t.root}); err != nil {
		return err
	}
	if (t.mirror == "") != (t.root == "") {
		return usageErrorf("--tuf-mirror and --tuf-root need each other: where the files are, and whose word counts for them")
	}
	return nil
}

// deployment is where files of sigstore come from, and where they are kept.
func (a *app) deployment(t tufFlags) (sign.RootOptions, error) {
	c, err := a.openCache()
	if err != nil {
		return sign.RootOptions{}, err
	}
	o := sign.RootOptions{
		Cache: filepath.Join(c.Dir(), "trusted-root"), Mirror: t.mirror, Offline: a.global.offline, Agent: "pgext/" + versionString(),
	}
	if t.root != "" {
		if o.Anchor, err = os.ReadFile(t.root); err != nil {
			return o, fmt.Errorf("reading the root of %s: %w", redact.Address(t.mirror), err)
		}
	}
	return o, nil
}
