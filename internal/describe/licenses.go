package describe

// licenses returns the expression over all packages that gave the image a
// file, and the one of the extension's own packages; "" where a package does
// not say.
func licenses(in Input) (all, own string) {
	return "", ""
}
