package registry

import (
	"context"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Tags returns the tags of repo, HOST/NAME, sorted.
func (c *Client) Tags(ctx context.Context, repo string) ([]string, error) {
	op := func() ([]string, error) {
		r, err := name.NewRepository(repo)
		if err != nil {
			return nil, err
		}
		s, err := c.session(ctx, r, transport.PullScope)
		if err != nil {
			return nil, err
		}
		return s.puller.List(ctx, r)
	}
	tags, err := op()
	slices.Sort(tags)
	return tags, wrap("listing the tags of", repo, err)
}
