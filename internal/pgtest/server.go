package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/pgext/pgext/internal/cnpg"
	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/rootfs"
	"github.com/pgext/pgext/internal/sandbox"
)

// startTime is how long a server may take to start or to stop.
const startTime = 60 * time.Second

// fixed are the parameters that do not depend on the images: those of
// CloudNativePG that an extension may notice, and what a run in memory needs.
var fixed = map[string]string{
	"listen_addresses":           "localhost",
	"unix_socket_directories":    "/run/postgresql",
	"fsync":                      "off",
	"logging_collector":          "off",
	"log_destination":            "stderr",
	"log_line_prefix":            logPrefix,
	"wal_level":                  "logical",
	"max_worker_processes":       "32",
	"max_parallel_workers":       "32",
	"max_replication_slots":      "32",
	"dynamic_shared_memory_type": "posix",
}

// server is a PostgreSQL server in a sandbox of its own.
type server struct {
	sandbox *sandbox.Sandbox
	major   int
	args    []string
	env     []string
	log     *serverLog
	running *sandbox.Process
	// slow tells that an emulator runs it.
	slow bool
}

// patience is how long to wait for what takes a server at most d.
func (s *server) patience(d time.Duration) time.Duration {
	if s.slow {
		return 10 * d
	}
	return d
}

// newServer lays out a server for images, with a fresh cluster.
func newServer(ctx context.Context, in Input, o Options) (*server, error) {
	tar, err := template(ctx, o.Cache, in)
	if err != nil {
		return nil, err
	}
	defer tar.Close()
	return layOut(ctx, in, tar)
}

// layOut lays out a server for images, in the order in which a Cluster would
// list them, with the cluster that is in tar.
func layOut(ctx context.Context, in Input, tar io.Reader) (*server, error) {
	spec := in.spec()
	var all []metadata.Metadata
	for _, i := range in.images() {
		spec.Binds = append(spec.Binds, sandbox.Bind{Source: i.Dir, Target: cnpg.MountPath(i.Metadata.Name)})
		all = append(all, i.Metadata)
	}
	sb, err := sandbox.Open(ctx, spec)
	if err != nil {
		return nil, err
	}
	s := &server{sandbox: sb, major: in.Postgres, log: newServerLog(), slow: in.Emulator != nil}
	merged, _ := metadata.Merge(all)
	s.args, s.env = in.command(merged)
	var out bytes.Buffer
	if err := sb.Run(ctx, sandbox.Command{
		Args: []string{"/usr/bin/tar", "--extract", "--directory=" + rootfs.Home}, Env: environment(nil), Stdin: tar, Stderr: &out,
	}); err != nil {
		sb.Close()
		return nil, fmt.Errorf("copying the cluster: %w\n%s", err, out.String())
	}
	return s, nil
}

// command is the server's command line and environment.
func (in Input) command(m metadata.Server) (args, env []string) {
	parameters := maps.Clone(fixed)
	maps.Copy(parameters, m.Parameters)
	parameters["shared_preload_libraries"] = strings.Join(in.preload(m), ",")
	parameters["extension_control_path"] = m.ExtensionControlPath
	parameters["dynamic_library_path"] = m.DynamicLibraryPath
	if len(m.OutputPlugins) > 0 && debian.CompareVersions(in.Version, "18.6") >= 0 {
		parameters["output_plugin_libraries"] = strings.Join(append([]string{"pgoutput", "test_decoding"}, m.OutputPlugins...), ",")
	}
	args = []string{bin(in.Postgres, "postgres"), "-D", dataDir}
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		args = append(args, "-c", name+"="+parameters[name])
	}
	env = environment(nil)
	for i, e := range env {
		if rest, ok := strings.CutPrefix(e, "PATH="); ok {
			env[i] = "PATH=" + strings.Join(append([]string{rest}, m.Path...), ":")
		}
	}
	if len(m.LDLibraryPath) > 0 {
		env = append(env, "LD_LIBRARY_PATH="+strings.Join(m.LDLibraryPath, ":"))
	}
	for _, e := range m.Env {
		env = append(env, e.Name+"="+e.Value)
	}
	return args, env
}

// preload is what the server loads at its start: the operand's own libraries
// before those of images.
func (in Input) preload(m metadata.Server) []string {
	var list []string
	for _, name := range operandModules {
		if slices.Contains(in.Preload, name) {
			list = append(list, name)
		}
	}
	return appendNew(appendNew(list, m.SharedPreloadLibraries...), in.Preload...)
}

// errNotStarted says that the server ended before it was ready.
var errNotStarted = errors.New("the server does not start")

// start starts the server and waits until it takes connections. The error says
// what the server's last words were; it does not run then.
func (s *server) start(ctx context.Context) error {
	most := s.patience(startTime)
	own, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	mark := s.log.mark()
	p, err := s.sandbox.Start(sandbox.Command{Args: s.args, Env: s.env, Dir: rootfs.Home, Stdout: s.log, Stderr: s.log})
	if err != nil {
		return err
	}
	s.running = p
	err = s.ready(own, mark, s.answers)
	if err == nil || ctx.Err() != nil {
		return err
	}
	words := lastWords(s.log.since(mark))
	switch {
	case own.Err() != nil:
		s.abort()
		err = fmt.Errorf("the server is not ready after %v", most)
	case words != "":
		err = errNotStarted // its exit code says less than its words
	}
	if words != "" {
		err = fmt.Errorf("%w\n%s", err, words)
	}
	return err
}

// answers tells whether the server takes connections, whatever its log says:
// an image's parameters may keep it silent.
func (s *server) answers(ctx context.Context) bool {
	return s.sandbox.Run(ctx, sandbox.Command{
		Args: []string{bin(s.major, "pg_isready"), "--quiet", "--host=/run/postgresql"}, Env: environment(nil),
	}) == nil
}

// silence is how long a server may say nothing before it is asked.
const silence = 2 * time.Second

// What a server says when it takes connections, and when it takes none any more
// since a process of its crashed.
const (
	accepting = "database system is ready to accept connections"
	crashing  = "terminating any other active server processes"
)

// ready waits until the server says that it takes connections, somewhere after
// mark and after the last crash since then, or until it answers; nil asks it
// nothing.
func (s *server) ready(ctx context.Context, mark int, answers func(context.Context) bool) error {
	for {
		news := s.log.changed()
		if s.log.accepts(mark) {
			return nil
		}
		select {
		case <-news:
		case <-time.After(silence):
			if answers != nil && answers(ctx) {
				return nil
			}
		case <-s.running.Ended():
			if err := s.running.Wait(); err != nil {
				return fmt.Errorf("%w: %w", errNotStarted, err)
			}
			return errNotStarted
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// alive tells whether the server runs; one that crashed is given the time to
// recover.
func (s *server) alive(ctx context.Context, mark int) bool {
	select {
	case <-s.running.Ended():
		return false
	default:
	}
	if crashed, _ := s.log.crashed(mark); !crashed {
		// a session may hear of a crash before the server does
		if _, err := s.query(ctx, "postgres", "SELECT 1;"); err == nil || !recovering.MatchString(err.Error()) {
			return true
		}
	}
	ctx, cancel := context.WithTimeout(ctx, s.patience(startTime))
	defer cancel()
	return s.ready(ctx, mark, nil) == nil
}

// settleTime is how long a server may take to notice that a process of its
// crashed, after psql has.
const settleTime = time.Second

// settle waits for the server to say so, somewhere after mark and after its last
// recovery.
func (s *server) settle(ctx context.Context, mark int) {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	for news := s.log.changed(); ; news = s.log.changed() {
		if _, recovering := s.log.crashed(mark); recovering {
			return
		}
		select {
		case <-news:
		case <-s.running.Ended():
			return
		case <-ctx.Done():
			return
		}
	}
}

// recovering is what a server tells its clients after a crash.
var recovering = regexp.MustCompile(`in recovery mode|starting up|shutting down|closed the connection unexpectedly|crash of another server process`)

// stop ends the server as an orderly shutdown does ("fast"). One that does not
// end is made to.
func (s *server) stop(ctx context.Context) error {
	if err := s.running.Signal(syscall.SIGINT); err != nil {
		return err
	}
	most := s.patience(startTime)
	select {
	case <-s.running.Ended():
		return s.running.Wait()
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(most):
		s.abort()
		return fmt.Errorf("the server has not stopped after %v", most)
	}
}

// abortTime is how long a server may take for an immediate shutdown, in which
// it kills after 5 seconds what has not ended by then.
const abortTime = 10 * time.Second

// abort ends the server at once, as a crash would.
func (s *server) abort() {
	for _, sig := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGKILL} {
		_ = s.running.Signal(sig) // it may just have ended
		select {
		case <-s.running.Ended():
			return
		case <-time.After(s.patience(abortTime)):
		}
	}
}

// endTime is how long sessions may take to end.
const endTime = 2 * time.Second

// endAll ends every session but its own, and tells how many are left.
const endAll = `SELECT count(*) FROM (
	SELECT pg_terminate_backend(pid, %d) AS ended FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
) AS s WHERE NOT ended;`

// endSessions ends what sessions that nobody waits for any more still do: the
// next ones would meet their locks. A server that cannot is started again.
func (s *server) endSessions(ctx context.Context) {
	left, err := s.try(ctx, 2*endTime, "postgres", fmt.Sprintf(endAll, endTime.Milliseconds()))
	if err == nil && strings.TrimSpace(left) == "0" || ctx.Err() != nil {
		return
	}
	s.abort()
	_ = s.start(ctx) // who needs the server next sees whether it runs
}

func (s *server) close() { s.sandbox.Close() }
