#!/usr/bin/env bash
# Builds the images of the parts that are named, all of them by default, with podman or docker.
#
#   BASE_IMAGE  what the build starts from: an image with Python from 3.11, its venv module, binutils and CA certificates
#   VARIANT     cpu, or cuda for NVIDIA's GPUs, which asr, enhancement and summary have
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
variant=${VARIANT:-cpu}
case $variant in
cpu)
    parts=(gateway web preprocess asr diarization quality alignment enhancement summary synthesis cli)
    tag=$version
    declare -A locks=([cli]=cli-without-mesh)
    ;;
cuda)
    parts=(asr enhancement summary)
    tag=$version-cuda
    declare -A locks=([asr]=asr-cuda [enhancement]=llm-cuda [summary]=llm-cuda)
    ;;
*)
    echo "✗ VARIANT is cpu or cuda, and not $variant" >&2
    exit 1
    ;;
esac
[ $# = 0 ] || parts=("$@")

options=(
    --target "$variant"
    --build-arg "BASE_IMAGE=${BASE_IMAGE:-python:3.11-bookworm}"
    --build-arg "VERSION=$version"
    --build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)"
    --secret "id=ca,src=$certificates"
    --network host
    --file deploy/images/Dockerfile
)
# Only Docker's format of images has health checks.
[ "$ENGINE" = docker ] || options+=(--format docker --isolation oci --layers)

mkdir -p .cache/log
for part in "${parts[@]}"; do
    [ "$variant" = cpu ] || [ -n "${locks[$part]:-}" ] || {
        echo "✗ $part has no image for GPUs" >&2
        exit 1
    }
    lock=${locks[$part]:-maie-$part}
    image=$registry/maie-$part:$tag
    log=.cache/log/image-$part-$variant.log
    began=$SECONDS
    "$ENGINE" build "${options[@]}" --build-arg "PART=$part" --build-arg "LOCK=$lock" --tag "$image" . >"$log" 2>&1 || {
        tail -n 40 "$log"
        echo "✗ the image of $part could not be built: see above" >&2
        exit 1
    }
    bytes=$("$ENGINE" image inspect --format '{{.Size}}' "$image")
    printf '· %-45s %5d MB, built in %d s\n' "$image" $((bytes / 1000000)) $((SECONDS - began))
done
