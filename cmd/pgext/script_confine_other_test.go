//go:build !linux

package main

// confine needs Linux.
func confine() { panic("not on this system") }

func confinable() bool { return false }
