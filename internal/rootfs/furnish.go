package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/pgext/pgext/internal/alternatives"
)

// User is the id of the user and of the group postgres, as in CloudNativePG's
// images.
const User = 26

// Home is the home of that user.
const Home = "/var/lib/postgresql"

// folders are the mount points in every root.
var folders = []string{"dev", "proc", "sys", "tmp", "run", "etc", "extensions", Home[1:]}

// furnishDebs adds the files of maintainer scripts that PostgreSQL needs.
func furnishDebs(dir *os.Root) error {
	if err := furnish(dir, []textFile{
		{"etc/passwd", master(dir, "passwd", "root:x:0:0:root:/root:/bin/bash\n") + passwdLine()},
		{"etc/group", master(dir, "group", "root:x:0:\n") + groupLine()},
		{"etc/hosts", hosts},
		{"etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"},
		{"etc/timezone", "Etc/UTC\n"},
	}); err != nil {
		return err
	}
	for _, l := range []struct{ path, target string }{
		{"etc/localtime", "/usr/share/zoneinfo/Etc/UTC"}, {"var/run", "/run"},
	} {
		if err := replace(dir, l.path, func() error { return dir.Symlink(l.target, l.path) }); err != nil {
			return err
		}
	}
	return nil
}

const hosts = "127.0.0.1 localhost\n::1 localhost\n"

func passwdLine() string {
	return fmt.Sprintf("postgres:x:%d:%d:PostgreSQL:%s:/bin/bash\n", User, User, Home)
}

func groupLine() string { return fmt.Sprintf("postgres:x:%d:\n", User) }

// furnishImage adds the files of a container runtime, and the user User.
func furnishImage(dir *os.Root) error {
	return furnish(dir, []textFile{
		{"etc/passwd", withID(dir, "etc/passwd", passwdLine())},
		{"etc/group", withID(dir, "etc/group", groupLine())},
		{"etc/hosts", hosts},
	})
}

// withID returns the list of users or groups at path, with line appended if no
// entry has User's id, the third field (passwd(5), group(5)).
func withID(dir *os.Root, path, line string) string {
	list, err := dir.ReadFile(path)
	if err != nil {
		return line
	}
	text := string(list)
	for l := range strings.Lines(text) {
		if fields := strings.Split(l, ":"); len(fields) > 2 && strings.TrimSpace(fields[2]) == strconv.Itoa(User) {
			return text
		}
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text + line
}

// textFile is a file of mode 0644.
type textFile struct{ path, content string }

// furnish makes the folders of every root, and files.
func furnish(dir *os.Root, files []textFile) error {
	w := newWriter(dir)
	for _, name := range folders {
		if err := w.dir(name); err != nil {
			return err
		}
	}
	for _, f := range files {
		if err := replace(dir, f.path, func() error { return dir.WriteFile(f.path, []byte(f.content), 0o644) }); err != nil {
			return err
		}
		if err := dir.Chmod(f.path, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// master returns the initial list of base-passwd.
func master(dir *os.Root, name, otherwise string) string {
	b, err := dir.ReadFile("usr/share/base-passwd/" + name + ".master")
	if err != nil || len(b) == 0 {
		return otherwise
	}
	return string(b)
}

// replace removes path, then calls make.
func replace(dir *os.Root, path string, make func() error) error {
	if err := dir.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return make()
}

// linkAlternatives makes the links of the alternatives whose target exists, for
// each name those of the highest priority.
func linkAlternatives(dir *os.Root, links []alternatives.Link) error {
	slices.SortStableFunc(links, func(a, b alternatives.Link) int {
		if a.Path != b.Path {
			return strings.Compare(a.Path, b.Path)
		}
		return b.Priority - a.Priority
	})
	w := newWriter(dir)
	for _, l := range links {
		at := merged(strings.TrimPrefix(l.Path, "/"))
		if _, err := dir.Lstat(at); err == nil || unwanted(at) {
			continue // one of higher priority, or a package's own file
		}
		if _, err := dir.Lstat(merged(strings.TrimPrefix(l.Target, "/"))); err != nil {
			continue
		}
		if err := w.dir(path.Dir(at)); err != nil {
			return err
		}
		if err := dir.Symlink(l.Target, at); err != nil {
			return err
		}
	}
	return nil
}
