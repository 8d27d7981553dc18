package sign

import (
	"bytes"
	"errors"
	"io"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

// times are those at which the certificate of c has to be valid.
func (t *Trust) times(c *candidate, trusted root.TrustedMaterial) ([]time.Time, error) {
	var times []time.Time
	if t.logged(true) && !t.rules.Timestamp {
		logged, err := verify.VerifyTlogEntry(c.bundle, trusted, 1, true)
		if err != nil {
			return nil, reject(LogMismatch, "its log entry: %w", err)
		}
		for _, l := range logged {
			times = append(times, l.Time)
		}
	}
	stamps, err := c.bundle.Timestamps()
	if err != nil {
		return nil, reject(BadTimestamp, "%w", err)
	}
	good, bad, err := verify.VerifySignedTimestamp(c.bundle, trusted)
	if err != nil {
		return nil, reject(BadTimestamp, "its timestamp: %w", err)
	}
	for _, g := range good {
		times = append(times, g.Time)
	}
	switch {
	case len(times) > 0:
		return times, nil
	case len(stamps) > 0:
		return nil, badTimestamp(trusted, errors.Join(bad...))
	case t.logged(true):
		return nil, reject(NoTime, "neither its log entry nor a timestamp says when it was made")
	}
	return []time.Time{time.Now()}, nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func (c *candidate) readers() []io.Reader { return []io.Reader{bytes.NewReader(c.payload)} }
