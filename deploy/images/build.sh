#!/usr/bin/env bash
# Builds the images of the parts that are named, all of them by default, with podman or docker.
#
#   BASE_IMAGE  what the build starts from: an image with Python from 3.11, its venv module, binutils and CA certificates
#   REGISTRY    what the images' names begin with, such as ghcr.io/acme
#   ENGINE      podman or docker; by default whichever works
set -euo pipefail
cd "$(dirname "$0")/../.."

. deploy/images/engine.sh
: "${ENGINE:?neither podman nor docker runs here}"
version=$(cat VERSION)
registry=${REGISTRY:-localhost}
# The CA certificates of this machine, for those who reach the package index through a proxy of theirs.
certificates=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
parts=("$@")
[ $# -gt 0 ] || parts=(gateway preprocess asr enhancement summary cli)

options=(
    --build-arg "BASE_IMAGE=${BASE_IMAGE:-python:3.11-bookworm}"
    --build-arg "VERSION=$version"
    --build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)"
    --secret "id=ca,src=$certificates"
    --network host
    --file deploy/images/Dockerfile
)
# Only Docker's format of images has health checks.
[ "$ENGINE" = docker ] || options+=(--format docker --isolation oci --layers)

for part in "${parts[@]}"; do
    lock=maie-$part
    [ "$part" != cli ] || lock=cli-without-mesh
    image=$registry/maie-$part:$version
    began=$SECONDS
    mkdir -p .cache/log
    "$ENGINE" build "${options[@]}" --build-arg "PART=$part" --build-arg "LOCK=$lock" --tag "$image" . >".cache/log/image-$part.log" 2>&1 || {
        tail -n 40 ".cache/log/image-$part.log"
        echo "✗ the image of $part could not be built: see above" >&2
        exit 1
    }
    bytes=$("$ENGINE" image inspect --format '{{.Size}}' "$image")
    printf '· %-45s %5d MB, built in %d s\n' "$image" $((bytes / 1000000)) $((SECONDS - began))
done
