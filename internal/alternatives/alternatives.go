package alternatives

import (
	"fmt"
	"path"
	"strconv"
	"strings"
)

// Link is a member of a link group of update-alternatives(1): the arguments
// LINK NAME PATH of --install or --slave.
type Link struct {
	// Path is the generic name, absolute and clean, such as /usr/bin/editor.
	Path string
	// Name is the name in /etc/alternatives.
	Name string
	// Target is the path of the alternative, absolute and clean.
	Target string
	// Priority is the priority of the --install option that the link belongs
	// to; the alternative with the highest priority is used.
	Priority int
	// Slave is true for the links of --slave.
	Slave bool
}

// Unread is an update-alternatives command whose links are unknown.
type Unread struct {
	// Line is the line number in the script, starting at 1.
	Line int
	// Reason is the cause, such as `$DIR has no known value`.
	Reason string
}

// Limits for untrusted scripts. Sizes are in bytes.
const (
	maxScript   = 1 << 20
	maxCommands = 20000
	maxValue    = 64 << 10
	maxExpanded = 4 << 20 // sum over all expanded words of a script
)

// Parse returns the links that a POSIX shell script installs with
// update-alternatives, in the order of the script. vars are the variables of its
// environment (dpkg sets DPKG_MAINTSCRIPT_PACKAGE and DPKG_MAINTSCRIPT_ARCH);
// Parse does not change vars. It returns nothing for text that is not a shell
// script.
func Parse(script string, vars map[string]string) ([]Link, []Unread) {
	if !strings.Contains(script, "update-alternatives") {
		return nil, nil
	}
	if len(script) > maxScript {
		return nil, []Unread{{1, fmt.Sprintf("the script has more than %d bytes", maxScript)}}
	}
	m := &machine{vars: map[string]value{}}
	for name, text := range vars {
		m.vars[name] = value{text: text, known: true}
	}
	commands := split(script)
	m.run(commands, pairs(commands))
	return m.links, m.unread
}

// install parses the arguments of update-alternatives. It returns no links for
// actions other than --install.
func install(args []string) ([]Link, error) {
	var links []Link
	priority := 0
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "--install":
			if len(args) < i+5 {
				return nil, fmt.Errorf("--install needs LINK NAME PATH PRIORITY")
			}
			n, err := strconv.Atoi(args[i+4])
			if err != nil {
				return nil, fmt.Errorf("priority %q is not a number", args[i+4])
			}
			priority = n
			links = append(links, Link{Path: args[i+1], Name: args[i+2], Target: args[i+3]})
			i += 4
		case "--slave":
			if len(args) < i+4 {
				return nil, fmt.Errorf("--slave needs LINK NAME PATH")
			}
			links = append(links, Link{Path: args[i+1], Name: args[i+2], Target: args[i+3], Slave: true})
			i += 3
		case "--remove", "--remove-all", "--set", "--auto", "--display", "--query", "--list", "--config":
			return nil, nil
		}
	}
	for i := range links {
		l := &links[i]
		if !path.IsAbs(l.Path) || !path.IsAbs(l.Target) {
			return nil, fmt.Errorf("link %q to %q is not absolute", l.Path, l.Target)
		}
		l.Path, l.Target, l.Priority = path.Clean(l.Path), path.Clean(l.Target), priority
	}
	return links, nil
}
