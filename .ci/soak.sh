#!/usr/bin/env bash
# Builds RECIPES (default pgvector pgaudit hypopg; names of folders of recipes)
# ROUNDS times (default 12) for DISTROS (default forky). The
# rounds differ in folder, time zone, umask, language, jobs and MIRRORS (NAME=URL
# words, taken in turn). Every third starts from an empty cache, every second is
# interrupted somewhere and run again, and two run at a time over one cache.
# All must print the same digests and leave the same files: locks, layouts with
# their referrers, documents. Each round's evidence is judged, and its images are
# built once more from their provenance, offline. `make test` has the short form
# of this.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp bin/pgext "$work/pgext" # the same program throughout
read -r -a mirrors <<<"${MIRRORS:-}"
zones=(UTC Asia/Kathmandu America/St_Johns Pacific/Kiritimati)
languages=(en de tr ja)

# round N: builds in $work/N and leaves there what it printed.
round() {
	local n=$1 dir=$work/$1 cache=$work/cache flags=(--allow-expired) status=0
	mkdir -p "$dir/recipes"
	for r in ${RECIPES:-pgvector pgaudit hypopg}; do
		install -D "$root/recipes/$r/recipe.yaml" "$dir/recipes/$r/recipe.yaml"
	done
	((n % 3)) || cache=$dir/cache
	((${#mirrors[@]})) && flags+=(--mirror "${mirrors[n % ${#mirrors[@]}]}")
	cd "$dir"
	umask "0$((n % 3))$(((n % 4) * 2))"
	export TZ=${zones[n % 4]} LANGUAGE=${languages[n % 4]} PGEXT_CACHE_DIR=$cache
	build=("$work/pgext" build recipes --distro "${DISTROS:-forky}" --jobs $((1 + n % 5)) "${flags[@]}")
	if ((n % 2)); then
		timeout -s INT "$((RANDOM % 3)).$((RANDOM % 10))" "${build[@]}" >interrupted 2>&1 || status=$?
		find . -name '.pgext-*' | grep . && { echo "round $n: half-written files after an interrupt ($status)"; return 1; }
	fi
	"${build[@]}" >out 2>err || { cat err; return 1; }
	"$work/pgext" verify --insecure-ignore-signatures --offline dist/* >judged || { cat judged; return 1; }
	"$work/pgext" rebuild --offline dist/* >rebuilt || { cat rebuilt; return 1; }
	find dist recipes -type f -exec sha256sum {} + | sort >files
	grep -o '"artifactType":"[^"]*"' dist/*/oci/index.json >referrers
}

# complete: every image has an SBOM in two forms, and provenance, for each of
# two architectures: as files and attached.
complete() {
	local images files attached
	images=$(wc -l <rebuilt)
	files=$(grep -c -E '\.(spdx|cdx|provenance)\.json$' files)
	attached=$(wc -l <referrers)
	((images > 0 && files == 6 * images && attached == files)) && return
	echo "$images images with $files documents and $attached referrers"
	return 1
}

for ((n = 0; n < ${ROUNDS:-12}; n += 2)); do
	(round "$n") &
	first=$!
	(round "$((n + 1))") || { echo "round $((n + 1)) failed" >&2; exit 1; }
	wait "$first" || { echo "round $n failed" >&2; exit 1; }
	for i in "$n" "$((n + 1))"; do
		cmp "$work/0/out" "$work/$i/out"
		for same in files judged rebuilt referrers; do
			cmp "$work/0/$same" "$work/$i/$same"
		done
		(cd "$work/$i" && complete)
		echo "round $i: the same $(wc -l <"$work/$i/files") files, $(wc -l <"$work/$i/referrers") referrers"
		((i)) && rm -rf "${work:?}/$i"
	done
done
cat "$work/0/out"
