package fetch

import (
	"fmt"
	"net/url"

	"github.com/pgext/pgext/internal/redact"
)

// location is a URL taken apart: where, and the credential for it.
type location struct {
	url        *url.URL // without user and password
	credential *credential
}

// String returns the URL as it may be shown.
func (l location) String() string { return redact.URL(l.url) }

func (l location) isFile() bool { return l.url.Scheme == "file" }

// locate parses a URL of scheme http, https or file and finds the credential
// for it: its own, else that of netrc.
func (f *Fetcher) locate(raw string) (location, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return location{}, fmt.Errorf("%s: not a URL", redact.Address(raw))
	}
	user := u.User
	u.User = nil
	switch u.Scheme {
	case "file":
		if u.Host != "" && u.Host != "localhost" {
			return location{}, fmt.Errorf("%s: a file URL cannot name another host", redact.URL(u))
		}
		return location{url: u}, nil
	case "http", "https":
		if u.Hostname() == "" {
			return location{}, fmt.Errorf("%s: the URL names no host", redact.URL(u))
		}
		return location{u, f.credential(u, user)}, nil
	}
	return location{}, fmt.Errorf("%s: the scheme must be http, https or file", redact.URL(u))
}

func (f *Fetcher) credential(u *url.URL, user *url.Userinfo) *credential {
	login := user.Username()
	password, ok := user.Password()
	if !ok {
		entry, found := f.netrc().lookup(u.Hostname(), login)
		if !found && login == "" {
			return nil
		}
		if found {
			login, password = entry.login, entry.password
		}
	}
	return &credential{scheme: u.Scheme, host: canonicalHost(u), user: login, password: password}
}

// isRemote reports whether a URL needs a network.
func isRemote(raw string) bool {
	u, err := url.Parse(raw)
	return err != nil || u.Scheme != "file"
}
