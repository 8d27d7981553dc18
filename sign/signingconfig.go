package sign

import (
	"context"
	"errors"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
)

// Versions of Fulcio's and the timestamp authorities' APIs, as signing configs
// count them, that are spoken here.
const (
	fulcioVersion    = 1
	timestampVersion = 1
)

// Files of a TUF repository that name services. The public one has the second
// for those who want a log of version 2 before it is what everybody uses.
const (
	signingConfigTarget      = "signing_config.v0.2.json"
	tiledSigningConfigTarget = "signing_config_rekor_v2.v0.2.json"
)

const signingConfigHint = "cosign signing-config create writes one for services of your own"

// SigningConfig names the services of a deployment that sign, the versions of
// their APIs, how many of them to use.
type SigningConfig struct {
	config *root.SigningConfig
	// counted tells whether it says how many logs and authorities to use.
	logsCounted, timestampsCounted bool
}

// LoadSigningConfig reads a signing config (sigstore's media type 0.2).
func LoadSigningConfig(name string) (*SigningConfig, error) {
	return loadFile("signing config", name, signingConfigHint, maxRootFile, readSigningConfig)
}

func readSigningConfig(text []byte) (*SigningConfig, error) {
	if len(text) > maxRootFile {
		return nil, errors.New("too large")
	}
	c := &SigningConfig{}
	err := recoverPanic(func() error {
		message, err := root.NewSigningConfigProtobuf(text)
		if err != nil {
			return err
		}
		c.logsCounted, c.timestampsCounted = message.GetRekorTlogConfig() != nil, message.GetTsaConfig() != nil
		c.config, err = root.NewSigningConfigFromProtobuf(message)
		return err
	})
	return c, err
}

// FetchSigningConfig returns what a deployment's TUF repository says of the
// services to sign with. version is that of Rekor's API which is wanted, 0
// whichever the deployment recommends. The error is a *RootError.
func FetchSigningConfig(ctx context.Context, o RootOptions, version int) (*SigningConfig, error) {
	names := []string{signingConfigTarget}
	if version == rekorTiles {
		names = []string{tiledSigningConfigTarget, signingConfigTarget}
	}
	var c *SigningConfig
	err := fetchTarget(ctx, o, names, func(text []byte) (err error) {
		c, err = readSigningConfig(text)
		return err
	})
	if err != nil {
		return nil, repositoryError("signing config", o.complete().Mirror, "pass a file with --signing-config, or name services with --fulcio-url and --rekor-url", err)
	}
	return c, nil
}

// Services returns the services to use at now. versions are those of Rekor's
// API that will do, the highest is preferred; none means all that are known
// here. Where several serve equally, one is drawn. The error is a
// *ServicesError.
func (c *SigningConfig) Services(now time.Time, versions ...int) (Services, error) {
	var s Services
	var err error
	if s.FulcioURL, err = c.authority(now); err != nil {
		return Services{}, err
	}
	if len(versions) == 0 {
		versions = []int{rekorTrees, rekorTiles}
	}
	wanted := make([]uint32, len(versions))
	for i, v := range versions {
		wanted[i] = uint32(v)
	}
	all := offered{rekorName, c.config.RekorLogURLs(), c.logsCounted, c.config.RekorLogURLsConfig}
	logs, err := all.choose(wanted, now)
	if err != nil {
		return Services{}, err
	}
	for _, l := range logs {
		s.Logs = append(s.Logs, Log{l.URL, int(l.MajorAPIVersion)})
	}
	all = offered{authorityName, c.config.TimestampAuthorityURLs(), c.timestampsCounted, c.config.TimestampAuthorityURLsConfig}
	stampers, err := all.choose([]uint32{timestampVersion}, now)
	for _, t := range stampers {
		s.TimestampURLs = append(s.TimestampURLs, t.URL)
	}
	return s, err
}

func (c *SigningConfig) authority(now time.Time) (string, error) {
	all := c.config.FulcioCertificateAuthorityURLs()
	if len(all) == 0 {
		return "", nil
	}
	chosen, err := root.SelectService(all, []uint32{fulcioVersion}, now)
	if err != nil {
		return "", unfit(fulcioName, []uint32{fulcioVersion}, now)
	}
	return chosen.URL, nil
}

// offered are services of one kind.
type offered struct {
	kind    string
	all     []root.Service
	counted bool
	count   func() root.ServiceConfiguration
}

// choose returns those to use; none where none is offered.
func (o offered) choose(versions []uint32, now time.Time) ([]root.Service, error) {
	if len(o.all) == 0 {
		return nil, nil
	}
	if !o.counted {
		return nil, servicesError("", "the signing config has no number of services to use for %s", o.kind)
	}
	// One of several operators serves as well as another, unless the choice is
	// left to nobody: sigstore-go draws.
	chosen, err := root.SelectServices(o.all, o.count(), versions, now)
	if err != nil {
		return nil, unfit(o.kind, versions, now)
	}
	return chosen, nil
}

func unfit(kind string, versions []uint32, now time.Time) error {
	return servicesError("name services with --fulcio-url, --rekor-url with --rekor-version, and --timestamp-url",
		"the signing config has too few services of kind %s, API version %v, at %s", kind, versions, stamp(now))
}
