package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/oci"
)

// maxMembers bounds the members of an archive.
const maxMembers = 100_000

// archive is a tar file that contains an OCI image layout, as written by docker
// buildx (--output type=oci), docker save and skopeo (oci-archive). It is read in
// place. It implements fs.FS.
type archive struct {
	path    string
	members map[string]archiveMember
}

// archiveMember is a regular file in an archive.
type archiveMember struct {
	info   fs.FileInfo
	offset int64 // of the content in the archive, in bytes
}

// readArchive reads the list of members. It returns nil if path is no file.
func readArchive(path string) (*archive, error) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil, nil //nolint:nilnil // Layout.open reports the error
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := checkFormat(f, path); err != nil {
		return nil, err
	}
	a := &archive{path: path, members: map[string]archiveMember{}}
	if err := a.scan(f); err != nil {
		return nil, fmt.Errorf("archive %s: %w", path, err)
	}
	if _, ok := a.members[layoutFile]; !ok {
		return nil, failure.New(failure.Other, "convert it: skopeo copy docker-archive:"+path+" oci:DIR:TAG",
			"archive %s: no %s in it: not an OCI image layout", path, layoutFile)
	}
	return a, nil
}

// checkFormat refuses files that are no uncompressed tar archive.
func checkFormat(f *os.File, path string) error {
	kind, err := oci.ArchiveFormat(f)
	switch {
	case err != nil:
		return err
	case kind == "tar":
		return nil
	case kind != "":
		return failure.New(failure.Other, "decompress it and name the result", "archive %s is compressed (%s)", path, kind)
	}
	return failure.New(failure.Other, "name an OCI image layout: a folder or a tar archive", "%s is neither an OCI image layout nor a tar archive", path)
}

// scan reads the headers of f. The offset of a member is where tar.Reader stands
// after it has read the header, since it reads no further than it must.
func (a *archive) scan(f *os.File) error {
	tr := tar.NewReader(f)
	for n := 0; ; n++ {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n >= maxMembers {
			return fmt.Errorf("more than %d members", maxMembers)
		}
		name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
		if h.Typeflag != tar.TypeReg || sparse(h) {
			continue
		}
		if _, ok := a.members[name]; ok {
			return fmt.Errorf("two members named %s", name)
		}
		offset, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		a.members[name] = archiveMember{h.FileInfo(), offset}
	}
}

// sparse reports whether a member is stored with holes, so that its content is
// not contiguous.
func sparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return h.Typeflag == tar.TypeGNUSparse
}

// Open implements fs.FS.
func (a *archive) Open(name string) (fs.File, error) {
	m, ok := a.members[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: a.path + ": " + name, Err: fs.ErrNotExist}
	}
	f, err := os.Open(a.path)
	if err != nil {
		return nil, err
	}
	return &memberFile{io.NewSectionReader(f, m.offset, m.info.Size()), f, m.info}, nil
}

// memberFile is an open member. It implements fs.File.
type memberFile struct {
	*io.SectionReader
	io.Closer
	info fs.FileInfo
}

// Stat returns the information of the member's header.
func (f *memberFile) Stat() (fs.FileInfo, error) { return f.info, nil }
