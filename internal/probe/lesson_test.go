package probe

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLearn(t *testing.T) {
	item := func(value, how string, guess bool) Item { return Item{Value: value, How: how, Guess: guess} }
	f := Facts{SharedPreloadLibraries: []Item{item("known", "read", false), item("guessed", "looks like it", true)}}
	for _, tc := range []struct {
		name   string
		lesson Lesson
		want   Facts
		learnt bool
	}{
		{"nothing", Lesson{How: "seen"}, Facts{SharedPreloadLibraries: f.SharedPreloadLibraries}, false},
		{"known already", Lesson{Preload: []string{"known"}, How: "seen"}, Facts{SharedPreloadLibraries: f.SharedPreloadLibraries}, false},
		{
			"a guess that is none any more",
			Lesson{Preload: []string{"guessed"}, How: "seen"},
			Facts{SharedPreloadLibraries: []Item{item("known", "read", false), item("guessed", "seen", false)}},
			false,
		},
		{
			"of every kind",
			Lesson{Preload: []string{"new", "pg_stat_statements"}, Libraries: []string{"liba.so.1"}, Requires: []string{"citus"}, How: "seen"},
			Facts{
				SharedPreloadLibraries: append(f.SharedPreloadLibraries[:2:2], item("new", "seen", false)),
				Parameters: []Parameter{{"pg_stat_statements.track", item("top",
					"seen; CloudNativePG preloads pg_stat_statements as soon as a parameter begins with pg_stat_statements. and not before", false)}},
				Libraries: []Item{item("liba.so.1", "seen", false)},
				Requires:  []Item{item("citus", "seen", false)},
			},
			true,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, learnt := f.Learn(tc.lesson)
			if learnt != tc.learnt {
				t.Errorf("learnt = %v, want %v", learnt, tc.learnt)
			}
			if diff := cmp.Diff(plain(got), plain(tc.want)); diff != "" {
				t.Errorf("(-got +want):\n%s", diff)
			}
		})
	}
	if f.SharedPreloadLibraries[1].How != "looks like it" {
		t.Error("Learn changed the facts it was called on")
	}
}

// plain makes empty lists and nil ones equal, as JSON does.
func plain(f Facts) string {
	text, err := f.MarshalJSON()
	if err != nil {
		return err.Error()
	}
	return string(text)
}
