#!/usr/bin/env bash
# Makes a base image of Debian's packages, where no registry of images can be reached: base.sh IMAGE [PACKAGE...].
set -euo pipefail

image=$1
shift
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/engine.sh"
: "${ENGINE:?neither podman nor docker runs here}"
packages=(python3 python3-venv binutils ca-certificates "$@")
# A base of an earlier version has other packages.
label=org.opencontainers.image.description
made=$("$ENGINE" image inspect --format "{{index .Config.Labels \"$label\"}}" "$image" 2>/dev/null) || made=
[ "$made" != "${packages[*]}" ] || exit 0
mmdebstrap --variant=essential --dpkgopt=force-unsafe-io --include "$(IFS=,; echo "${packages[*]}")" \
    bookworm - "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" | "$ENGINE" import --change "LABEL $label=\"${packages[*]}\"" - "$image"
