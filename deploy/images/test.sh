#!/usr/bin/env bash
# `make images-test`: starts the mesh of deploy/compose.yaml from the images of `make images`, sends the demo's recording through it,
# and stops it. Models come from MAIE_MODELS_DIR; NATS is the server of the workspace's environment.
set -euo pipefail
cd "$(dirname "$0")/.."

# shellcheck source=deploy/images/engine.sh
. images/engine.sh
if [ -z "$ENGINE" ]; then
    echo "· neither podman nor docker runs here, so no container was started"
    exit 0
fi
compose=(podman-compose)
[ "$ENGINE" = podman ] || compose=(docker compose)

PARTS=(gateway web preprocess asr diarization quality alignment enhancement summary synthesis)
VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' ../gateway/pyproject.toml)
for part in "${PARTS[@]}" cli; do
    "$ENGINE" image inspect "${REGISTRY:-localhost}/maie-$part:$VERSION" >/dev/null 2>&1 || {
        echo "✗ there is no image of $part: run make images" >&2
        exit 1
    }
done

export COMPOSE_PROJECT_NAME=maie-images-test COMPOSE_PROFILES=cpu
export NATS_IMAGE=localhost/maie-nats:test
export VERSION MESH RECORDINGS MAIE_USER GATEWAY_PORT WEB_PORT
RECORDINGS=$(realpath ../samples)
# Ports on this machine are any that are free.
GATEWAY_PORT=127.0.0.1: WEB_PORT=127.0.0.1:
MAIE_USER=$(id -u):$(id -g)
[ "$(id -u)" != 0 ] || MAIE_USER=10001:10001
MESH=$(mktemp -d)
# As stop_grace_period of deploy/compose.yaml, in seconds.
GRACE=60
log=$(realpath ..)/.cache/log/images-test.log
mkdir -p "$(dirname "$log")"

stop() {
    result=$?
    [ $result = 0 ] || { "${compose[@]}" logs || true; } >>"$log" 2>&1
    "${compose[@]}" down --timeout "$GRACE" --volumes >>"$log" 2>&1 || result=1
    [ $result = 0 ] || { tail -n 80 "$log"; echo "✗ the mesh of containers failed: see above and $log"; } >&3
    "$ENGINE" rmi --force "$NATS_IMAGE" >>"$log" 2>&1
    rm -rf "$MESH"
    exit $result
}
exec 3>&2
trap stop EXIT

# Podman-compose does not choose the profile of a service by itself.
maie() { "${compose[@]}" --profile tools run --rm --no-deps maie "$@"; }

container_of() {
    "$ENGINE" ps --all --quiet --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME" \
        --filter "label=com.docker.compose.service=$1"
}

# Waits until a part's own health command says that it serves.
wait_for() {
    local container
    container=$(container_of "$1")
    until "$ENGINE" exec "$container" python3 -m maie_runtime.probe /tmp/health >>"$log" 2>&1; do
        [ "$("$ENGINE" inspect --format '{{.State.Running}} {{.RestartCount}}' "$container")" = "true 0" ] || {
            echo "$1 ended" >>"$log"
            return 1
        }
        sleep 0.2
    done
}

# The console, health, a text as speech, and the same recording over HTTP, whose text it prints.
over_http() {
    local url
    url=https://$("$ENGINE" port "$(container_of web)" 8080/tcp)
    http() {
        curl --silent --show-error --fail-with-body --cacert "$MESH/certs/ca.crt" \
            --header @<(printf 'Authorization: Bearer %s' "$(cat "$MESH/bootstrap.key")") "$@"
    }
    http "$url/health" >>"$log"
    http "$url/" | grep --quiet 'id="console"'
    http --json '{"model": "flite", "voice": "slt", "input": "All is well.", "response_format": "flac"}' "$url/v1/audio/speech" \
        | head --bytes 4 | grep --quiet fLaC
    http --form file=@"$RECORDINGS/standup.flac" --form model=whisper-1 --form response_format=text \
        "$url/v1/audio/transcriptions"
}

tar -C "$(dirname "$(command -v nats-server)")" -cf - nats-server \
    | "$ENGINE" import --change 'ENTRYPOINT ["/nats-server"]' - "$NATS_IMAGE" >"$log" 2>&1
mkdir "$MESH"/{messages,objects,gateway}
ln -s "$MAIE_MODELS_DIR" "$MESH/models"
chown -hR "$MAIE_USER" "$MESH"

# As deploy/compose/README.md says.
{
    maie certs create --folder certs --name gateway=localhost --name gateway=gateway --name web=127.0.0.1 --name nats=nats
    maie nats config nats --listen 0.0.0.0:4222 --store /var/lib/nats \
        --tls-cert /etc/maie/tls/tls.crt --tls-key /etc/maie/tls/tls.key
    maie keys bootstrap bootstrap.key
    maie master-key session.key
} >>"$log" 2>&1

began=${EPOCHREALTIME/[.,]/}
"${compose[@]}" up --detach >>"$log" 2>&1
for part in "${PARTS[@]}"; do wait_for "$part"; done
ready=${EPOCHREALTIME/[.,]/}
maie process /recordings/standup.flac 2>>"$log"
through=${EPOCHREALTIME/[.,]/}
over_http 2>>"$log"
ended=${EPOCHREALTIME/[.,]/}
"${compose[@]}" stop --timeout "$GRACE" >>"$log" 2>&1
for part in "${PARTS[@]}"; do
    code=$("$ENGINE" inspect --format '{{.State.ExitCode}}' "$(container_of "$part")")
    [ "$code" = 0 ] || {
        echo "$part ended with exit code $code on SIGTERM" >>"$log"
        exit 1
    }
done
stopped=${EPOCHREALTIME/[.,]/}
printf '· all parts were ready after %.1f s, the recording was through %.1f s later, over HTTP after %.1f s, and all had stopped after %.1f s\n' \
    $((ready - began))e-6 $((through - ready))e-6 $((ended - through))e-6 $((stopped - ended))e-6
