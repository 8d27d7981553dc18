// Package redact removes credentials from text before it is printed, logged or
// published.
//
// It strips user, password, query and fragment from URLs. It cannot recognize
// secrets outside a URL.
package redact
