// Package publish publishes images, with everything attached to them, to
// registries and layouts, and signs them.
package publish
