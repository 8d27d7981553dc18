package testmirror

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pgext/pgext/internal/oracle"
)

// Get returns a file that holds what the mirror has at path (relative to
// URL). It is downloaded when the cache lacks it; bytes that are not sha256
// fail the test.
func Get(tb testing.TB, path, sha256 string) string {
	tb.Helper()
	file := filepath.Join(cacheDir(tb), sha256)
	if _, err := os.Stat(file); err == nil {
		return file
	}
	download(tb, URL(tb)+"/"+path, file, sha256)
	return file
}

// cacheDir returns $PGEXT_TEST_CACHE or pgext-test in the user's cache
// folder, and creates it.
func cacheDir(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("PGEXT_TEST_CACHE")
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			tb.Fatal(err)
		}
		dir = filepath.Join(user, "pgext-test")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		tb.Fatal(err)
	}
	return dir
}

// download writes what url holds to file, which appears whole or not at all.
// A machine that reaches no server skips the test through the oracles' rules.
func download(tb testing.TB, url, file, want string) {
	tb.Helper()
	var err error
	for attempt := range 3 {
		time.Sleep(time.Duration(attempt) * time.Second)
		if err = fetch(tb.Context(), url, file, want); err == nil {
			return
		}
	}
	if unreachable(err) {
		oracle.Missing(tb, "debian-mirror", "out of reach: "+err.Error())
	}
	tb.Fatal(err)
}

// unreachable reports whether no server has answered.
func unreachable(err error) bool {
	var failure *url.Error
	return errors.As(err, &failure)
}

func fetch(ctx context.Context, url, file, want string) error {
	client := &http.Client{Timeout: 2 * time.Minute}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("downloading %s: %s", url, resp.Status)
	}
	temp, err := os.CreateTemp(filepath.Dir(file), ".partial-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) //nolint:errcheck // gone when it has been renamed
	hash := sha256.New()
	_, err = io.Copy(io.MultiWriter(temp, hash), resp.Body)
	if err = errors.Join(err, temp.Close()); err != nil {
		return fmt.Errorf("downloading %s: %w", url, err)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); want != "" && got != want {
		return fmt.Errorf("downloading %s: sha256 is %s, want %s", url, got, want)
	}
	return os.Rename(temp.Name(), file)
}
