#!/usr/bin/env bash
# Measures pgext against its budgets: the best of RUNS runs on the clock, with
# the processor time of that run beside it, since other programs that run at
# the same time cost one of them only. Nothing fails for being slow; a line
# over its budget says so. Everything is made in a temporary folder; the live
# archive is read once.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${RUNS:-5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pgext=$work/pgext
cp bin/pgext "$pgext" # the same program throughout
cd "$work"
export PGEXT_CACHE_DIR=$work/cache LC_ALL=C
cp -R "$OLDPWD/recipes/pgvector" recipe
rm -f recipe/pgext.lock

# best COMMAND…: sets wall and cpu, in ms, to those of the fastest run. Before
# each the function reset is called, outside the clock.
reset() { :; }
best() {
	local TIMEFORMAT='%3R %3U %3S' line
	wall= cpu=
	for _ in $(seq "$runs"); do
		reset
		line=$({ time "$@" >"$work/out" 2>"$work/err" || cat "$work/err" >&2; } 2>&1)
		read -r w c < <(awk '{printf "%.0f %.0f\n", $1 * 1000, ($2 + $3) * 1000}' <<<"$line")
		if [ -z "$wall" ] || [ "$w" -lt "$wall" ]; then wall=$w cpu=$c; fi
	done
}

# peak COMMAND…: the most memory that one run has resident, in MB; "?" without
# GNU time.
peak() {
	[ -x /usr/bin/time ] || { echo '?'; return; }
	reset
	/usr/bin/time -f %M -o "$work/peak" "$@" >/dev/null 2>&1
	awk '{printf "%.0f\n", $1 / 1024}' "$work/peak"
}

# row WHAT VALUE BUDGET UNIT NOTE
row() {
	local verdict=
	[ "$3" = - ] || ! awk -v v="$2" -v b="$3" 'BEGIN {exit !(v + 0 > b + 0)}' || verdict='  OVER'
	printf '%-62s %8s %8s %-5s %s%s\n' "$1" "$2" "$3" "$4" "$5" "$verdict"
}

echo "$(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg 2>/dev/null || echo '?'), best of $runs"
printf '%-62s %8s %8s\n' '' measured budget

runs=$((4 * runs)) best "$pgext" version
start=$wall
row 'pgext version' "$wall" 20 ms "cpu $cpu ms"
row 'size of the program' "$(wc -c <"$pgext" | awk '{printf "%.1f", $1 / 1e6}')" 40 MB ''

args=(build recipe --distro forky --allow-expired)
"$pgext" "${args[@]}" --dry-run >/dev/null
resolve=("$pgext" "${args[@]}" --dry-run --offline)
best "${resolve[@]}"
row 'resolve over forky, amd64 and arm64, less start-up' $((wall - start)) 200 ms "cpu $cpu ms"

reset() { rm -rf "$PGEXT_CACHE_DIR"/v*/records/packages; }
best "${resolve[@]}"
row 'the same with nothing parsed' "$wall" 3000 ms "cpu $cpu ms"
row '  its memory' "$(peak "${resolve[@]}")" 300 MB ''

reset() { :; }
"$pgext" "${args[@]}" >/dev/null 2>&1
one=("$pgext" build recipe --distro forky --arch amd64 --locked --offline)
reset() { rm -rf dist; }
best "${one[@]}"
row 'build pgvector for amd64: locked, cached, no output' "$wall" 150 ms "cpu $cpu ms"

reset() { :; }
written() { find dist recipe -type f -printf '%p %i %T@\n' | sort; }
before=$(written)
best "${one[@]}"
[ "$(written)" = "$before" ] && note='no file rewritten' || note='FILES REWRITTEN'
row 'the same with nothing changed' "$wall" 50 ms "cpu $cpu ms, $note"

# judged FOLDER: verify and rebuild what is in dist, start-up included.
judged() {
	best "$pgext" verify --insecure-ignore-signatures --offline "dist/$1"
	row "verify $1, amd64, without signatures" "$wall" - ms "cpu $cpu ms"
	best "$pgext" rebuild --offline "dist/$1"
	row "rebuild $1, amd64, from its provenance, cached" "$wall" - ms "cpu $cpu ms"
}
judged pgvector
cp -R "$OLDPWD/recipes/postgis-3" .
"$pgext" build postgis-3 --distro forky --arch amd64 --allow-expired >/dev/null 2>&1
judged postgis-3

cd "$OLDPWD"
echo
echo "SBOM and provenance, with their files and referrers: a locked, cached build for amd64 with no output, with them and without, in turn:"
go test -run '^$' -bench '^BenchmarkDocuments$' -benchtime "${runs}x" ./builder -args -recipes "$work/recipe $work/postgis-3" -cache "$PGEXT_CACHE_DIR" >"$work/bench" || { cat "$work/bench"; exit 1; }
awk '
	/^BenchmarkDocuments/ {
		split($1, name, "/"); sub(/-[0-9]+$/, "", name[2])
		for (i = 3; i < NF; i++) v[$(i + 1)] = $i
		budget = (name[2] == "recipe") ? 60 : "-"
		if (name[2] == "recipe") name[2] = "pgvector"
		added = v["whole-cpu-ms"] - v["bare-cpu-ms"]
		printf "%-62s %8.1f %8s ms    %.1f with, %.1f without: × %.2f, by the clock %.1f and %.1f%s\n", name[2] ": processor time they add", added, budget,
			v["whole-cpu-ms"], v["bare-cpu-ms"], v["whole-cpu-ms"] / v["bare-cpu-ms"], v["whole-ms"], v["bare-ms"], (budget != "-" && added > budget) ? "  OVER" : ""
		printf "%-62s %8.1f %8s ms    %.1f by the clock\n", "  of this the documents themselves", v["documents-cpu-ms"], "-", v["documents-ms"]
	}' "$work/bench"

echo
echo "Signing a build: an index, two manifests, six attestations:"
go test -run '^$' -bench '^BenchmarkSignBuild$/^(bundle|opened)$' -benchtime "${runs}x" ./sign >"$work/bench" || { cat "$work/bench"; exit 1; }
awk '
	/^BenchmarkSignBuild/ { split($1, name, "/"); sub(/-[0-9]+$/, "", name[2]); ms[name[2]] = $3 / 1e6 }
	END {
		printf "%-62s %8.0f %8s ms\n", "nine signatures, and the password of the key (scrypt)", ms["bundle"], "-"
		printf "%-62s %8.0f %8s ms\n", "the same, with legacy tags, and the key open", ms["opened"], "-"
	}' "$work/bench"

echo
echo "PostGIS' packages, with all they depend on, on all processors, as multiples of the processor time of the decoder alone:"
go test -run '^$' -bench '^BenchmarkPostGIS$' -benchtime 1x -v ./debextract >"$work/bench" || { cat "$work/bench"; exit 1; }
awk '
	/ packages$/ { packages = $(NF - 1) }
	/^BenchmarkPostGIS/ {
		split($1, name, "/"); sub(/-[0-9]+$/, "", name[2])
		for (i = 3; i < NF; i++) if ($(i + 1) == "cpu-s/op") cpu[name[2]] = $i
		for (i = 3; i < NF; i++) if ($(i + 1) == "peak-MiB") peak[name[2]] = $i
	}
	END {
		over = (cpu["walk"] > 1.15 * cpu["decode"]) ? "  OVER" : ""
		fat = (peak["walk"] > 300) ? "  OVER" : ""
		printf "%-62s %8.2f %8s ×\n", "decode them with xz, in dpkg-deb", cpu["xz"] / cpu["decode"], "-"
		printf "%-62s %8.2f %8s ×%s\n", "extract them (" packages " packages)", cpu["walk"] / cpu["decode"], "1.15", over
		printf "%-62s %8.2f %8s ×\n", "extract them, taking digests", cpu["walk-sha256"] / cpu["decode"], "-"
		printf "%-62s %8.0f %8s MB%s\n", "  memory", peak["walk"], "300", fat
	}' "$work/bench"
