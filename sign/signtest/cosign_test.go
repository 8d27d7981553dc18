package signtest

import (
	"strings"
	"testing"
)

func TestCosignRuns(t *testing.T) {
	if got := NewCosign(t).Must(t, "version"); !strings.Contains(got, "linux/") {
		t.Errorf("cosign version printed %q", got)
	}
}
