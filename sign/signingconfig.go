package sign

import (
	"context"
	"errors"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
)

// The supported API versions of Fulcio and timestamp authorities, as numbered in
// signing configs.
const (
	fulcioVersion    = 1
	timestampVersion = 1
)

// Files of a TUF repository with the services to sign with. In the public
// repository, the second lists a log of version 2 while the first does not yet.
const (
	signingConfigTarget      = "signing_config.v0.2.json"
	tiledSigningConfigTarget = "signing_config_rekor_v2.v0.2.json"
)

const signingConfigHint = "run cosign signing-config create for a file with your own services"

// SigningConfig lists the services of a deployment with their API versions, and how
// many of them to use.
type SigningConfig struct {
	config *root.SigningConfig
	// These are true if the config has the number of logs and of timestamp
	// authorities to use.
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

// FetchSigningConfig returns the signing config in the TUF repository of a
// deployment. version is the required version of the Rekor API; 0 means the one that
// the deployment recommends.
func FetchSigningConfig(ctx context.Context, o RootOptions, version int) (*SigningConfig, error) {
	names := []string{signingConfigTarget}
	if version == rekorV2 {
		names = []string{tiledSigningConfigTarget, signingConfigTarget}
	}
	var c *SigningConfig
	err := fetchTarget(ctx, o, names, func(text []byte) (err error) {
		c, err = readSigningConfig(text)
		return err
	})
	if err != nil {
		return nil, repositoryError("signing config", o.complete().Mirror, "pass a file with --signing-config, or the services with --fulcio-url and --rekor-url", err)
	}
	return c, nil
}

// Services selects the services to use at the time now. versions are the allowed
// versions of the Rekor API, of which the highest is preferred; none means all that
// are supported. Among equivalent services the choice is random.
func (c *SigningConfig) Services(now time.Time, versions ...int) (Services, error) {
	var s Services
	var err error
	if s.FulcioURL, err = c.authority(now); err != nil {
		return Services{}, err
	}
	if len(versions) == 0 {
		versions = []int{rekorV1, rekorV2}
	}
	wanted := make([]uint32, len(versions))
	for i, v := range versions {
		wanted[i] = uint32(v)
	}
	all := serviceList{rekorName, c.config.RekorLogURLs(), c.logsCounted, c.config.RekorLogURLsConfig}
	logs, err := all.choose(wanted, now)
	if err != nil {
		return Services{}, err
	}
	for _, l := range logs {
		s.Logs = append(s.Logs, Log{l.URL, int(l.MajorAPIVersion)})
	}
	all = serviceList{authorityName, c.config.TimestampAuthorityURLs(), c.timestampsCounted, c.config.TimestampAuthorityURLsConfig}
	authorities, err := all.choose([]uint32{timestampVersion}, now)
	for _, t := range authorities {
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
		return "", noService(fulcioName, []uint32{fulcioVersion}, now)
	}
	return chosen.URL, nil
}

// serviceList has the services of one kind.
type serviceList struct {
	kind string
	all  []root.Service
	// counted is true if the config has a number of services to use, count.
	counted bool
	count   func() root.ServiceConfiguration
}

// choose selects the services to use; none if the list is empty.
func (l serviceList) choose(versions []uint32, now time.Time) ([]root.Service, error) {
	if len(l.all) == 0 {
		return nil, nil
	}
	if !l.counted {
		return nil, servicesError("", "the signing config does not define how many services of kind %s to use", l.kind)
	}
	chosen, err := root.SelectServices(l.all, l.count(), versions, now)
	if err != nil {
		return nil, noService(l.kind, versions, now)
	}
	return chosen, nil
}

func noService(kind string, versions []uint32, now time.Time) error {
	return servicesError("pass --fulcio-url, --rekor-url with --rekor-version, and --timestamp-url",
		"the signing config has too few services of kind %s, API version %v, at %s", kind, versions, stamp(now))
}
