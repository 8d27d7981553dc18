package signtest

import (
	"testing"
	"time"

	protoroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	"github.com/sigstore/sigstore-go/pkg/root"
)

// SigningConfig returns the signing config of the deployment with the selected parts
// and the selector ANY.
func (s *Sigstore) SigningConfig(tb testing.TB, parts Part) []byte {
	tb.Helper()
	var authorities, logs, timestamps []root.Service
	if parts&WithFulcio != 0 {
		authorities = append(authorities, offer(s.Fulcio.URL, 1))
	}
	if parts&WithRekor != 0 {
		logs = append(logs, offer(s.Rekor.URL, 1))
	}
	if parts&WithTiles != 0 {
		logs = append(logs, offer(s.Tiles.URL, 2))
	}
	if parts&WithTSA != 0 {
		timestamps = append(timestamps, offer(s.TSA.StampURL(), 1))
	}
	anyOf := root.ServiceConfiguration{Selector: protoroot.ServiceSelector_ANY}
	config, err := root.NewSigningConfig(root.SigningConfigMediaType02, authorities, nil, logs, anyOf, timestamps, anyOf)
	if err != nil {
		tb.Fatal(err)
	}
	text, err := config.MarshalJSON()
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

func offer(url string, version uint32) root.Service {
	return root.Service{URL: url, MajorAPIVersion: version, ValidityPeriodStart: time.Now().Add(-validity), Operator: "signtest"}
}
