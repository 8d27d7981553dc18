// Package text formats text for messages: truncation, lists, plurals and
// spelling suggestions.
package text
