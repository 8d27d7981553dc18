package sandbox

// The protocol between the owner of a sandbox and its first process: one JSON
// document a packet, over a socket pair. A packet that starts a command carries
// its three standard streams.

// maxPacket bounds a packet in bytes; Linux gives a socket about 200 KiB.
const maxPacket = 160 << 10

// request goes to the first process. The first request has Setup; each later one
// starts or signals the command ID.
type request struct {
	Setup  *setup   `json:",omitempty"`
	ID     int      `json:",omitempty"`
	Args   []string `json:",omitempty"`
	Env    []string `json:",omitempty"`
	Dir    string   `json:",omitempty"`
	Signal int      `json:",omitempty"`
}

// setup is a Spec with the owner's knowledge of user ids.
type setup struct {
	Spec Spec
	// Many means that the ids of root and of the Spec's User both exist in the
	// sandbox; otherwise its only id is the owner's, shared by root and the user.
	Many bool
}

// event comes from the first process: with ID 0 it is the response to Setup, with
// another ID it reports that a command ended or could not be started.
type event struct {
	ID    int
	Error string `json:",omitempty"`
	// Errno is the kernel's error code in the step Step of the setup.
	Errno int    `json:",omitempty"`
	Step  string `json:",omitempty"`
	// Code and Signal are the fields of ExitError.
	Code   int `json:",omitempty"`
	Signal int `json:",omitempty"`
}
