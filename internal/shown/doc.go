// Package shown makes text fit to be shown.
//
// Its noun is text that others gave: a URL with a password in it, the answer of
// a registry, a name in a hostile archive. What people get to see of it, in
// messages, logs and published documents, holds no credential, is bounded and
// ends with a whole letter. The room does not know who gave a text or where it
// goes, and cannot know secrets that do not stand in a URL.
package shown
