package regress

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pgext/pgext/internal/makefile"
)

// The arguments that PGXS passes to both programs, in its order.
var (
	regressWords   = []string{localeFlags, "$(EXTRA_REGRESS_OPTS)", "$(REGRESS_OPTS)", "$(REGRESS)"}
	isolationWords = []string{localeFlags, "$(EXTRA_REGRESS_OPTS)", "$(ISOLATION_OPTS)", "$(ISOLATION)"}
)

// variables returns the arguments of pg_regress in the Makefile, and sets the other
// fields of the Suite.
func (s *Suite) variables(fsys fs.FS, o Options) ([]string, error) {
	set := map[string]string{}
	if len(o.Tests) > 0 {
		set["REGRESS"], set["ISOLATION"] = "", "" // those of o follow
	}
	m, err := makefile.Read(fsys, s.Makefile, makefile.Options{
		Dir: o.Dir, Set: set, Shell: o.Shell, Outside: func(name string) (string, bool) { return pgxs(name, o.Version) },
	})
	if err != nil {
		return nil, refuse(naming, "%w", err)
	}
	words, err := s.words(m, regressWords)
	if err != nil {
		return nil, err
	}
	s.others(m)
	return words, s.isolation(fsys, m, o.Dir)
}

// words expands texts and splits the results into words.
func (s *Suite) words(m *makefile.Makefile, texts []string) ([]string, error) {
	var words []string
	for _, text := range texts {
		value, err := m.Expand(text)
		if err == nil {
			var more []string
			more, err = splitWords(value)
			words = append(words, more...)
		}
		if err != nil {
			return nil, refuse(hintFor(err), "%s: %w", s.Makefile, err)
		}
	}
	return words, nil
}

func hintFor(err error) string {
	if unknown := new(makefile.UnknownError); errors.As(err, &unknown) && unknown.Text == "$(REGRESS)" {
		return naming
	}
	return "name the tests and what pg_regress needs: --regress-tests NAME,NAME, --regress-option=--load-extension=NAME"
}

// isolation reads the arguments of pg_isolation_regress, if there are tests for it.
func (s *Suite) isolation(fsys fs.FS, m *makefile.Makefile, dir string) error {
	if value, err := m.Expand("$(ISOLATION)"); err == nil && strings.TrimSpace(value) == "" {
		return nil
	}
	words, err := s.words(m, isolationWords)
	if err != nil {
		return err
	}
	s.Isolation = Invocation{InputDir: ".", OutputDir: "output_iso", ExpectedDir: ".", Databases: []string{"isolation_regression"}}
	r := reader{Suite: s, to: &s.Isolation, fsys: fsys, dir: dir}
	return r.options(words)
}

// others adds notes about other kinds of tests and about messages of the Makefile.
func (s *Suite) others(m *makefile.Makefile) {
	for _, complaint := range m.Complaints() {
		s.Notes = append(s.Notes, fmt.Sprintf("%s prints: %s", s.Makefile, complaint))
	}
	if value, err := m.Expand("$(TAP_TESTS)"); err == nil {
		s.TAP = strings.TrimSpace(value) != ""
	}
	if value, err := m.Expand("$(REGRESS_PREP)"); err == nil && strings.TrimSpace(value) != "" {
		s.Notes = append(s.Notes, "rules of the Makefile are not run: REGRESS_PREP = "+strings.TrimSpace(value))
	}
}
