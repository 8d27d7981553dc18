//go:build faults

package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/registry"
	"github.com/pgext/pgext/internal/registry/registrytest"
)

var (
	kills = flag.Int("kills", 50, "how often TestKill kills a publish")
	seed  = flag.Uint64("seed", 0, "of the moments; 0 is another one each time")
)

// TestKill kills the program at random moments of a publish: the tag that moves
// names an image that is complete, and running the program again leaves what an
// undisturbed publish leaves.
func TestKill(t *testing.T) {
	program := filepath.Join(t.TempDir(), "pgext")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	if *seed == 0 {
		*seed = rand.Uint64N(1 << 32)
	}
	for _, tc := range []struct {
		name    string
		backend func(testing.TB) http.Handler
	}{
		{"registry with referrers", func(testing.TB) http.Handler { return registry.Memory() }},
		{"docker-registry", func(tb testing.TB) http.Handler { tb.Helper(); return registrytest.Forward(registrytest.Docker(tb)) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			proxy := registrytest.NewProxy(tc.backend(t))
			server := httptest.NewServer(proxy)
			t.Cleanup(server.Close)
			k := killing{
				program: program, proxy: proxy, host: strings.TrimPrefix(server.URL, "http://"), dir: t.TempDir(),
				random: rand.New(rand.NewPCG(*seed, 0)),
			}
			k.dist(t, "old", "202601020304")
			k.dist(t, "new", "202602020304")
			k.push(t, "undisturbed", "old")
			k.old = k.state(t, "undisturbed", "1-202601020304-18-forky")
			k.push(t, "undisturbed", "new")
			k.requests = k.measure(t)
			k.want = k.state(t, "undisturbed", "")
			var moments []string
			start := time.Now()
			for i := range *kills {
				moments = append(moments, k.kill(t, fmt.Sprint("killed", i)))
			}
			t.Logf("killed %d times, in %v, publishes of %d requests; seed %d, after request + time: %s",
				*kills, time.Since(start).Round(time.Second), k.requests, *seed, strings.Join(moments, " "))
		})
	}
}

type killing struct {
	program, host, dir string
	proxy              *registrytest.Proxy
	random             *rand.Rand
	requests           int
	old, want          string
}

// dist makes an output folder with one image, signed as older tools want it.
func (k *killing) dist(t *testing.T, name, at string) {
	t.Helper()
	idx := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, arch := range []string{"amd64", "arm64"} {
		platform, _ := debian.LookupArchitecture(arch)
		img, err := vendorImage(platform, nil, "/lib/"+name+".so = "+strings.Repeat(arch, 100<<10), types.OCILayer)
		if err != nil {
			t.Fatal(err)
		}
		idx = mutate.AppendManifests(idx, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{
			Platform: &v1.Platform{OS: "linux", Architecture: platform.OCI},
		}})
	}
	o := image.Output{Set: oci.Set{Index: idx}, Tags: []string{"1-18-forky", "1-" + at + "-18-forky"}}
	if err := addEvidence(&o); err != nil {
		t.Fatal(err)
	}
	if err := image.At(image.Path(filepath.Join(k.dir, name), "thing")).Write(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}

func (k *killing) command(repo, dist string) *exec.Cmd {
	cmd := exec.Command(k.program, "push", filepath.Join(k.dir, dist), k.host+"/"+repo)
	cmd.Env = append(os.Environ(), "DOCKER_CONFIG="+k.dir)
	return cmd
}

func (k *killing) push(t *testing.T, repo, dist string) {
	t.Helper()
	if out, err := k.command(repo, dist).CombinedOutput(); err != nil {
		t.Fatalf("pgext push of %s: %v\n%s", dist, err, out)
	}
}

// measure returns how many requests a publish makes in a repository of its own.
func (k *killing) measure(t *testing.T) int {
	t.Helper()
	k.push(t, "measured", "old")
	k.proxy.Arm(registrytest.Fault{})
	k.push(t, "measured", "new")
	return k.proxy.Count()
}

// state reads what one tag leads to, or all of the repository.
func (k *killing) state(t *testing.T, repo, tag string) string {
	t.Helper()
	got, err := registrytest.State(t.Context(), k.host+"/"+repo+"/thing", func(has string) bool { return tag == "" || has == tag })
	if err != nil {
		t.Fatal(err)
	}
	if tag != "" {
		got = strings.ReplaceAll(got, tag, "TAG")
	}
	return got
}

// kill pushes the old image, kills a push of the new one, looks, and pushes it
// again.
func (k *killing) kill(t *testing.T, repo string) (moment string) {
	t.Helper()
	k.push(t, repo, "old")
	at, later := k.random.IntN(k.requests+1), time.Duration(k.random.IntN(3000))*time.Microsecond
	moment = fmt.Sprintf("%d+%v", at, later)
	k.proxy.Arm(registrytest.Fault{})
	cmd := k.command(repo, "new")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it was killed
		close(ended)
	}()
	for running := true; running && k.proxy.Count() < at; {
		select {
		case <-ended:
			running = false
		case <-time.After(50 * time.Microsecond):
		}
	}
	time.Sleep(later)
	_ = cmd.Process.Kill() // it may have ended before
	<-ended
	got := k.state(t, repo, "1-18-forky")
	if got != k.old && got != k.state(t, "undisturbed", "1-18-forky") {
		t.Errorf("%s: the tag names what is neither the old image nor the new one (-got +old):\n%s", moment, cmp.Diff(got, k.old))
	}
	k.push(t, repo, "new")
	if diff := cmp.Diff(k.state(t, repo, ""), k.want); diff != "" {
		t.Errorf("%s: after pushing again (-got +want):\n%s", moment, diff)
	}
	return moment
}
