package main

import (
	"cmp"
	"context"
	"time"

	"github.com/spf13/pflag"

	"github.com/pgext/pgext/sign"
)

// serviceFlags say which services vouch for signatures.
type serviceFlags struct {
	fulcio    string
	rekor     string
	version   int
	timestamp string
	config    string
	tufFlags
}

func (s *serviceFlags) bind(fs *pflag.FlagSet) {
	fs.StringVar(&s.fulcio, "fulcio-url", "", "certificate authority for identities; default: from the signing config")
	fs.StringVar(&s.rekor, "rekor-url", "", "transparency log; none: no log; default: from the signing config with --keyless, none with --key")
	fs.IntVar(&s.version, "rekor-version", 0, "API of the log, 1 or 2; default: 1 with --rekor-url, else from the signing config; 2 needs a timestamp authority")
	fs.StringVar(&s.timestamp, "timestamp-url", "", "timestamp authority (RFC 3161); none: no authority; default: none with --rekor-url, else from the signing config")
	fs.StringVar(&s.config, "signing-config", "", "JSON file that names the services of a deployment; default with --keyless: that of --tuf-mirror")
	s.tufFlags.bind(fs)
}

// none is how a flag says that a service is not used.
const none = "none"

// names reports whether a flag is the address of a service.
func names(address string) bool { return address != "" && address != none }

// check refuses flags that do not go together.
func (s serviceFlags) check(given func(string) bool, keyless bool, format string) error {
	if err := s.tufFlags.check(given); err != nil {
		return err
	}
	if err := notEmpty(given, map[string]string{"signing-config": s.config}); err != nil {
		return err
	}
	switch {
	case s.config != "" && s.mirror != "":
		return usageErrorf("--signing-config and --tuf-mirror: one of them is too much")
	case s.version < 0 || s.version > 2 || s.version == 0 && given("rekor-version"):
		return usageErrorf("--rekor-version is 1 or 2")
	case s.version == 0:
		return nil
	case !names(s.rekor) && !s.configured(keyless):
		return usageErrorf("--rekor-version needs a log: --rekor-url, --signing-config or --keyless")
	case s.version == 2 && format != string(sign.FormatBundle):
		return usageErrorf("--rekor-version 2 needs --signature-format bundle: other signatures have no room for an entry of such a log")
	case s.version == 2 && (s.timestamp == none || s.timestamp == "" && names(s.rekor)):
		return usageErrorf("--rekor-version 2 needs --timestamp-url: entries of such a log have no time")
	}
	return nil
}

// configured reports whether a signing config names some of the services.
func (s serviceFlags) configured(keyless bool) bool {
	return s.config != "" || s.mirror != "" || keyless && (s.fulcio == "" || s.rekor == "")
}

// asked reports whether a service is asked for by name.
func (s serviceFlags) asked() bool {
	return names(s.rekor) || names(s.timestamp) || s.config != "" || s.mirror != ""
}

// services are those that flags name, and for the rest those of the signing
// config. A log that is named comes without the config's authorities.
func (a *app) services(ctx context.Context, f signingFlags) (sign.Services, error) {
	s := sign.Services{}
	if f.configured(f.keyless) {
		c, err := a.signingConfig(ctx, f.serviceFlags)
		if err != nil {
			return s, err
		}
		if s, err = c.Services(time.Now(), f.versions()...); err != nil {
			return s, err
		}
	}
	s.FulcioURL = cmp.Or(f.fulcio, s.FulcioURL)
	switch {
	case f.rekor == none:
		s.Logs = nil
	case f.rekor != "":
		s.Logs, s.TimestampURLs = []sign.Log{{URL: f.rekor, Version: f.version}}, nil
	}
	switch {
	case f.timestamp == none:
		s.TimestampURLs = nil
	case f.timestamp != "":
		s.TimestampURLs = []string{f.timestamp}
	}
	return s, nil
}

// versions are those of the log's API that will do: a legacy signature has room
// for version 1 only.
func (f signingFlags) versions() []int {
	switch {
	case f.version != 0:
		return []int{f.version}
	case f.format != string(sign.FormatBundle):
		return []int{1}
	}
	return nil
}

// signingConfig reads the file that is named, else what the deployment
// publishes.
func (a *app) signingConfig(ctx context.Context, s serviceFlags) (*sign.SigningConfig, error) {
	if s.config != "" {
		return sign.LoadSigningConfig(s.config)
	}
	o, err := a.deployment(s.tufFlags)
	if err != nil {
		return nil, err
	}
	return sign.FetchSigningConfig(ctx, o, s.version)
}
