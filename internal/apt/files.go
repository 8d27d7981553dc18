package apt

// InstallFiles is Install on a command line that also names package files,
// which no index has:
//
//	apt-get install --no-install-recommends ./FILE.deb… NAMES
//
// A file is what gets installed under its name, also where an index has a
// higher version. What it depends on comes from other files or the index.
func (ix *Index) InstallFiles(installed, files []Package, names []string) ([]Package, error) {
	s := newSolver(ix, installed)
	all := make([]string, 0, len(files)+len(names))
	for _, p := range files {
		s.offer(p)
		all = append(all, p.Name)
	}
	return s.install(append(all, names...))
}

// offer makes a package of a file the candidate of its name.
func (s *solver) offer(p Package) {
	u := s.unit(p.Name)
	v := &version{unit: u, pkg: p, stranger: true}
	u.versions = append(u.versions, v)
	u.sortVersions()
	u.addFlags(p)
	u.candidate = v
	s.strangers = append(s.strangers, v)
}
