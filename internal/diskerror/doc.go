// Package diskerror reads what the operating system says when a file cannot be
// written.
//
// Its noun is the reason: why, without the name of the file, which may be a
// temporary one that means nothing to people. Where it happened and what to do
// about it the rooms say that write.
package diskerror
