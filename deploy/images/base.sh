#!/usr/bin/env bash
# Makes a base image of Debian's packages, where no registry of images can be reached: base.sh IMAGE.
set -euo pipefail

image=$1
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/engine.sh"
: "${ENGINE:?neither podman nor docker runs here}"
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
"$ENGINE" image inspect "$image" >/dev/null 2>&1 && exit 0
[ "$(id -u)" = 0 ] || { echo "✗ debootstrap needs root; name an image with Python by BASE_IMAGE instead." >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
debootstrap --variant=minbase --include=python3,python3-venv,binutils,ca-certificates bookworm "$folder" "$mirror"
rm -rf "$folder"/var/cache/apt/archives/*.deb "$folder"/var/lib/apt/lists/*
tar -C "$folder" -cf - . | "$ENGINE" import - "$image"
