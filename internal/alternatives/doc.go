// Package alternatives finds the symbolic links that a maintainer script would
// create with update-alternatives(1), without running the script.
//
// A Link is the result of one --install or --slave option; an Unread is a
// command whose arguments cannot be determined. The interpreter supports shell
// assignments, simple expansions, quoting, line continuations and for loops over
// words. It evaluates no conditions, so it follows every branch of a script, and
// reports an unknown value instead of guessing it.
package alternatives
