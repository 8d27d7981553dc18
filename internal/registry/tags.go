package registry

import (
	"context"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Tags lists the tags of repo, HOST/NAME, sorted.
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

// Reference is the reference of the image in repo (HOST/NAME) that a tag or a
// digest names.
func Reference(repo, name string) string {
	if _, err := v1.NewHash(name); err == nil {
		return repo + "@" + name
	}
	return repo + ":" + name
}

// Split takes ref, HOST/NAME[:TAG][@DIGEST], apart into its repository and what
// stands behind it, "" or with the character that leads it in.
func Split(ref string) (repo, rest string) {
	repo, digest, pinned := strings.Cut(ref, "@")
	if pinned {
		rest = "@" + digest
	}
	if i := strings.LastIndexByte(repo, ':'); i > strings.LastIndexByte(repo, '/') {
		repo, rest = repo[:i], repo[i:]+rest
	}
	return repo, rest
}
