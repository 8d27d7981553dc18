package rootfs

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/filetree"
)

// operandTree is an operating system with lists of users.
func operandTree(t *testing.T, passwd, group string) filetree.Tree {
	t.Helper()
	file := func(path, content string, mode fs.FileMode) filetree.Entry {
		return filetree.Entry{Path: path, Mode: mode}.Holding([]byte(content))
	}
	tree, err := filetree.New([]filetree.Entry{
		{Path: "bin", Kind: filetree.Symlink, Link: "usr/bin"},
		file("usr/bin/tar", "tar", 0o755),
		file("usr/bin/su", "su", 0o755|fs.ModeSetuid),
		file("etc/shadow", "secret", 0o640),
		file("etc/passwd", passwd, 0o644),
		file("etc/group", group, 0o644),
		file("dev/console", "", 0o600),
		file("proc/1", "", 0o600),
		{Path: "var/lib/postgresql/data", Kind: filetree.Dir, Mode: fs.ModeDir | 0o700},
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestFromOperand(t *testing.T) {
	for _, tc := range []struct{ name, passwd, group, wantPasswd, wantGroup string }{
		{
			"an image without the user", "root:x:0:0::/:/bin/sh\npostgres:x:999:999::/:/bin/sh", "root:x:0:\n",
			"root:x:0:0::/:/bin/sh\npostgres:x:999:999::/:/bin/sh\npostgres:x:26:26:PostgreSQL:/var/lib/postgresql:/bin/bash\n", "root:x:0:\npostgres:x:26:\n",
		},
		{
			"an image with it", "postgres:x:26:26::/home:/bin/sh\n", "tape:x:26\n",
			"postgres:x:26:26::/home:/bin/sh\n", "tape:x:26\n",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, _ := store(t, nil)
			var scratch string
			root, err := s.FromOperand(t.Context(), "amd64 sha256:x", func(dir string) (filetree.Tree, error) {
				scratch = dir
				return operandTree(t, tc.passwd, tc.group), os.WriteFile(filepath.Join(dir, "blob"), nil, 0o600)
			})
			if err != nil {
				t.Fatal(err)
			}
			want := strings.NewReplacer("PASSWD", quoted(tc.wantPasswd), "GROUP", quoted(tc.wantGroup)).Replace(`Lrwxrwxrwx bin -> usr/bin
drwxr-xr-x dev
drwxr-xr-x etc
-rw-r--r-- etc/group GROUP
-rw-r--r-- etc/hosts "127.0.0.1 localhost\n::1 localhost\n"
-rw-r--r-- etc/passwd PASSWD
-rw-r----- etc/shadow "secret"
drwxr-xr-x extensions
drwxr-xr-x proc
drwxr-xr-x run
drwxr-xr-x sys
drwxr-xr-x tmp
drwxr-xr-x usr
drwxr-xr-x usr/bin
-rwxr-xr-x usr/bin/su "su"
-rwxr-xr-x usr/bin/tar "tar"
drwxr-xr-x var
drwxr-xr-x var/lib
drwxr-xr-x var/lib/postgresql
drwxr-xr-x var/lib/postgresql/data
`)
			if diff := cmp.Diff(want, dump(t, root)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if _, err := os.Stat(scratch); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the scratch folder: %v", err)
			}
			again, err := s.FromOperand(t.Context(), "amd64 sha256:x", func(string) (filetree.Tree, error) {
				t.Error("it was asked for a second time")
				return filetree.Tree{}, nil
			})
			if err != nil || again != root {
				t.Errorf("again: %s, %v", again, err)
			}
		})
	}
}

func TestFromOperandFails(t *testing.T) {
	s, _ := store(t, nil)
	_, err := s.FromOperand(t.Context(), "amd64 sha256:x", func(string) (filetree.Tree, error) { return filetree.Tree{}, errors.New("torn") })
	if err == nil || err.Error() != "making a root file system of the image amd64 sha256:x: torn" {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = s.FromOperand(ctx, "amd64 sha256:x", func(string) (filetree.Tree, error) {
		cancel()
		return operandTree(t, "", ""), nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if left := names(t, s.dir); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}
