package probe

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/decompress"
	"github.com/pgext/pgext/internal/filetree"
)

// maxManual bounds a file of documentation that is read, in bytes.
const maxManual = 2 << 20

// advice is a line of documentation that sets shared_preload_libraries.
type advice struct {
	file      string
	libraries []string
}

var preloadSetting = regexp.MustCompile(`shared_preload_libraries\s*=\s*['"]?([$\w/., -]+)`)

// readManuals returns what the documentation of the extension's packages says
// about preloading, changelogs left out.
func readManuals(in Input) ([]advice, error) {
	var out []advice
	for _, p := range in.Members {
		for e := range p.Tree.Under("usr/share/doc").All() {
			if !isManual(e) {
				continue
			}
			text, err := manualText(e)
			if err != nil {
				return nil, fmt.Errorf("probing %s: package %s: %w", in.Name, p.Name, err)
			}
			for _, m := range preloadSetting.FindAllSubmatch(text, -1) {
				out = append(out, advice{path.Base(e.Path), libraries(string(m[1]))})
			}
		}
	}
	return out, nil
}

func isManual(e filetree.Entry) bool {
	name := strings.TrimSuffix(path.Base(e.Path), ".gz")
	if e.Kind != filetree.File || e.Size > maxManual || strings.HasPrefix(name, "changelog") || name == "copyright" {
		return false
	}
	return slices.Contains([]string{"", ".md", ".txt", ".rst", ".Debian"}, path.Ext(name))
}

// manualText reads a file that may be compressed (Policy 12.3), up to
// maxManual.
func manualText(e filetree.Entry) ([]byte, error) {
	b, err := e.ReadAll(maxManual)
	if err != nil || path.Ext(e.Path) != ".gz" {
		return b, err
	}
	r, err := decompress.NewReader(bytes.NewReader(b), decompress.Gzip, decompress.Options{MaxSize: 64 << 20})
	if err != nil {
		return nil, nil // what is no gzip file says nothing
	}
	defer r.Close()
	text, _ := io.ReadAll(io.LimitReader(r, maxManual)) // what a damaged file says before its fault still counts
	return text, nil
}

// libraries splits a list as it stands in postgresql.conf.
func libraries(list string) []string {
	var out []string
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimPrefix(strings.TrimSpace(name), "$libdir/"); name != "" {
			out = append(out, strings.Fields(name)[0])
		}
	}
	return out
}
