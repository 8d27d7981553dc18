//go:build !linux

package cache_test

var mountChildren map[string]func(dir string) error
