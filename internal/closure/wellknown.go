package closure

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/lock"
)

// Data is a file or folder that a library reads at run time and no ELF file
// names.
type Data = lock.DataFolder

// wellKnown lists the libraries that read files at run time from a compiled-in
// path, with the environment variable that replaces it. $1 is the last group of the
// library's pattern, $tuple the multiarch folder.
var wellKnown = []struct {
	library *regexp.Regexp
	data    []Data
}{
	// https://proj.org/en/stable/resource_files.html
	{regexp.MustCompile(`^libproj\.so\.`), []Data{
		{Package: "proj-data", From: "usr/share/proj", To: "share/proj", Env: "PROJ_DATA", Home: "share/proj"},
	}},
	// https://gdal.org/en/stable/user/configoptions.html#config-GDAL_DATA
	{regexp.MustCompile(`^libgdal\.so\.`), []Data{
		{Package: "gdal-data", From: "usr/share/gdal", To: "share/gdal", Env: "GDAL_DATA", Home: "share/gdal"},
	}},
	// https://mariadb.com/kb/en/mysql_optionsv/ (MYSQL_PLUGIN_DIR): servers ask
	// clients for the authentication plugins in it.
	{regexp.MustCompile(`^libmariadb\.so\.([0-9]+)$`), []Data{
		{Package: "libmariadb$1", From: "usr/lib/$tuple/libmariadb$1/plugin", To: "share/mariadb/plugin", Env: "MARIADB_PLUGIN_DIR", Home: "share/mariadb/plugin"},
	}},
	// R Installation and Administration, 6.1; packages that need X are left out.
	{regexp.MustCompile(`^libR\.so$`), slices.Concat(
		[]Data{
			{Package: "r-base-core", From: "usr/lib/R/modules/lapack.so", To: "share/R/modules/lapack.so", Env: "R_HOME", Home: "share/R"},
			// without it the package utils has no editor and does not load; a maintainer script copies it to etc/R
			{Package: "r-base-core", From: "usr/lib/R/etc/Renviron.ucf", To: "share/R/etc/Renviron"},
			{Package: "r-base-core", From: "etc/R/repositories", To: "share/R/etc/repositories"},
		},
		rLibrary("base", "compiler", "datasets", "grDevices", "graphics", "grid", "methods", "parallel", "splines", "stats", "stats4", "tools", "utils"),
	)},
	// https://docs.python.org/3/using/cmdline.html#envvar-PYTHONHOME
	{regexp.MustCompile(`^libpython(3\.[0-9]+)\.so\.`), []Data{
		{Package: "libpython$1-minimal", From: "usr/lib/python$1", To: "share/python/lib/python$1", Env: "PYTHONHOME", Home: "share/python"},
		{Package: "libpython$1-stdlib", From: "usr/lib/python$1", To: "share/python/lib/python$1"},
	}},
	// https://www.tcl-lang.org/man/tcl8.6/TclCmd/tclvars.htm (TCL_LIBRARY)
	{regexp.MustCompile(`^libtcl([0-9.]+)\.so$`), []Data{
		{Package: "libtcl$1", From: "usr/share/tcltk/tcl$1", To: "share/tcl$1", Env: "TCL_LIBRARY", Home: "share/tcl$1"},
	}},
}

// rLibrary returns the data entries of packages of R's own library.
func rLibrary(names ...string) []Data {
	var out []Data
	for _, n := range names {
		out = append(out, Data{Package: "r-base-core", From: "usr/lib/R/library/" + n, To: "share/R/library/" + n})
	}
	return out
}

// WellKnown returns the data that the bundled libraries read according to the
// table, in its order.
func WellKnown(arch string, bundled []elf.Provider) []Data {
	var out []Data
	a, _ := debian.LookupArchitecture(arch)
	for _, w := range wellKnown {
		for _, p := range bundled {
			m := w.library.FindStringSubmatch(p.SONAME)
			if m == nil {
				continue
			}
			fill := strings.NewReplacer("$1", m[len(m)-1], "$tuple", a.Tuple).Replace
			for _, d := range w.data {
				out = append(out, Data{Package: fill(d.Package), From: fill(d.From), To: fill(d.To), Env: d.Env, Home: fill(d.Home)})
			}
		}
	}
	return out
}

// ReadBy returns the paths in the image of the bundled libraries that read the
// data at from, a path in a package.
func ReadBy(arch, from string, bundled []elf.Provider) []string {
	var out []string
	for _, p := range bundled {
		if slices.ContainsFunc(WellKnown(arch, []elf.Provider{p}), func(d Data) bool { return d.From == from }) {
			out = append(out, bundledFolder+p.SONAME)
		}
	}
	return out
}

// Without returns data without the entries below a folder whose environment
// variable is in set: the recipe provides those itself.
func Without(data []Data, set []string) []Data {
	return slices.DeleteFunc(slices.Clone(data), func(d Data) bool {
		return slices.ContainsFunc(data, func(o Data) bool {
			return o.Env != "" && slices.Contains(set, o.Env) && sameHome(d, o)
		})
	})
}

// sameHome reports whether d lies in the folder that o's variable names.
func sameHome(d, o Data) bool {
	for dir := d.To; dir != "."; dir = path.Dir(dir) {
		if dir == o.Home {
			return true
		}
	}
	return false
}

// outside lists the libraries that read data from a fixed path that no package
// of an archive contains.
var outside = []struct {
	library    *regexp.Regexp
	what, path string
}{
	// https://docs.clamav.net/manual/Development/libclamav.html (cl_retdbdir)
	{regexp.MustCompile(`^libclamav\.so\.`), "the virus database", "/var/lib/clamav"},
}

// Outside reports the data that the bundled libraries read and no image can
// contain.
func Outside(bundled []elf.Provider) []finding.Finding {
	var out []finding.Finding
	for _, o := range outside {
		for _, p := range bundled {
			if o.library.MatchString(p.SONAME) {
				out = append(out, finding.New("PGX034", bundledFolder+p.SONAME,
					fmt.Sprintf("reads %s at %s, and no package has it", o.what, o.path), "mount it at "+o.path))
			}
		}
	}
	return out
}
