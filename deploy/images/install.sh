#!/bin/sh
# Installs into /opt/maie: `install.sh locked LIST` what a hash-locked list names, `install.sh members PART` the
# workspace's own members of a part. uv is pinned like everything else.
set -eu

ca=/run/secrets/ca
if [ -s "$ca" ]; then
    export PIP_CERT="$ca" SSL_CERT_FILE="$ca"
fi
uv=/opt/uv/bin/uv

case "$1" in
locked)
    python3 -m venv /opt/uv
    /opt/uv/bin/pip install --quiet --no-cache-dir --disable-pip-version-check --require-hashes -r locks/uv.txt
    $uv pip install --quiet --no-cache --no-deps --require-hashes --python "$(command -v python3)" --target /opt/maie -r "$2"
    ;;
members)
    # shellcheck disable=SC2046 # one word for each folder
    $uv pip install --quiet --no-cache --offline --no-deps --python "$(command -v python3)" --target /opt/maie \
        $(python3 deploy/images/members.py "$2")
    ;;
esac
