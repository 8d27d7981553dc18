#!/bin/sh
# Tries the recipes out on a real PostgreSQL server: those of the folder
# RECIPES, for DISTRO, for ARCH or this machine. Recipes are copied, so
# that no lock is written beside them. The report is in bin/live.xml.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
cp -R "${RECIPES:-recipes}" "$work/recipes"
status=0
bin/pgext test "$work/recipes" --distro "${DISTRO:-forky}" --arch "${ARCH:-$(dpkg --print-architecture)}" \
	--allow-expired --output "$work/dist" --junit bin/live.xml || status=$?
exit "$status"
