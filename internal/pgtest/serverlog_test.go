package pgtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sampleLog = `@postmaster||00000|| LOG:  database system is ready to accept connections
@client backend|x|42P01|pgext| ERROR:  relation "absent" does not exist at character 15
@client backend|x|42P01|pgext| STATEMENT:  SELECT * FROM absent;
@client backend|x|XX000|another| ERROR:  of a stranger
@pg_cron launcher|postgres|42P01|pg_cron| ERROR:  relation "cron.job" does not exist
	with a second line
@pg_cron launcher|postgres|XX000|pg_cron| ERROR:  could not open relation with OID 16389
@pg_cron launcher|postgres|XX000|pg_cron| ERROR:  could not open relation mapping file
@logical replication launcher||57P01|| FATAL:  terminating background worker "logical replication launcher" due to administrator command
@postmaster||00000|| LOG:  client backend (PID 12) was terminated by signal 11: Segmentation fault
@startup||XX000|| PANIC:  could not locate a valid checkpoint record
@postmaster||00000|| LOG:  background worker "x" (PID 3) exited with exit code 1
@powa||3D000|| FATAL:  database "powa" does not exist
@worker||22000|| FATAL:  out of luck
not an entry
`

func TestFaults(t *testing.T) {
	bad, notes := faults(sampleLog)
	if diff := cmp.Diff(bad, []string{
		"client backend: ERROR: of a stranger",
		"pg_cron launcher: ERROR: could not open relation mapping file",
		"postmaster: LOG: client backend (PID 12) was terminated by signal 11: Segmentation fault",
		"startup: PANIC: could not locate a valid checkpoint record",
		"worker: FATAL: out of luck",
	}); diff != "" {
		t.Errorf("faults (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(notes, []string{
		"pg_cron launcher: ERROR: relation \"cron.job\" does not exist\n\twith a second line",
		"pg_cron launcher: ERROR: could not open relation with OID 16389",
		"powa: FATAL: database \"powa\" does not exist",
	}); diff != "" {
		t.Errorf("worth noting (-got +want):\n%s", diff)
	}
}

func TestShorten(t *testing.T) {
	if got, want := shorten([]string{"c", "a", "b", "a", "d"}, 2), "a\nb\nand 2 more"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLastMessages(t *testing.T) {
	for _, tc := range []struct{ name, log, want string }{
		{"the reason", "@postmaster||58P01|| FATAL:  could not access file \"absent\": No such file or directory\n@postmaster||00000|| LOG:  database system is shut down\n", "FATAL: could not access file \"absent\": No such file or directory"},
		{"no entry", "a\nb\nc\nd\ne\nsomething of the loader\n", "b\nc\nd\ne\nsomething of the loader"},
		{"nothing", "", ""},
	} {
		if got := lastMessages(tc.log); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

// TestServerLogIsBounded: the beginning and the end of a long log are kept.
func TestServerLogIsBounded(t *testing.T) {
	l := newServerLog()
	changed := l.changed()
	write(t, l, "first\n")
	select {
	case <-changed:
	default:
		t.Error("the channel is not closed")
	}
	line := strings.Repeat("x", 1023) + "\n"
	for range 20 << 10 {
		write(t, l, line)
	}
	mark := l.mark()
	write(t, l, "last\n")
	log := l.since(0)
	if len(log) > 2*keptLog+100 || !strings.HasPrefix(log, "first\n") || !strings.HasSuffix(log, "\nlast\n") {
		t.Errorf("%d bytes are kept, from %.10q to %q", len(log), log, log[max(0, len(log)-10):])
	}
	left := fmt.Sprintf("\n-- %d bytes are left out --\n", l.dropped())
	if !strings.Contains(log, left) || l.dropped() != mark+5-2*keptLog {
		t.Errorf("%d bytes are lost of %d; %q is not in it", l.dropped(), mark+5, left)
	}
	if got := l.since(mark); got != "last\n" {
		t.Errorf("since the mark: got %q", got)
	}
	if got := l.since(mark - 4); got != "xxx\nlast\n" {
		t.Errorf("before the mark: got %q", got)
	}
	if short := newServerLog(); short.dropped() != 0 || short.since(0) != "" {
		t.Errorf("a new log has %q, and lost %d", short.since(0), short.dropped())
	}
}
