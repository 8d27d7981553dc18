#!/bin/sh
# Downloads the packages that hold the archives' keys, verified by apt, copies
# the keys beside this script and writes README.md. With --check it writes
# nothing and fails when something would change.
#
#	internal/archive/keyrings/refresh.sh [--check] [SUITE]
#
# SUITE (default forky) is read from the mirror that this machine's own apt
# sources name. Needs a Debian machine with debian-archive-keyring installed.
set -eu

check=
if [ "${1-}" = --check ]; then
	check=yes
	shift
fi
suite=${1-forky}
here=$(cd "$(dirname "$0")" && pwd)
keys='debian-archive-bookworm-automatic.pgp debian-archive-bookworm-stable.pgp
	debian-archive-trixie-automatic.pgp debian-archive-trixie-stable.pgp
	debian-archive-bookworm-security-automatic.pgp debian-archive-trixie-security-automatic.pgp'
pgdg=apt.postgresql.org.asc

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p state/lists/partial cache/archives/partial etc/preferences.d out
: >status
root=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
cat >etc/debian.sources <<END
Types: deb
URIs: ${root:?no Debian archive in the apt sources of this machine}
Suites: $suite
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
apt() {
	apt-get -qq -o Dir::State="$work/state" -o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" \
		-o Dir::Etc="$work/etc" -o Dir::Etc::sourcelist="$work/etc/debian.sources" -o Dir::Etc::sourceparts=/dev/null \
		-o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}
apt update
apt download debian-archive-keyring postgresql-client-common
for deb in *.deb; do
	dpkg-deb -x "$deb" tree
done
for key in $keys; do
	cp "tree/usr/share/keyrings/$key" out/
done
cp "tree/usr/share/postgresql-common/pgdg/$pgdg" out/

version() { dpkg-deb -f "$1"_*.deb Version; }
row() { printf '| `%s` | %s | %s | `%s` |\n' "$1" "$2" "$(version "$2")" "$(sha256sum "out/$1" | cut -d ' ' -f 1)"; }
{
	cat <<'END'
# Keys of the built-in archives

Copied unchanged from Debian packages, which apt verified, by `refresh.sh`; `refresh.sh --check` says whether Debian has
newer ones. Stable release keys and automatic keys of the releases that pgext knows, and nothing older: a key that signs
nothing we read is a key too many. The test of this room compares the files with this table.

| file | package | version | SHA256 |
|---|---|---|---|
END
	for key in $keys; do
		row "$key" debian-archive-keyring
	done
	row "$pgdg" postgresql-client-common
} >out/README.md

if [ -n "$check" ]; then
	for file in out/*; do
		diff -u "$here/${file#out/}" "$file"
	done
	echo "the keys are those of $suite"
	exit
fi
cp out/* "$here/"
