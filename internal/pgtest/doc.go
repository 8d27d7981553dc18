// Package pgtest tries extension images out on a real PostgreSQL server.
//
// Its nouns are Input (the image under test, those it needs beside it, the
// root file system of the operand), Check (one thing that was tried, with what
// came of it) and Advice (what a recipe should say instead, when something
// failed). The server runs in a sandbox with the images mounted and the
// parameters and the environment set as CloudNativePG does it. A cluster is
// initialised once for each root and copied into memory for each run. Where no
// server can be started, a Reading is judged instead: that is not a test.
//
// It does not build images and does not look for those that another requires.
package pgtest
