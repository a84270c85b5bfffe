#!/usr/bin/env bash
# Makes a base image of Debian's packages, where no registry of images can be reached: base.sh IMAGE [PACKAGE...].
set -euo pipefail

image=$1
shift
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/engine.sh"
: "${ENGINE:?neither podman nor docker runs here}"
"$ENGINE" image inspect "$image" >/dev/null 2>&1 && exit 0
packages=(python3 python3-venv binutils ca-certificates "$@")
mmdebstrap --variant=essential --dpkgopt=force-unsafe-io --include "$(IFS=,; echo "${packages[*]}")" \
    bookworm - "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" | "$ENGINE" import - "$image"
