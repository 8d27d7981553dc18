package sandbox

import (
	"bufio"
	"fmt"
	"os"
)

// canMap tells whether this process may give a sandbox both its own ids and
// those of user: it is root, and its own user namespace has them.
func canMap(user int) bool {
	return os.Geteuid() == 0 && hasID("/proc/self/uid_map", user) && hasID("/proc/self/gid_map", user)
}

// hasID looks for an id among the lines "inside outside count" of an id map
// (user_namespaces(7)).
func hasID(path string, id int) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var inside, outside, count int
		if _, err := fmt.Sscan(s.Text(), &inside, &outside, &count); err == nil && inside <= id && id-inside < count {
			return true
		}
	}
	return false
}
