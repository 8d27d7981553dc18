package sign

// Versions of the Rekor API. Entries of version 2 (tiles) have an inclusion proof,
// but no signed entry timestamp and no time.
const (
	rekorV1 = 1
	rekorV2 = 2
)

// Log is a transparency log.
type Log struct {
	URL string
	// Version of the Rekor API: 1 or 2; 0 means 1.
	Version int
}

// checkLog returns an error for a log that the other options exclude.
func (o Options) checkLog(l Log) error {
	switch {
	case l.Version < 0 || l.Version > rekorV2:
		return servicesError("", "unsupported version %d of the Rekor API", l.Version)
	case l.Version != rekorV2:
		return nil
	case o.Format.legacy():
		return servicesError("use --signature-format bundle or --rekor-version 1", "legacy signatures cannot contain entries of a Rekor log of version 2")
	case len(o.TimestampURLs) == 0:
		return servicesError("pass --timestamp-url", "a Rekor log of version 2 needs a timestamp authority, because its entries have no time")
	}
	return nil
}

// Services are the services of a deployment that a signer uses.
type Services struct {
	// FulcioURL is "" if the deployment has no Fulcio.
	FulcioURL     string
	Logs          []Log
	TimestampURLs []string
}
