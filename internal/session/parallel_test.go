package session

import (
	"errors"
	"testing"

	"github.com/pgext/pgext/internal/finding"
)

// The lowest number's error is told, findings of all, and after another error
// nothing more is begun.
func TestParallel(t *testing.T) {
	gone, found := errors.New("gone"), &finding.FatalError{}
	for _, tc := range []struct {
		name  string
		jobs  int
		errs  map[int]error
		want  error
		calls int // the most
	}{
		{"nothing wrong", 2, nil, nil, 100},
		{"findings", 2, map[int]error{3: found, 7: found}, found, 100},
		{"an error", 1, map[int]error{3: gone}, gone, 5},
		{"an error behind findings", 1, map[int]error{3: found, 5: gone}, gone, 7},
	} {
		t.Run(tc.name, func(t *testing.T) {
			calls := make([]int, 100)
			err := Parallel(tc.jobs, len(calls), func(i int) error {
				calls[i]++
				return tc.errs[i]
			})
			var findings *finding.FatalError
			matches := errors.Is(err, tc.want)
			if errors.Is(tc.want, found) {
				matches = errors.As(err, &findings)
			}
			if !matches {
				t.Errorf("Parallel() = %v, want %v", err, tc.want)
			}
			sum := 0
			for _, n := range calls {
				sum += n
			}
			if sum > tc.calls || !errors.Is(tc.want, gone) && sum != tc.calls {
				t.Errorf("%d calls, want %d", sum, tc.calls)
			}
		})
	}
}
