package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pgext/pgext/internal/judge"
	"github.com/pgext/pgext/internal/session"
	"github.com/pgext/pgext/internal/verify"
	"github.com/pgext/pgext/sign"
)

// trustFlags say whose signatures count.
type trustFlags struct {
	keys           []string
	identity       sign.Identity
	trustedRoot    string
	requireLog     bool
	ignoreLog      bool
	ignoreSCT      bool
	timestamp      bool
	documentsAlone bool
	tufFlags
	// given reports whether a flag was.
	given func(string) bool
}

func (t *trustFlags) bind(fs *pflag.FlagSet) {
	t.given = fs.Changed
	fs.StringArrayVar(&t.keys, "key", nil, "trust this public key: a PEM file, env://NAME, or SCHEME://... of the program sigstore-kms-SCHEME")
	fs.StringVar(&t.identity.Subject, "certificate-identity", "", "trust this identity: an e-mail address or the URI of a workflow")
	fs.StringVar(&t.identity.SubjectRegexp, "certificate-identity-regexp", "", "the same as an expression (RE2), which matches anywhere: ^ and $ anchor it")
	fs.StringVar(&t.identity.Issuer, "certificate-oidc-issuer", "", "who vouches for the identity, such as https://token.actions.githubusercontent.com")
	fs.StringVar(&t.identity.IssuerRegexp, "certificate-oidc-issuer-regexp", "", "the same as an expression")
	fs.StringVar(&t.trustedRoot, "trusted-root", "", "trusted_root.json that names the authorities; default: that of --tuf-mirror")
	t.tufFlags.bind(fs)
	fs.BoolVar(&t.requireLog, "require-tlog", false, "signatures of keys must be in a transparency log too")
	fs.BoolVar(&t.ignoreLog, "insecure-ignore-tlog", false, "look at no transparency log")
	fs.BoolVar(&t.ignoreSCT, "insecure-ignore-sct", false, "take certificates of authorities without a certificate transparency log")
	fs.BoolVar(&t.timestamp, "require-timestamp", false, "signatures must have the stamp of a timestamp authority")
	fs.BoolVar(&t.documentsAlone, "insecure-ignore-signatures", false, "check SBOM and provenance without verifying signatures")
}

// check refuses flags that do not go together.
func (t trustFlags) check() error {
	i, key := t.identity, strings.Join(t.keys, "")
	if slices.Contains(t.keys, "") {
		key = ""
	}
	if err := notEmpty(t.given, map[string]string{
		"key": key, "trusted-root": t.trustedRoot, "certificate-identity": i.Subject, "certificate-identity-regexp": i.SubjectRegexp,
		"certificate-oidc-issuer": i.Issuer, "certificate-oidc-issuer-regexp": i.IssuerRegexp,
	}); err != nil {
		return err
	}
	if err := t.tufFlags.check(t.given); err != nil {
		return err
	}
	who, whose := i.Subject+i.SubjectRegexp, i.Issuer+i.IssuerRegexp
	switch {
	case t.documentsAlone && (len(t.keys) > 0 || t.identified()):
		return usageErrorf("--insecure-ignore-signatures and the options for trusted signers are mutually exclusive")
	case t.documentsAlone && (t.requireLog || t.timestamp):
		return usageErrorf("--insecure-ignore-signatures looks at no signature, and so at no log and no timestamp")
	case t.trustedRoot != "" && t.mirror != "":
		return usageErrorf("--trusted-root and --tuf-mirror: one of them is too much")
	case t.requireLog && t.ignoreLog:
		return usageErrorf("--require-tlog and --insecure-ignore-tlog are mutually exclusive")
	case i.Subject != "" && i.SubjectRegexp != "":
		return usageErrorf("--certificate-identity and --certificate-identity-regexp: one of them is too much")
	case i.Issuer != "" && i.IssuerRegexp != "":
		return usageErrorf("--certificate-oidc-issuer and --certificate-oidc-issuer-regexp: one of them is too much")
	case who != "" && whose == "":
		return usageErrorf("--certificate-identity needs --certificate-oidc-issuer: any issuer can certify a name")
	case who == "" && whose != "":
		return usageErrorf("--certificate-oidc-issuer needs --certificate-identity: an issuer vouches for everybody")
	}
	return nil
}

// identified reports whether an identity is named.
func (t trustFlags) identified() bool { return t.identity != sign.Identity{} }

type verifyFlags struct {
	resolvingFlags
	trustFlags
	policy string
	base   string
}

func (f verifyFlags) check() error {
	if err := notEmpty(f.given, map[string]string{"policy": f.policy}); err != nil {
		return err
	}
	if err := f.trustFlags.check(); err != nil {
		return err
	}
	return checkBase(f.base)
}

func (a *app) verifyCommand() *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify IMAGE...",
		Short: "Judge images by their signatures, SBOM and provenance",
		Long: `Judge images by what is attached to them: signatures on the index and on every
manifest, attestations of SBOM and provenance, whether the SBOM agrees with the
layers file by file, whether the provenance agrees with labels and SBOM, whether
every library is found in the image or in what its lock relied upon in the base.
Nothing of an image is run.

IMAGE is HOST/NAME[:TAG][@DIGEST], oci:PATH[:TAG], or the path of a layout, of a
tar archive with one, or of a folder with one image.
At least one signer must be trusted: name a key, or an identity and its issuer.
--policy cncf, or a file, names the accepted licenses, signers, builders and
findings. The exit code is 13 for evidence that is missing or wrong, 3 for a
violation of the policy only, 14 for a registry that does not respond.`,
		Example: `  pgext verify --key cosign.pub registry.example.com/extensions/pgvector:0.8.1-18-trixie
  pgext verify --certificate-oidc-issuer https://token.actions.githubusercontent.com \
    --certificate-identity-regexp '^https://github.com/example/' --policy policy.yaml ghcr.io/example/pgvector:0.8.1-18-trixie`,
		Args: atLeastOne("an image: HOST/NAME[:TAG], oci:PATH[:TAG], or a path"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.verify(cmd.Context(), args, f)
		},
	}
	fs := cmd.Flags()
	f.resolvingFlags.bind(fs)
	f.trustFlags.bind(fs)
	fs.StringVar(&f.policy, "policy", "", "what is accepted: cncf, or a YAML file (docs/verify.md)")
	fs.StringVar(&f.base, "base", "", "judge libraries against this base of today: cnpg-minimal or image:REF")
	return cmd
}

type verifyDocument struct {
	Schema int             `json:"schema"`
	Images []verifiedImage `json:"images"`
	// Failures are the images that could not be judged.
	Failures []failure `json:"failures"`
}

type verifiedImage struct {
	Image  string         `json:"image"`
	Digest string         `json:"digest"`
	Status verify.Status  `json:"status"`
	Checks []verify.Check `json:"checks"`
}

func (a *app) verify(ctx context.Context, refs []string, f verifyFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	demands, err := a.demands(ctx, f)
	if err != nil {
		return err
	}
	s, err := a.newSession(f.resolvingFlags, imageFlags{})
	if err != nil {
		return err
	}
	var all verdicts
	for _, ref := range refs {
		v, err := a.verifyImage(ctx, s, ref, demands)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			all.fail(ref, err)
		default:
			all.add(ref, v)
		}
	}
	doc := verifyDocument{Schema: 1, Images: list(all.images), Failures: list(all.failures)}
	if err := a.print(doc, doc.describe); err != nil {
		return err
	}
	for _, line := range all.noes {
		a.printLines("pgext: ", line)
	}
	a.printFailures(all.failures)
	if all.worst == nil {
		return nil
	}
	return printedError{exitCode(all.worst)}
}

func (a *app) verifyImage(ctx context.Context, s *session.Session, ref string, demands judge.VerifyOptions) (judge.Verified, error) {
	at, err := a.parseImage("reading", ref)
	if err != nil {
		return judge.Verified{}, err
	}
	v, err := judge.Verify(ctx, s, a.registryClient(), at, demands)
	if err != nil {
		return judge.Verified{}, fmt.Errorf("%s: %w", ref, err)
	}
	return v, nil
}

// verdicts are the results for all images.
type verdicts struct {
	images []verifiedImage
	// noes has a line for each image that does not pass.
	noes []string
	// failures are those that could not be judged.
	failures []failure
	// worst is the error with the highest exit code; nil when all pass.
	worst error
}

func (all *verdicts) fail(ref string, err error) {
	all.failures = append(all.failures, newFailure(ref, err))
	all.count(err)
}

func (all *verdicts) count(err error) {
	if all.worst == nil || exitCode(err) > exitCode(all.worst) {
		all.worst = err
	}
}

func (all *verdicts) add(ref string, v judge.Verified) {
	status := verify.Pass
	if err := v.Err(); err != nil {
		status = verify.Fail
		all.noes = append(all.noes, fmt.Sprintf("%s: %s", ref, v.Summary()))
		all.count(err)
	}
	all.images = append(all.images, verifiedImage{ref, v.Digest, status, v.Checks})
}

// demands reads keys, roots and policies.
func (a *app) demands(ctx context.Context, f verifyFlags) (judge.VerifyOptions, error) {
	d := judge.VerifyOptions{Base: f.base}
	var err error
	switch f.policy {
	case "":
	case "cncf":
		d.Policy.Licenses = &verify.Licenses{Profile: "cncf"}
	default:
		if d.Policy, err = verify.LoadPolicy(f.policy); err != nil {
			return d, err
		}
	}
	if f.documentsAlone {
		if len(d.Policy.Keys)+len(d.Policy.Identities)+len(d.Policy.Builders) > 0 {
			return d, usageErrorf("--insecure-ignore-signatures is mutually exclusive with the signers and builders of %s", f.policy)
		}
		return d, nil
	}
	d.Trust, err = a.trust(ctx, f.trustFlags, d.Policy)
	return d, err
}

// trust reads whom to trust. Identities of the policy count when no other is
// named.
func (a *app) trust(ctx context.Context, f trustFlags, p verify.Policy) (*sign.Trust, error) {
	o := sign.TrustOptions{Timestamp: f.timestamp, NoSCT: f.ignoreSCT}
	switch {
	case f.requireLog:
		o.Log = sign.Required
	case f.ignoreLog:
		o.Log = sign.Ignored
	}
	for _, ref := range f.keys {
		key, err := sign.LoadPublicKey(ctx, ref)
		if err != nil {
			return nil, err
		}
		o.Keys = append(o.Keys, key)
	}
	switch {
	case f.identified():
		o.Identities = []sign.Identity{f.identity}
	case len(f.keys) == 0:
		o.Identities = p.Identities
	}
	if len(o.Keys)+len(o.Identities) == 0 {
		return nil, usageErrorf("no trusted signer: name --key, or --certificate-identity with --certificate-oidc-issuer, or check only the documents with --insecure-ignore-signatures")
	}
	if len(o.Identities) > 0 || f.requireLog || f.timestamp || f.trustedRoot != "" || f.mirror != "" {
		var err error
		if o.Root, err = a.trustedRoot(ctx, f); err != nil {
			return nil, err
		}
	}
	return sign.NewTrust(o)
}

// trustedRoot reads the root that is named, else what the deployment publishes.
func (a *app) trustedRoot(ctx context.Context, f trustFlags) (*sign.Root, error) {
	if f.trustedRoot != "" {
		return sign.LoadRoot(f.trustedRoot)
	}
	o, err := a.deployment(f.tufFlags)
	if err != nil {
		return nil, err
	}
	return sign.FetchRoot(ctx, o)
}

// describe is a line for each image, and one for each check; a hint is given
// once.
func (d verifyDocument) describe() string {
	var b strings.Builder
	for _, i := range d.Images {
		said := map[string]bool{}
		linef(&b, "%s  %s@%s\n", i.Status, i.Image, i.Digest)
		for _, c := range i.Checks {
			linef(&b, "  %s %s (%s): %s\n", c.Status, c.Name, c.Of, c.Detail)
			if c.Hint != "" && c.Status == verify.Fail && !said[c.Hint] {
				said[c.Hint] = true
				linef(&b, "    hint: %s\n", c.Hint)
			}
		}
	}
	return b.String()
}
