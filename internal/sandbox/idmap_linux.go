package sandbox

import (
	"bufio"
	"fmt"
	"os"
)

// canMap reports whether this process may map both its own id and user into a
// sandbox: it is root, and its own user namespace has that id.
func canMap(user int) bool {
	return os.Geteuid() == 0 && hasID("/proc/self/uid_map", user) && hasID("/proc/self/gid_map", user)
}

// hasID reports whether an id is in an id map, whose lines are "inside outside
// count" (user_namespaces(7)).
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
