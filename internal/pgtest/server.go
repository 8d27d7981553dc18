package pgtest

import (
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

// startTime is the time limit for a start or a stop of the server.
const startTime = 60 * time.Second

// fixed are the parameters that do not depend on the images: those that
// CloudNativePG sets and an extension may notice, and those of a run in memory.
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

// server is a PostgreSQL server in its own sandbox.
type server struct {
	sandbox *sandbox.Sandbox
	major   int
	args    []string
	env     []string
	log     *serverLog
	running *sandbox.Process
	// slow means that an emulator runs it.
	slow bool
}

// timeout returns the time limit for an action that takes at most d without an
// emulator.
func (s *server) timeout(d time.Duration) time.Duration {
	if s.slow {
		return 10 * d
	}
	return d
}

// newServer prepares a server with the images and a new cluster.
func newServer(ctx context.Context, in Input, o Options) (*server, error) {
	tar, err := template(ctx, o.Cache, in)
	if err != nil {
		return nil, err
	}
	defer tar.Close()
	return openServer(ctx, in, tar)
}

// openServer prepares a server with the images, in the order in which a Cluster
// lists them, and with the cluster in the archive tar.
func openServer(ctx context.Context, in Input, tar io.Reader) (*server, error) {
	spec := in.spec()
	for _, i := range in.images() {
		spec.Binds = append(spec.Binds, sandbox.Bind{Source: i.Dir, Target: cnpg.MountPath(i.Metadata.Name)})
	}
	sb, err := sandbox.Open(ctx, spec)
	if err != nil {
		return nil, err
	}
	s := &server{sandbox: sb, major: in.Postgres, log: newServerLog(), slow: in.Emulator != nil}
	merged, _ := metadata.Merge(in.metadata())
	s.args, s.env = in.command(merged)
	if err := runProgram(ctx, sb, sandbox.Command{Args: []string{"/usr/bin/tar", "--extract", "--directory=" + rootfs.Home}, Stdin: tar}); err != nil {
		sb.Close()
		return nil, fmt.Errorf("copying the cluster: %w", err)
	}
	return s, nil
}

// command returns the server's command line and environment.
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

// preload returns shared_preload_libraries: the operand's own libraries before
// those of the images.
func (in Input) preload(m metadata.Server) []string {
	var list []string
	for _, name := range operandModules {
		if slices.Contains(in.Preload, name) {
			list = append(list, name)
		}
	}
	return appendNew(appendNew(list, m.SharedPreloadLibraries...), in.Preload...)
}

// errNotStarted means that the server ended before it was ready.
var errNotStarted = errors.New("the server does not start")

// start starts the server and waits until it accepts connections. The error ends
// with the last messages of the server, which does not run then.
func (s *server) start(ctx context.Context) error {
	most := s.timeout(startTime)
	own, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	mark := s.log.mark()
	p, err := s.sandbox.Start(sandbox.Command{Args: s.args, Env: s.env, Dir: rootfs.Home, Stdout: s.log, Stderr: s.log})
	if err != nil {
		return err
	}
	s.running = p
	err = s.ready(own, mark, s.accepts)
	if err == nil || ctx.Err() != nil {
		return err
	}
	messages := lastMessages(s.log.since(mark))
	switch {
	case own.Err() != nil:
		s.abort()
		err = fmt.Errorf("the server was not ready within %v", most)
	case messages != "":
		err = errNotStarted // without the exit code, which adds nothing
	}
	if messages != "" {
		err = fmt.Errorf("%w\n%s", err, messages)
	}
	return err
}

// accepts reports whether the server accepts connections. It does not depend on
// the log, which an image's parameters may suppress.
func (s *server) accepts(ctx context.Context) bool {
	return s.sandbox.Run(ctx, sandbox.Command{
		Args: []string{bin(s.major, "pg_isready"), "--quiet", "--host=/run/postgresql"}, Env: environment(nil),
	}) == nil
}

// pollTime is the time without a log message after which pg_isready is called.
const pollTime = 2 * time.Second

// Messages of the server: it accepts connections; it ends all connections since one
// of its processes crashed.
const (
	accepting = "database system is ready to accept connections"
	crashing  = "terminating any other active server processes"
)

// ready waits until the log has the message accepting after mark and after the last
// crash since mark, or until accepts, which may be nil, returns true.
func (s *server) ready(ctx context.Context, mark int, accepts func(context.Context) bool) error {
	for {
		changed := s.log.changed()
		if s.log.accepts(mark) {
			return nil
		}
		select {
		case <-changed:
		case <-time.After(pollTime):
			if accepts != nil && accepts(ctx) {
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

// alive reports whether the server runs. After a crash it waits for the recovery.
func (s *server) alive(ctx context.Context, mark int) bool {
	select {
	case <-s.running.Ended():
		return false
	default:
	}
	if crashed, _ := s.log.crashed(mark); !crashed {
		// a session may end before the server has logged the crash
		if _, err := s.query(ctx, "postgres", "SELECT 1;"); err == nil || !recovering.MatchString(err.Error()) {
			return true
		}
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout(startTime))
	defer cancel()
	return s.ready(ctx, mark, nil) == nil
}

// crashTime is the time limit for the server to log the crash of a process, after
// psql has lost its connection.
const crashTime = time.Second

// awaitCrash waits until the server has logged a crash after mark, from which it
// has not recovered.
func (s *server) awaitCrash(ctx context.Context, mark int) {
	ctx, cancel := context.WithTimeout(ctx, crashTime)
	defer cancel()
	for changed := s.log.changed(); ; changed = s.log.changed() {
		if _, recovering := s.log.crashed(mark); recovering {
			return
		}
		select {
		case <-changed:
		case <-s.running.Ended():
			return
		case <-ctx.Done():
			return
		}
	}
}

// recovering matches the errors that clients get after a crash.
var recovering = regexp.MustCompile(`in recovery mode|starting up|shutting down|closed the connection unexpectedly|crash of another server process`)

// stop shuts the server down in fast mode. A server that does not end within
// startTime is killed.
func (s *server) stop(ctx context.Context) error {
	if err := s.running.Signal(syscall.SIGINT); err != nil {
		return err
	}
	most := s.timeout(startTime)
	select {
	case <-s.running.Ended():
		return s.running.Wait()
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(most):
		s.abort()
		return fmt.Errorf("the server did not stop within %v", most)
	}
}

// abortTime is the time limit for an immediate shutdown, in which the server kills
// its processes after 5 seconds.
const abortTime = 10 * time.Second

// abort shuts the server down in immediate mode, then kills it.
func (s *server) abort() {
	for _, sig := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGKILL} {
		_ = s.running.Signal(sig) // fails only if it has ended
		select {
		case <-s.running.Ended():
			return
		case <-time.After(s.timeout(abortTime)):
		}
	}
}

// endTime is the time limit for sessions to end.
const endTime = 2 * time.Second

// endAll ends all other sessions and returns how many are left.
const endAll = `SELECT count(*) FROM (
	SELECT pg_terminate_backend(pid, %d) AS ended FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
) AS s WHERE NOT ended;`

// endSessions ends all sessions after a timeout, since their locks would block the
// next ones. If that fails it starts the server again.
func (s *server) endSessions(ctx context.Context) {
	left, err := s.runPsql(ctx, 2*endTime, "postgres", fmt.Sprintf(endAll, endTime.Milliseconds()))
	if err == nil && strings.TrimSpace(left) == "0" || ctx.Err() != nil {
		return
	}
	s.abort()
	_ = s.start(ctx) // the next check fails without a server
}

func (s *server) close() { s.sandbox.Close() }
