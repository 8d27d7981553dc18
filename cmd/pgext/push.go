package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/registry"
)

// repository is where an image goes below REPO.
func repository(repo, name string) string {
	return strings.TrimSuffix(repo, "/") + "/" + name
}

func (a *app) registryClient() *registry.Client {
	return registry.New(registry.Options{
		Jobs: a.global.jobs, UserAgent: "pgext/" + versionString(), Log: a.logger(),
	})
}

// push publishes built images below repo, one after the other; the blobs of
// one go up in parallel.
func (a *app) push(ctx context.Context, images []builder.Image, repo string) error {
	client := a.registryClient()
	for _, i := range images {
		built, err := image.At(i.Path).Open(i.Digest) // whatever the tags name by now
		if err != nil {
			return err
		}
		if built.Index == nil {
			return fmt.Errorf("pushing %s: %s has no index", i.Name, i.Path)
		}
		if _, err := client.Push(ctx, repository(repo, i.Name), registry.Publication{
			Index: built.Index, Moving: i.Tags[:1], Immutable: i.Tags[1:],
		}); err != nil {
			return err
		}
	}
	return nil
}
