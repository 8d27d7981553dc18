#!/bin/sh
# Runs every test. Tests that compare with a real program are skipped where the
# program is not installed, and are listed at the end. With
# PGEXT_ORACLES=required such a test fails instead.
set -eu
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT INT TERM
status=0
PGEXT_ORACLE_LOG=$log go test -timeout 10m ${GOTESTFLAGS:-} ./... || status=$?
missing=$(find "$log" -type f | wc -l)
if [ "$missing" -gt 0 ]; then
	echo
	echo "$missing comparisons with real programs did not run:"
	cat "$log"/* | sort | sed 's/^/  /'
else
	echo "all comparisons with real programs ran"
fi
exit "$status"
