package sandbox

// What the owner of a sandbox and its first process say to each other: one
// JSON document a packet, over a socket pair. A packet that starts a command
// carries its three standard streams.

// maxPacket bounds a packet in bytes; Linux gives a socket about 200 KiB.
const maxPacket = 160 << 10

// request goes to the first process. The first one has Setup, each later one
// starts or signals the command ID.
type request struct {
	Setup  *setup   `json:",omitempty"`
	ID     int      `json:",omitempty"`
	Args   []string `json:",omitempty"`
	Env    []string `json:",omitempty"`
	Dir    string   `json:",omitempty"`
	Signal int      `json:",omitempty"`
}

// setup is a Spec with what the owner knows about user ids.
type setup struct {
	Spec Spec
	// Many tells that the ids of root and of the Spec's User both exist in the
	// sandbox; else its only id is the owner's, which root and the user share.
	Many bool
}

// event comes back: the answer to the setup has ID 0, every other one tells
// that a command ended, or could not be started.
type event struct {
	ID    int
	Error string `json:",omitempty"`
	// Errno is what the kernel said; Step what was being done.
	Errno int    `json:",omitempty"`
	Step  string `json:",omitempty"`
	// Code and Signal are those of a command.
	Code   int `json:",omitempty"`
	Signal int `json:",omitempty"`
}
