package imagetest

import (
	"testing"
)

func TestRepository(t *testing.T) {
	for name, want := range map[string]string{
		"ghcr.io/cloudnative-pg/pgvector:0.8.1-18-trixie": "pgvector",
		"localhost:5000/pg_cron":                          "pg-cron",
		"h.example/x/PostGIS@sha256:0123":                 "postgis",
		"h.example/x/postgis:3@sha256:0123":               "postgis",
		"oci:dist/pgvector/oci:0.8":                       "pgvector",
		"dist/pgvector/":                                  "pgvector",
		"oci:vendor":                                      "vendor",
		"oci:...:1":                                       "image",
	} {
		if got := repository(name); got != want {
			t.Errorf("repository(%s) = %s, want %s", name, got, want)
		}
	}
}
