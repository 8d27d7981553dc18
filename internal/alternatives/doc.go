// Package alternatives reads the links that update-alternatives would make
// from the text of a maintainer script.
//
// Its nouns are Link (what one --install or --slave asks for) and Unread (an
// --install that could not be followed). A small reader of shell words knows
// assignments, simple expansions, quoting, line continuations and for loops
// over words; it runs nothing, tests nothing and looks at no file, so it takes
// every branch of a script. What it cannot know it reports instead of guessing.
package alternatives
