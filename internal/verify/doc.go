// Package verify judges whether the evidence about a finished image holds.
//
// Its nouns are Input (an image with all that is attached to it), Policy (whom
// and what somebody accepts), Check (one question with its answer) and Result.
// An image without evidence is judged like one whose evidence lies: neither can
// be relied upon.
//
// This room reads values and nothing else. Whether a signature is good, what
// the files are and which libraries the base lacks was found out before; who
// attached a document does not matter here, only whether it is true.
package verify
