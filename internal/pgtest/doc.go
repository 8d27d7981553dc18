// Package pgtest tests extension images on a real PostgreSQL server.
//
// An Input has the image under test, the images that it requires, and the root
// file system of the operand. The result is a list of Checks, with Advice for the
// recipe where one failed. The server runs in a sandbox with the images mounted
// and the parameters and environment variables set as CloudNativePG sets them. A
// cluster is initialised once for each root file system and copied into memory
// for each run. If no server can be started, ByFiles checks the files of an image
// instead; this does not count as a test.
//
// The package neither builds images nor finds the images that another requires.
package pgtest
