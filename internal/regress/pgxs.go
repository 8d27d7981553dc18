package regress

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// localeFlags are the flags that PGXS derives from its own variables
// (Makefile.global).
const localeFlags = "$(if $(ENCODING),--encoding=$(ENCODING)) $(NOLOCALE)"

// pgxsPath matches the paths of the Makefiles that PostgreSQL installs.
var pgxsPath = regexp.MustCompile(`(^|/)(pgxs\.mk|Makefile\.global|contrib-global\.mk|\$[({]PGXS[)}])$`)

// installation is the format of the text of pgxs, for the major version, the
// version and its number.
const installation = `MAJORVERSION = %s
VERSION = %s
VERSION_NUM = %d
PGXS ?= pgxs.mk
PORTNAME = linux
DLSUFFIX = .so
srcdir = .
abs_srcdir = $(CURDIR)
abs_builddir = $(CURDIR)
top_srcdir = /usr/lib/postgresql/%[1]s/lib/pgxs
top_builddir = $(top_srcdir)
bindir = /usr/lib/postgresql/%[1]s/bin
datadir = /usr/share/postgresql/%[1]s
sharedir = $(datadir)
pkglibdir = /usr/lib/postgresql/%[1]s/lib
libdir = /usr/lib
includedir = /usr/include/postgresql
includedir_server = $(includedir)/%[1]s/server
enable_tap_tests = no
with_llvm = no
with_python = yes
with_perl = yes
with_openssl = yes
with_libxml = yes
with_icu = yes
with_zlib = yes
AWK = mawk
GREP = /usr/bin/grep
SED = /usr/bin/sed
PERL = /usr/bin/perl
CC = gcc
NO_LOCALE ?=
ENCODING ?=
NOLOCALE ?=
EXTRA_REGRESS_OPTS ?=
REGRESS_OPTS ?=
REGRESS ?=
REGRESS_PREP ?=
ISOLATION_OPTS ?=
ISOLATION ?=
TAP_TESTS ?=
CONTRIB_TESTDB = contrib_regression
ISOLATION_TESTDB = isolation_regression
ifdef NO_LOCALE
NOLOCALE += --no-locale
endif
ifdef REGRESS
REGRESS_OPTS += --dbname=$(CONTRIB_TESTDB)
endif
ifdef ISOLATION
ISOLATION_OPTS += --dbname=$(ISOLATION_TESTDB)
endif
`

// pgxs returns the text that replaces PGXS and its includes: the variables of the
// installation, and the assignments to those of a suite.
func pgxs(name, version string) (text string, ok bool) {
	if !pgxsPath.MatchString(name) {
		return "", false
	}
	major, minor, _ := strings.Cut(version, ".")
	m, _ := strconv.Atoi(major) // it comes from a version that was compared before
	n, _ := strconv.Atoi(minor)
	return fmt.Sprintf(installation, major, version, m*10000+n), true
}
