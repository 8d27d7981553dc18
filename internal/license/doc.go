// Package license turns what Debian says about licences into SPDX expressions.
//
// Its nouns are Copyright (a machine-readable debian/copyright file, DEP-5),
// License (an SPDX expression with the texts of the licences SPDX has no name
// for) and Reference (one of those). A copyright file for people gives no
// expression: nothing is guessed from prose.
package license
