package sign

import (
	"context"
	"errors"
	"fmt"
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

// ReadSigningConfig reads a signing config (sigstore's media type 0.2). The
// error is a *TrustFileError.
func ReadSigningConfig(text []byte) (*SigningConfig, error) {
	c, err := readSigningConfig(text)
	if err != nil {
		return nil, &TrustFileError{What: "signing config", Err: err, hint: signingConfigHint}
	}
	return c, nil
}

// LoadSigningConfig reads the file called name as ReadSigningConfig does.
func LoadSigningConfig(name string) (*SigningConfig, error) {
	text, err := readTrustFile(name, maxRootFile)
	if err == nil {
		var c *SigningConfig
		if c, err = readSigningConfig(text); err == nil {
			return c, nil
		}
	}
	return nil, &TrustFileError{What: "signing config", File: name, Err: err, hint: signingConfigHint}
}

func readSigningConfig(text []byte) (*SigningConfig, error) {
	if len(text) > maxRootFile {
		return nil, errors.New("too large")
	}
	c := &SigningConfig{}
	err := safely(func() error {
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
		return nil, &RootError{
			What: "signing config", Mirror: o.complete().Mirror, Err: err,
			hint: "--signing-config takes a file; --fulcio-url, --rekor-url name services without one",
		}
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
	all := offered{"Rekor", c.config.RekorLogURLs(), c.logsCounted, c.config.RekorLogURLsConfig}
	logs, err := all.choose(wanted, now)
	if err != nil {
		return Services{}, err
	}
	for _, l := range logs {
		s.Logs = append(s.Logs, Log{l.URL, int(l.MajorAPIVersion)})
	}
	all = offered{"a timestamp authority", c.config.TimestampAuthorityURLs(), c.timestampsCounted, c.config.TimestampAuthorityURLsConfig}
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
		return "", unfit("Fulcio", []uint32{fulcioVersion}, now)
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
		return nil, &ServicesError{Reason: "the signing config does not say how many to use of " + o.kind}
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
	return &ServicesError{
		Reason: fmt.Sprintf("the signing config has no fitting number of %s of version %v for %s", kind, versions, stamp(now)),
		hint:   "--fulcio-url, --rekor-url with --rekor-version, --timestamp-url name services without it",
	}
}
