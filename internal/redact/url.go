package redact

import (
	"net/url"
	"regexp"
)

// URL returns u without user, password, query and fragment; "?…" stands for a
// query.
func URL(u *url.URL) string {
	text := plain(u)
	if u.RawQuery != "" {
		text += "?…"
	}
	return text
}

// Address is URL of an address that may be none: then nothing of it is shown.
func Address(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(unreadable URL)" // the reason could quote a password
	}
	return URL(u)
}

// Public returns an address as it may be published: without user, password,
// query and fragment, and "" for one that means nothing to others, since it is
// not of a web server.
func Public(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return plain(u)
}

func plain(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}

var (
	userinfo = regexp.MustCompile(`(https?://)[^/?#\s"]*@`) // to the last @, as net/url reads it
	queries  = regexp.MustCompile(`(https?://[^\s"?]*)\?[^\s"]*`)
)

// Text returns s without user, password and query of the web addresses in it.
func Text(s string) string {
	return queries.ReplaceAllString(userinfo.ReplaceAllString(s, "$1"), "$1")
}
