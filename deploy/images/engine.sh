# Sets ENGINE to what runs containers here: podman or docker, whichever works, or nothing. Sourced by the scripts that need one.
# shellcheck shell=bash

# Podman's own settings expect systemd.
if [ ! -d /run/systemd/system ]; then
    export CONTAINERS_CONF=${CONTAINERS_CONF:-$(realpath "$(dirname "${BASH_SOURCE[0]}")")/containers.conf}
fi

# Podman may be there and still not be allowed to run a container, such as within another one.
runs_containers() {
    "$1" info || return
    [ "$1" = podman ] || return 0
    local image true result=0
    true=$(type -P true)
    # shellcheck disable=SC2046 # one word for each library
    image=$(tar -C / -Pch "$true" $(ldd "$true" | grep -o '/[^ ]*') | podman import --quiet -) || return
    podman run --rm --network none "$image" "$true" || result=1
    podman rmi --force "$image"
    return $result
} >/dev/null 2>&1

for engine in ${ENGINE:-podman docker}; do
    if runs_containers "$engine"; then
        ENGINE=$engine
        break
    fi
    ENGINE=
done
export ENGINE
