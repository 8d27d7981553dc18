package rootfs_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/rootfs"
)

func ExampleStore_FromImage() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	c, err := cache.Open(dir)
	if err != nil {
		log.Fatal(err)
	}
	store, err := rootfs.Open(c, rootfs.Options{})
	if err != nil {
		log.Fatal(err)
	}
	image, err := store.FromImage(context.Background(), "sha256:0123", func() (filetree.Tree, error) {
		return filetree.New([]filetree.Entry{
			filetree.Entry{Path: "share/extension/vector.control", Mode: 0o644}.Holding([]byte("default_version = '0.8.1'\n")),
		})
	})
	if err != nil {
		log.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(image, "share/extension/vector.control"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(string(text))
	// Output: default_version = '0.8.1'
}
