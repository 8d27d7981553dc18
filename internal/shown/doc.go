// Package shown makes text fit to be shown.
//
// Its noun is text, most of it given by others: a URL with a password in it, the
// answer of a registry, names in a hostile archive. What people get to see of
// it, in messages, logs and published documents, holds no credential, is bounded
// and ends with a whole letter; several things stand in a sentence as people
// write them. The room does not know who gave a text or where it goes, and
// cannot know secrets that do not stand in a URL.
package shown
