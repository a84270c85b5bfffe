#!/bin/sh
# Installs: `install.sh uv` the pinned uv, `install.sh locked LIST` into /opt/maie what a hash-locked list names,
# `install.sh libraries PART` into /rootfs/libraries Debian's libraries that a part loads by name, `install.sh members PART`
# the workspace's own members of a part, into the same folder of a root of their own.
set -eu

ca=/run/secrets/ca
if [ -s "$ca" ]; then
    export PIP_CERT="$ca" SSL_CERT_FILE="$ca"
fi
uv=/opt/uv/bin/uv

install() {
    target=$1
    shift
    $uv pip install --quiet --no-deps --link-mode copy --python "$(command -v python3)" --target "$target" "$@"
}

case "$1" in
uv)
    python3 -m venv /opt/uv
    /opt/uv/bin/pip install --quiet --no-cache-dir --disable-pip-version-check --require-hashes -r locks/uv.txt
    ;;
locked)
    install /opt/maie --require-hashes -r "$2"
    ;;
libraries)
    case "$2" in
    synthesis) libraries=libflite1 ;;
    *) libraries= ;;
    esac
    mkdir -p /rootfs/libraries
    [ -n "$libraries" ] || exit 0
    # localhost/maie-base has them, and no apt.
    dpkg-query --show "$libraries" >/dev/null 2>&1 || {
        apt-get update
        apt-get install --yes --no-install-recommends "$libraries"
    }
    python3 deploy/images/rootfs.py libraries /rootfs/libraries /rootfs/python "$libraries"
    ;;
members)
    # shellcheck disable=SC2046 # one word for each folder
    install /rootfs/members/opt/maie --no-cache --offline $(python3 deploy/images/members.py "$2")
    ;;
esac
