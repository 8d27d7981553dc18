package finding

import (
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRegistryIsSorted(t *testing.T) {
	code := regexp.MustCompile(`^PGX0[0-9]{2}$`)
	var codes []string
	for _, k := range Kinds() {
		if !code.MatchString(k.Code) || k.Title == "" || k.Detail == "" {
			t.Errorf("kind %+v is incomplete", k)
		}
		codes = append(codes, k.Code)
	}
	if !slices.IsSorted(codes) || len(slices.Compact(slices.Clone(codes))) != len(codes) {
		t.Errorf("codes not sorted or not unique: %v", codes)
	}
}

func TestSort(t *testing.T) {
	a := New("PGX030", "", "note", "")
	b := New("PGX001", "lib/b.so", "error b", "")
	c := New("PGX001", "lib/a.so", "error a", "")
	got := Sort([]Finding{a, b, c, b})
	if diff := cmp.Diff([]Finding{c, b, a}, got); diff != "" {
		t.Errorf("Sort() (-want +got):\n%s", diff)
	}
	if worst, ok := Worst(got); worst != Error || !ok {
		t.Errorf("Worst() = %v, %v", worst, ok)
	}
}
