// Package retry decides whether and when clients repeat requests.
//
// Its noun is the second attempt: whether a failure is one that waiting may mend,
// how long a server asks to wait, the pause, which ends with its context, and the
// jitter that keeps clients out of step. How often a client asks, how long it
// waits at most, which answers of a server count as failures: that is the
// client's own.
package retry
