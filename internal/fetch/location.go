package fetch

import (
	"fmt"
	"net/url"
)

// location is a URL taken apart: where, and the credential for it.
type location struct {
	url        *url.URL // without user and password
	credential *credential
}

// String returns the URL as it may be shown.
func (l location) String() string { return show(l.url) }

func (l location) isFile() bool { return l.url.Scheme == "file" }

// locate parses a URL of scheme http, https or file and finds the credential
// for it: its own, else that of netrc.
func (f *Fetcher) locate(raw string) (location, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return location{}, fmt.Errorf("%s: not a URL", Redact(raw)) // the reason could quote a password
	}
	user := u.User
	u.User = nil
	switch u.Scheme {
	case "file":
		if u.Host != "" && u.Host != "localhost" {
			return location{}, fmt.Errorf("%s: a file URL cannot name another host", show(u))
		}
		return location{url: u}, nil
	case "http", "https":
		if u.Hostname() == "" {
			return location{}, fmt.Errorf("%s: the URL names no host", show(u))
		}
		return location{u, f.credential(u, user)}, nil
	}
	return location{}, fmt.Errorf("%s: the scheme must be http, https or file", show(u))
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

// Redact returns a URL as it may be shown: without user, password, query and
// fragment. What is not a URL is not shown at all.
func Redact(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(unreadable URL)"
	}
	return show(u)
}

// Public returns a URL as it may be published: as of Redact, and "" for one that
// means nothing to others, since it is not of a web server.
func Public(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

func show(u *url.URL) string {
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	if u.RawQuery != "" {
		return shown.String() + "?…"
	}
	return shown.String()
}

// isRemote reports whether a URL needs a network.
func isRemote(raw string) bool {
	u, err := url.Parse(raw)
	return err != nil || u.Scheme != "file"
}
