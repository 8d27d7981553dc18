package apt_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/apt"
)

var (
	seed      = flag.Uint64("apt.seed", 1, "first seed of the random universes")
	universes = flag.Int("apt.universes", 120, "number of random universes that are compared with apt-get")
)

// universe is a random archive: a first edition, and a second one that has
// newer versions as well.
type universe struct {
	first, second []apt.Package
}

type dice struct{ *rand.Rand }

func (d dice) chance(percent int) bool { return d.IntN(100) < percent }

func newUniverse(seed uint64) universe {
	d := dice{rand.New(rand.NewPCG(seed, 7))}
	n := 5 + d.IntN(20)
	hostility := d.IntN(3) * 8 // percent of packages with conflicts
	var u universe
	for i := range n {
		p := d.pkg(i, n, 1, hostility)
		u.first = append(u.first, p)
		u.second = append(u.second, p)
		if d.chance(25) {
			p := d.pkg(i, n, 2, hostility)
			u.second = append(u.second, p)
		}
	}
	d.Shuffle(len(u.first), func(i, j int) { u.first[i], u.first[j] = u.first[j], u.first[i] })
	return u
}

func (d dice) pkg(i, n, version, hostility int) apt.Package {
	p := apt.Package{Name: fmt.Sprintf("p%d", i), Version: fmt.Sprint(version + d.IntN(2)), Arch: "amd64", Priority: "optional"}
	p.Filename = fmt.Sprintf("%s_%s.deb", p.Name, p.Version)
	if version == 2 {
		p.Version = fmt.Sprint(3 + d.IntN(2))
	}
	if d.chance(20) {
		p.Arch = "all"
	}
	if d.chance(25) {
		p.MultiArch = []string{"same", "foreign", "allowed"}[d.IntN(3)]
	}
	if d.chance(20) {
		p.Priority = []string{"required", "important", "standard", "extra", ""}[d.IntN(5)]
	}
	if d.chance(30) {
		p.Source, p.SourceVersion = fmt.Sprintf("s%d", d.IntN(4)), p.Version
	}
	p.Essential, p.Protected = d.chance(3), d.chance(2)
	for range d.IntN(4) {
		d.add(&p.Depends, d.alternatives(n))
	}
	if d.chance(10) {
		p.PreDepends = d.alternatives(n)
	}
	if d.chance(15) {
		p.Recommends = d.alternatives(n)
	}
	if d.chance(15) {
		p.Suggests = d.alternatives(n)
	}
	for d.chance(30) {
		d.add(&p.Provides, d.provided(n))
	}
	if d.chance(hostility) {
		p.Conflicts = d.relation(n)
	}
	if d.chance(hostility) {
		p.Breaks = d.relation(n)
	}
	return p
}

func (d dice) add(field *string, element string) {
	if *field != "" {
		*field += ", "
	}
	*field += element
}

func (d dice) alternatives(n int) string {
	out := d.relation(n)
	for d.chance(30) {
		out += " | " + d.relation(n)
	}
	return out
}

func (d dice) relation(n int) string {
	name := d.name(n)
	if d.chance(6) {
		name += []string{":any", ":native", ":amd64", ":arm64"}[d.IntN(4)]
	}
	if d.chance(25) {
		name += fmt.Sprintf(" (%s %d)", []string{"<<", "<=", "=", ">=", ">=", ">=", ">>"}[d.IntN(7)], 1+d.IntN(3))
	}
	return name
}

// name is a package or, one time in four, a virtual name.
func (d dice) name(n int) string {
	if d.chance(25) {
		return fmt.Sprintf("v%d", d.IntN(4))
	}
	return fmt.Sprintf("p%d", d.IntN(n))
}

func (d dice) provided(n int) string {
	name := fmt.Sprintf("v%d", d.IntN(4))
	if d.chance(15) {
		name = fmt.Sprintf("p%d", d.IntN(n))
	}
	if d.chance(30) {
		name += fmt.Sprintf(" (= %d)", 1+d.IntN(3))
	}
	return name
}

func text(packages []apt.Package) string {
	var b strings.Builder
	for _, p := range packages {
		b.WriteString(stanza(p, ""))
	}
	return b.String()
}

// verdict is the outcome of installing names: what is added, or "refused".
func verdict(added []string, removes bool, err error) string {
	if err != nil || removes {
		return "refused"
	}
	return strings.Join(added, ", ")
}

// trial installs names into a system and returns both verdicts.
func trial(ctx context.Context, t *testing.T, s *system, archive, installed []apt.Package, names []string) (got, want string, added []apt.Package, log string) {
	t.Helper()
	s.write(t, listName, text(archive))
	s.setInstalled(t, installed)
	ix := load(t, "amd64", text(archive))
	added, err := ix.Install(installed, names)
	got = verdict(labels(added), false, err)
	list, removes, aptErr := s.install(ctx, names)
	want = verdict(list, removes, aptErr)
	return got, want, added, fmt.Sprintf("%v\napt-get: %v, removes %v", err, aptErr, removes)
}

// TestRandomUniverses compares Install with apt-get: on an empty system, then
// on the system that gives, when the archive has got newer versions.
func TestRandomUniverses(t *testing.T) {
	for i := range *universes {
		u := newUniverse(*seed + uint64(i))
		t.Run(fmt.Sprint(*seed+uint64(i)), func(t *testing.T) {
			t.Parallel()
			d := dice{rand.New(rand.NewPCG(*seed+uint64(i), 8))}
			s := newSystem(t, "amd64")
			names := pickNames(d, u.first)
			got, want, added, log := trial(t.Context(), t, s, u.first, nil, names)
			if got != want {
				report(t, s, u.first, nil, names)
				t.Fatalf("installing %v: got %s, want %s\n%s", names, got, want, log)
			}
			if got == "refused" {
				return
			}
			names = pickNames(d, u.second)
			got, want, _, log = trial(t.Context(), t, s, u.second, added, names)
			if got != want {
				report(t, s, u.second, added, names)
				t.Fatalf("installing %v on %v: got %s, want %s\n%s", names, labels(added), got, want, log)
			}
		})
	}
}

func pickNames(d dice, packages []apt.Package) []string {
	var names []string
	for range 1 + d.IntN(3) {
		if name := packages[d.IntN(len(packages))].Name; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// report logs a smaller universe that shows the same difference: packages are
// taken away as long as one remains.
func report(t *testing.T, s *system, archive, installed []apt.Package, names []string) {
	t.Helper()
	differs := func(archive, installed []apt.Package) bool {
		got, want, _, _ := trial(context.Background(), t, s, archive, installed, names)
		return got != want
	}
	for i := 0; i < len(archive); {
		smaller := slices.Delete(slices.Clone(archive), i, i+1)
		if differs(smaller, installed) {
			archive = smaller
		} else {
			i++
		}
	}
	for i := range archive {
		for _, field := range []func(*apt.Package) *string{
			func(p *apt.Package) *string { return &p.Depends }, func(p *apt.Package) *string { return &p.Recommends },
			func(p *apt.Package) *string { return &p.Suggests }, func(p *apt.Package) *string { return &p.Conflicts },
			func(p *apt.Package) *string { return &p.Breaks }, func(p *apt.Package) *string { return &p.Provides },
			func(p *apt.Package) *string { return &p.PreDepends }, func(p *apt.Package) *string { return &p.MultiArch },
			func(p *apt.Package) *string { return &p.Source },
		} {
			smaller := slices.Clone(archive)
			*field(&smaller[i]) = ""
			if differs(smaller, installed) {
				archive = smaller
			}
		}
	}
	got, want, _, log := trial(context.Background(), t, s, archive, installed, names)
	t.Logf("installing %v on %v\n%s%s\n%s", names, labels(installed), text(archive), cmp.Diff(want, got), log)
}
