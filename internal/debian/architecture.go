package debian

// Architecture is one of Debian's architectures beside the names others give
// it.
type Architecture struct {
	// Name is Debian's (Policy 11.1).
	Name string
	// OCI and Variant are the platform of an image index, which are GOARCH
	// values (OCI image spec, image-index.md). Variant is empty where one
	// machine has only one, and for arm64, where it is optional and
	// "linux/arm64" has to match.
	OCI, Variant string
	// Tuple names the multiarch folder of libraries, dpkg-architecture's
	// DEB_HOST_MULTIARCH.
	Tuple string
}

// architectures are those Debian releases or has released since buster.
var architectures = [...]Architecture{
	{"amd64", "amd64", "", "x86_64-linux-gnu"},
	{"arm64", "arm64", "", "aarch64-linux-gnu"},
	{"armel", "arm", "v5", "arm-linux-gnueabi"},
	{"armhf", "arm", "v7", "arm-linux-gnueabihf"},
	{"i386", "386", "", "i386-linux-gnu"},
	{"loong64", "loong64", "", "loongarch64-linux-gnu"},
	{"mips64el", "mips64le", "", "mips64el-linux-gnuabi64"},
	{"mipsel", "mipsle", "", "mipsel-linux-gnu"},
	{"ppc64el", "ppc64le", "", "powerpc64le-linux-gnu"},
	{"riscv64", "riscv64", "", "riscv64-linux-gnu"},
	{"s390x", "s390x", "", "s390x-linux-gnu"},
}

// LookupArchitecture returns the architecture that Debian calls name. "all"
// is none.
func LookupArchitecture(name string) (Architecture, bool) {
	for _, a := range architectures {
		if a.Name == name {
			return a, true
		}
	}
	return Architecture{}, false
}

// Architectures returns all architectures that LookupArchitecture knows, by
// name.
func Architectures() []Architecture {
	return append([]Architecture(nil), architectures[:]...)
}
