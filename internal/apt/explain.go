package apt

import "fmt"

// check returns why the plan cannot be carried out, nil when it can.
func (s *solver) check(requested []*unit) error {
	for _, u := range requested {
		if u.planned == nil {
			return s.explain(u)
		}
	}
	for u := range s.system {
		if s.broken(u) {
			return s.explain(u)
		}
	}
	for _, u := range s.installed {
		if u.planned == nil {
			return s.explain(u)
		}
	}
	return nil
}

func (s *solver) explain(u *unit) error {
	return &UnsatisfiableError{Name: u.name, Chain: []string{fmt.Sprint(u.name, " TODO")}}
}
