package sign

import "fmt"

// Versions of Rekor's API. The log of version 2 is made of tiles: its entries
// carry a proof, and neither a promise nor a time.
const (
	rekorTrees = 1
	rekorTiles = 2
)

// Log is a transparency log.
type Log struct {
	URL string
	// Version is that of its API: 1 or 2; 0 means 1.
	Version int
}

// ServicesError says why services cannot sign, or not together.
type ServicesError struct {
	Reason string

	hint string
}

func (e *ServicesError) Error() string { return "services to sign with: " + e.Reason }

// Hint says which others would do.
func (e *ServicesError) Hint() string { return e.hint }

// suits refuses a log that cannot be used with the rest of o.
func (o Options) suits(l Log) error {
	switch {
	case l.Version < 0 || l.Version > rekorTiles:
		return &ServicesError{Reason: fmt.Sprintf("version %d of Rekor's API is not known", l.Version)}
	case l.Version != rekorTiles:
		return nil
	case o.Format.legacy():
		return &ServicesError{
			Reason: "a legacy signature has no room for an entry of a Rekor log of version 2",
			hint:   "--signature-format bundle has it; --rekor-version 1 asks for another log",
		}
	case len(o.TimestampURLs) == 0:
		return &ServicesError{
			Reason: "an entry of a Rekor log of version 2 has no time, so signing needs a timestamp authority too",
			hint:   "--timestamp-url names one",
		}
	}
	return nil
}

// Services are those of a deployment that sign.
type Services struct {
	// FulcioURL is "" where none certifies keys.
	FulcioURL     string
	Logs          []Log
	TimestampURLs []string
}
