#!/bin/sh
# Builds the pgvector image from the live archive with an empty cache, pushes
# it to a registry on loopback, reads it back from there, prints what is in it,
# judges it by its SBOM and provenance, and builds it again from the latter.
# The recipe is copied, so that its lock is made again. The image stays in dist/;
# the rest is in a temporary folder, which is removed.
set -eu
work=$(mktemp -d)
registry=
trap 'test -z "$registry" || kill "$registry" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT PIPE TERM
cp -R recipes/pgvector "$work/pgvector"
rm -f "$work/pgvector/pgext.lock"
export PGEXT_CACHE_DIR="$work/cache"

say() { printf '\n$ %s\n' "$*"; }

say pgext serve --memory
bin/pgext serve --memory --listen 127.0.0.1:0 >"$work/address" &
registry=$!
while ! [ -s "$work/address" ]; do sleep 0.1; done
address=$(cat "$work/address")
echo "$address"

build() {
	say pgext build recipes/pgvector --distro forky --push "$address/demo" "$@"
	bin/pgext build "$work/pgvector" --distro forky --output dist --push "$address/demo" "$@" 2>"$work/errors" >"$work/tags"
}
status=0
build || status=$?
cat "$work/errors" "$work/tags"
if [ "$status" = 13 ] && grep -q -- --allow-expired "$work/errors"; then
	echo "The mirror's Release is past its date, so pgext refused it; once more, allowing that:"
	status=0
	build --allow-expired || status=$?
	cat "$work/errors" "$work/tags"
fi
[ "$status" = 0 ] || exit "$status"

tag=$(head -n 1 "$work/tags")
say pgext inspect "$tag"
bin/pgext inspect "$tag"

say pgext verify --insecure-ignore-signatures "$tag"
bin/pgext verify --insecure-ignore-signatures "$tag"

say pgext rebuild "$tag"
bin/pgext rebuild "$tag"
