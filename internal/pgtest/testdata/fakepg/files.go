package main

import (
	archive "archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/pgext/pgext/internal/pgtest/testdata/fakepg/behaviour"
)

// tar packs a folder to its output, or unpacks its input: the two uses of it in
// pgtest.
func tar(args []string) {
	dir, create := "/", false
	for _, a := range args {
		if name, ok := strings.CutPrefix(a, "--directory="); ok {
			dir = name
		}
		create = create || a == "--create"
	}
	var err error
	if create {
		w := archive.NewWriter(os.Stdout)
		err = errors.Join(w.AddFS(os.DirFS(dir)), w.Close())
	} else {
		err = extract(archive.NewReader(os.Stdin), dir)
	}
	if err != nil {
		fail(err)
	}
}

func extract(r *archive.Reader, dir string) error {
	for {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		at := filepath.Join(dir, h.Name)
		if h.Typeflag == archive.TypeDir {
			err = os.MkdirAll(at, 0o755)
		} else if err = os.MkdirAll(filepath.Dir(at), 0o755); err == nil {
			var data []byte
			if data, err = io.ReadAll(r); err == nil {
				err = os.WriteFile(at, data, 0o644)
			}
		}
		if err != nil {
			return err
		}
	}
}

// shell imitates sh -c for two scripts of pgtest: the one that lists files with
// their sizes, and testScript.
func shell(b behaviour.Behaviour, args []string) {
	script, args := args[1], args[3:]
	if strings.HasPrefix(script, "for f;") {
		for _, name := range args {
			if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
				fmt.Println(info.Size(), name)
			}
		}
		return
	}
	sql, err := os.ReadFile(args[0])
	if err != nil {
		sql, err = os.ReadFile(args[1])
	}
	if err != nil {
		os.Exit(66)
	}
	var out bytes.Buffer
	code := psql(b, []string{"-d", args[2]}, bytes.NewReader(sql), &out, &out)
	if err := errors.Join(os.MkdirAll(args[5], 0o755), os.WriteFile(args[6], out.Bytes(), 0o644)); err != nil {
		fail(err)
	}
	for word, exit := range b.Tests {
		if bytes.Contains(sql, []byte(word)) {
			code = exit
		}
	}
	os.Exit(code)
}

// diff compares its last two arguments.
func diff(args []string) {
	want, err := os.ReadFile(args[len(args)-2])
	got, err2 := os.ReadFile(args[len(args)-1])
	if err := errors.Join(err, err2); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if bytes.Equal(want, got) {
		return
	}
	fmt.Print("--- want\n+++ got\n")
	for line := range strings.Lines(string(want)) {
		fmt.Print("-", line)
	}
	for line := range strings.Lines(string(got)) {
		fmt.Print("+", line)
	}
	os.Exit(1)
}
