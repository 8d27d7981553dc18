// Package debian reads the small languages of Debian metadata.
//
// Its nouns are Paragraph (one stanza of deb822 fields), the version order of
// Debian Policy 5.6.12, Relation (one element of a dependency field, Policy
// 7.1) and Architecture (a Debian name beside its OCI platform). It knows no
// archive, no package file and no signature: OpenPGP armour is removed before
// a Scanner sees the text.
package debian
