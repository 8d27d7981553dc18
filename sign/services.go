package sign

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

// suits refuses a log that cannot be used with the rest of o.
func (o Options) suits(l Log) error {
	switch {
	case l.Version < 0 || l.Version > rekorTiles:
		return servicesError("", "unsupported version %d of the Rekor API", l.Version)
	case l.Version != rekorTiles:
		return nil
	case o.Format.legacy():
		return servicesError("use --signature-format bundle, or a log with --rekor-version 1", "a legacy signature cannot hold an entry of a Rekor log of version 2")
	case len(o.TimestampURLs) == 0:
		return servicesError("name one with --timestamp-url", "a Rekor log of version 2 needs a timestamp authority too, because its entries have no time")
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
