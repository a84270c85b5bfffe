# Sets ENGINE to what runs containers here: podman or docker, whichever works, or nothing. Sourced by the scripts that need one.
# shellcheck shell=bash

# Podman's own settings expect systemd.
if [ ! -d /run/systemd/system ]; then
    export CONTAINERS_CONF=${CONTAINERS_CONF:-$(realpath "$(dirname "${BASH_SOURCE[0]}")")/containers.conf}
fi
for engine in ${ENGINE:-podman docker}; do
    if "$engine" info >/dev/null 2>&1; then
        ENGINE=$engine
        break
    fi
    ENGINE=
done
export ENGINE
