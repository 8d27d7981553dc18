package inspect

import (
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/layout"
)

func TestApart(t *testing.T) {
	need := finding.New("PGX053", "", "libc.so.6 is expected of the base", "")
	missing := finding.New("PGX001", "lib/x.so", "needs libgone.so.1", "")
	index := finding.New("PGX041", "", "is there twice", "")
	image := func(findings ...finding.Finding) Image { return Image{Contents: layout.Contents{Findings: findings}} }
	s := Result{Findings: []finding.Finding{index}, Images: []Image{image(need, missing), image(missing, need)}}
	if diff := cmp.Diff([]finding.Finding{missing, index, need}, s.All()); diff != "" {
		t.Errorf("All() (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]finding.Finding{missing, index}, s.ExceptBase()); diff != "" {
		t.Errorf("ExceptBase() (-want +got):\n%s", diff)
	}
}

func TestCompressed(t *testing.T) {
	i := Image{Layers: []Layer{{Size: 5, Unpacked: 100}, {Size: 7}}}
	if got := i.Compressed(); got != 12 {
		t.Errorf("got %d, want the 12 bytes of both blobs", got)
	}
}

func TestStateOf(t *testing.T) {
	for _, tt := range []struct {
		in   filetree.Entry
		want FileState
	}{
		{filetree.Entry{Kind: filetree.File, Mode: 0o755 | fs.ModeSetuid, Size: 3, SHA256: "aa"}, FileState{Kind: "file", Mode: "4755", Size: 3, SHA256: "aa"}},
		{filetree.Entry{Kind: filetree.Dir, Mode: 0o755}, FileState{Kind: "folder", Mode: "0755"}},
		{filetree.Entry{Kind: filetree.Symlink, Mode: 0o777, Link: "x"}, FileState{Kind: "link", Mode: "0777", Link: "x"}},
	} {
		if diff := cmp.Diff(tt.want, StateOf(tt.in)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
