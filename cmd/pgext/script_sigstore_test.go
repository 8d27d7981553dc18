package main

import (
	"bytes"
	"encoding/base64"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/sigstore/cosign/v2/pkg/cosign"

	"github.com/pgext/pgext/sign/signtest"
)

// workflow is the identity of the tests' GitHub job.
const workflow = "https://github.com/example/images/.github/workflows/build.yaml@refs/heads/main"

// keyPairs are two pairs of keys, as cosign generate-key-pair writes them: making
// one takes a third of a second.
var keyPairs = sync.OnceValues(func() (pairs [2]*cosign.KeysBytes, err error) {
	for i := range pairs {
		if pairs[i], err = cosign.GenerateKeyPair(func(bool) ([]byte, error) { return []byte(signtest.Password), nil }); err != nil {
			return pairs, err
		}
	}
	return pairs, nil
})

// cmdKeys writes cosign.key and cosign.pub, other.key and other.pub, and sets
// COSIGN_PASSWORD.
func cmdKeys(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: keys")
	}
	pairs, err := keyPairs()
	ts.Check(err)
	for i, name := range []string{"cosign", "other"} {
		ts.Check(os.WriteFile(ts.MkAbs(name+".key"), pairs[i].PrivateBytes, 0o600))
		ts.Check(os.WriteFile(ts.MkAbs(name+".pub"), pairs[i].PublicBytes, 0o600))
	}
	ts.Setenv("COSIGN_PASSWORD", signtest.Password)
}

// cmdSigstore starts a deployment of sigstore, and sets $FULCIO, $REKOR, $TILES
// (a log of version 2), $TSA and $ISSUER to its addresses and $WORKFLOW to an
// identity; its authorities are in root.json, its services in signing.json, a
// token for me@example.org in token, one for $WORKFLOW in workflow.token, one
// that has expired in expired.token. $TUF publishes both files, without the log
// of version 2 for those who do not ask for it; tuf.json is its root. When there
// is a deployment, it changes how that behaves:
//
//	-shift DURATION         moves the log's clock
//	-rekor STATUS,…         what the log answers to the next requests
//	-entries N              checks how many entries the log has
//	-tiled N                checks how many entries the one of version 2 has
//	-github                 sets the variables of a GitHub job
func cmdSigstore(ts *testscript.TestScript, neg bool, args []string) {
	flags := flag.NewFlagSet("sigstore", flag.ContinueOnError)
	shift := flags.Duration("shift", 0, "")
	rekor := flags.String("rekor", "", "")
	entries := flags.Int("entries", -1, "")
	tiled := flags.Int("tiled", -1, "")
	github := flags.Bool("github", false, "")
	if err := flags.Parse(args); err != nil || neg || flags.NArg() > 0 {
		ts.Fatalf("usage: sigstore [flags]")
	}
	state := stateOf(ts)
	if state.sigstore == nil {
		state.sigstore = signtest.New(state.tb)
		introduceSigstore(ts, state.sigstore)
	}
	s := state.sigstore
	s.Rekor.Shift(*shift)
	for status := range strings.SplitSeq(*rekor, ",") {
		if status != "" {
			n, err := strconv.Atoi(status)
			ts.Check(err)
			s.Rekor.Next(signtest.Fault(n))
		}
	}
	if got := len(s.Rekor.Entries()); *entries >= 0 && got != *entries {
		ts.Fatalf("the log has %d entries, want %d", got, *entries)
	}
	if got := len(s.Tiles.Entries()); *tiled >= 0 && got != *tiled {
		ts.Fatalf("the log of version 2 has %d entries, want %d", got, *tiled)
	}
	if *github {
		job(ts, s)
	}
}

func introduceSigstore(ts *testscript.TestScript, s *signtest.Sigstore) {
	tb := stateOf(ts).tb
	everything, root := s.SigningConfig(tb, signtest.Everything), s.TrustedRoot(tb)
	repository := signtest.NewTUF(tb, root)
	repository.Add(tb, "signing_config.v0.2.json", s.SigningConfig(tb, signtest.Everything&^signtest.WithTiles))
	repository.Add(tb, "signing_config_rekor_v2.v0.2.json", everything)
	for name, value := range map[string]string{
		"TUF": repository.URL, "FULCIO": s.Fulcio.URL, "REKOR": s.Rekor.URL, "TILES": s.Tiles.URL, "TSA": s.TSA.StampURL(), "ISSUER": s.Issuer.URL, "WORKFLOW": workflow,
	} {
		ts.Setenv(name, value)
	}
	for name, content := range map[string]string{
		"root.json": string(root), "signing.json": string(everything), "tuf.json": string(repository.Anchor), "token": s.Issuer.Token("me@example.org") + "\n",
		"workflow.token": s.Issuer.Token(workflow), "expired.token": s.Issuer.ExpiredToken("me@example.org"),
	} {
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(content), 0o600))
	}
}

// job is what a GitHub job has in its environment.
func job(ts *testscript.TestScript, s *signtest.Sigstore) {
	url, token := s.Issuer.GitHub(workflow)
	for name, value := range map[string]string{
		"ACTIONS_ID_TOKEN_REQUEST_URL": url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": token,
		"GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "example/images",
		"GITHUB_WORKFLOW_REF": strings.TrimPrefix(workflow, "https://github.com/"), "GITHUB_RUN_ID": "42", "GITHUB_RUN_ATTEMPT": "1",
		"GITHUB_REF": "refs/heads/main", "GITHUB_SHA": strings.Repeat("ab", 20), "GITHUB_EVENT_NAME": "push", "RUNNER_ENVIRONMENT": "github-hosted",
	} {
		ts.Setenv(name, value)
	}
}

// encoded matches what may be base64, in both alphabets.
var encoded = regexp.MustCompile(`[A-Za-z0-9+/_-]{24,}`)

// cmdSecretFree checks that no file below the paths, standard output and
// standard error of the last command, and nothing in the log, hold a secret: the
// lines of the files that -of names, words, or what is inside of base64.
//
//	secret-free [-of FILE,…] [-word TEXT,…] PATH…
func cmdSecretFree(ts *testscript.TestScript, neg bool, args []string) {
	flags := flag.NewFlagSet("secret-free", flag.ContinueOnError)
	of := flags.String("of", "", "")
	words := flags.String("word", "", "")
	if err := flags.Parse(args); err != nil || *of+*words == "" {
		ts.Fatalf("usage: [!] secret-free [-of FILE,…] [-word TEXT,…] PATH…")
	}
	secrets := strings.FieldsFunc(*words, func(r rune) bool { return r == ',' })
	for _, name := range strings.FieldsFunc(*of, func(r rune) bool { return r == ',' }) {
		for _, line := range strings.FieldsFunc(ts.ReadFile(name), func(r rune) bool { return r == '\n' || r == '.' }) {
			if !strings.HasPrefix(line, "-----") {
				secrets = append(secrets, line)
			}
		}
	}
	texts := map[string][]byte{"stdout": []byte(ts.ReadFile("stdout")), "stderr": []byte(ts.ReadFile("stderr"))}
	if s := stateOf(ts).sigstore; s != nil {
		texts["the log"] = bytes.Join(append(s.Rekor.Entries(), s.Tiles.Entries()...), []byte("\n"))
	}
	for _, root := range flags.Args() {
		walk(ts, ts.MkAbs(root), func(file string, info fs.FileInfo) {
			if info.Mode().IsRegular() {
				texts[file] = []byte(ts.ReadFile(file))
			}
		})
	}
	for name, text := range texts {
		all := text
		for _, word := range encoded.FindAll(text, -1) {
			inner, _ := base64.RawStdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/").Replace(string(word)))
			all = append(append(all, '\n'), inner...)
		}
		for _, secret := range secrets {
			if !bytes.Contains(all, []byte(secret)) {
				continue
			}
			if neg {
				return
			}
			ts.Fatalf("%s holds %q", name, secret)
		}
	}
	if neg {
		ts.Fatalf("no secret was found")
	}
}

// cmdCosign runs the stock program in $WORK.
func cmdCosign(ts *testscript.TestScript, neg bool, args []string) {
	tb := stateOf(ts).tb
	stdout, stderr, err := signtest.NewCosign(tb).In(ts.MkAbs(".")).Run(tb, args...)
	ts.Check(os.WriteFile(filepath.Join(ts.Getenv("WORK"), "cosign.out"), []byte(stdout+stderr), 0o600))
	if (err == nil) == neg {
		ts.Fatalf("cosign %s: %v\n%s", strings.Join(args, " "), err, stderr)
	}
}
