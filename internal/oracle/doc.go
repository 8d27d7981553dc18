// Package oracle finds the real programs that tests compare pgext with.
//
// It keeps count of the comparisons that could not run, and serves tests only.
package oracle
