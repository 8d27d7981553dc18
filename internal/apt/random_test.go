package apt_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

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

// relation has no version together with the native architecture's name: apt
// 2.6 then takes the version of the provider for that of what it provides. It
// names no foreign architecture: apt then forgets Conflicts with that name.
func (d dice) relation(n int) string {
	name := d.name(n)
	if d.chance(6) {
		qualifier := []string{":any", ":native", ":amd64"}[d.IntN(3)]
		name += qualifier
		if qualifier != ":any" {
			return name
		}
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

// trial is one set of names installed into one system by both.
type trial struct {
	archive, installed []apt.Package
	names              []string
	split              bool // into two archives
	added              []apt.Package
	got, want          string
	resolved           bool
	log                string
}

func (r *trial) run(ctx context.Context, t *testing.T, s *system) {
	t.Helper()
	half := len(r.archive)
	if r.split {
		half /= 2
	}
	first, second := text(r.archive[:half]), text(r.archive[half:])
	s.write(t, listName, first)
	s.write(t, secondListName, second)
	s.setInstalled(t, r.installed)
	added, err := load(t, "amd64", first, second).Install(r.installed, r.names)
	o, aptErr := s.install(ctx, r.names)
	r.added, r.got, r.want, r.resolved = added, verdict(labels(added), false, err), verdict(o.added, o.removes, aptErr), o.resolved
	r.log = fmt.Sprintf("Install: %v\napt-get: %v, removes %v", err, aptErr, o.removes)
}

// differs leaves out the one difference there is by design: a plan that apt's
// problem resolver saved is refused.
func (r *trial) differs() bool {
	return r.got != r.want && (r.got != "refused" || !r.resolved)
}

// TestRandomUniverses compares Install with apt-get: on an empty system, then
// on the system that gives, when the archive has got newer versions.
func TestRandomUniverses(t *testing.T) {
	var trials, refused atomic.Int64
	t.Run("seed", func(t *testing.T) {
		for i := range *universes {
			seed := *seed + uint64(i)
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				u, d := newUniverse(seed), dice{rand.New(rand.NewPCG(seed, 8))}
				s := newSystem(t, "amd64", false)
				split := seed%2 == 0
				r := &trial{archive: u.first, names: pickNames(d, u.first), split: split}
				for range 2 {
					r.run(t.Context(), t, s)
					trials.Add(1)
					if r.differs() {
						t.Fatal(r.smallest(t, s))
					}
					if r.got != r.want {
						refused.Add(1)
					}
					if r.got == "refused" {
						return
					}
					r = &trial{archive: u.second, installed: r.added, names: pickNames(d, u.second), split: split}
				}
			})
		}
	})
	t.Logf("%d trials, %d plans refused that apt's problem resolver saved", trials.Load(), refused.Load())
	if refused.Load()*50 > trials.Load() {
		t.Errorf("more than one in fifty plans needs apt's problem resolver")
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

// smallest takes packages and fields away as long as there is a difference,
// and describes what remains.
func (r *trial) smallest(t *testing.T, s *system) string {
	t.Helper()
	best := *r
	try := func(archive []apt.Package) bool {
		c := trial{archive: archive, installed: r.installed, names: r.names, split: r.split}
		c.run(context.Background(), t, s)
		if c.differs() {
			best = c
			return true
		}
		return false
	}
	for i := 0; i < len(best.archive); {
		if !try(slices.Delete(slices.Clone(best.archive), i, i+1)) {
			i++
		}
	}
	for i := range best.archive {
		for _, field := range []func(*apt.Package) *string{
			func(p *apt.Package) *string { return &p.Depends }, func(p *apt.Package) *string { return &p.Recommends },
			func(p *apt.Package) *string { return &p.Suggests }, func(p *apt.Package) *string { return &p.Conflicts },
			func(p *apt.Package) *string { return &p.Breaks }, func(p *apt.Package) *string { return &p.Provides },
			func(p *apt.Package) *string { return &p.PreDepends }, func(p *apt.Package) *string { return &p.MultiArch },
		} {
			smaller := slices.Clone(best.archive)
			*field(&smaller[i]) = ""
			try(smaller)
		}
	}
	return fmt.Sprintf("installing %v on %v\n%sgot  %s\nwant %s\n%s",
		r.names, labels(r.installed), text(best.archive), best.got, best.want, best.log)
}
