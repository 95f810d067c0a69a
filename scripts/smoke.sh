#!/usr/bin/env bash
# Builds the images and does to them what may happen: starts, restarts, stops under load, kills, a backup on another machine.
#
#   scripts/smoke.sh [all|alone|replicas|backup]      all by default; `alone` is one container, `replicas` the profile
#
# It needs docker with compose 2.24 or newer, and curl; ports 18000 and 18080 (SMOKE_PORT, SMOKE_NGINX_PORT). It prints a
# line for each thing that it tried, and ends with 1 where one did not hold. What it makes it removes, but for the images.
# SMOKE_BUILD=0 takes the images that are there.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly PART=${1:-all}
readonly BASE=python:${PYTHON_VERSION:-3.11}-slim
readonly PLAYERS='1 7 12 33 58 100'
WORK=$(mktemp -d)
ADMIN=smoke-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
export ENV_FILE=$WORK/env PORT_ON_HOST=${SMOKE_PORT:-18000} NGINX_PORT=${SMOKE_NGINX_PORT:-18080} VERSION=
# Nothing of a developer's own `.env`: no key, and no collection.
printf 'ADMIN_API_KEY=%s\nRETRAIN_CRON=0 0 29 2 fri\n' "$ADMIN" > "$ENV_FILE"
failures=0
project=

compose() { docker compose --env-file "$ENV_FILE" --project-name "smoke-$project" --progress quiet "$@"; }

cleanup() {
    for project in alone replicas there; do
        docker rm --force "smoke-load-$project" > "$WORK/removed" 2>&1 || true
        compose --profile '*' down --volumes --timeout 1 > "$WORK/down" 2>&1 || true
    done
    rm -rf "$WORK"
}
trap cleanup EXIT

check() { # check WHAT TOLD COMMAND...: says whether the command succeeds
    local what=$1 told=$2
    shift 2
    if "$@"; then
        printf '  ok      %-64s %s\n' "$what" "$told"
    else
        printf '  FAILED  %-64s %s\n' "$what" "$told"
        failures=$((failures + 1))
    fi
}

at_most() { awk -v value="$1" -v limit="$2" 'BEGIN { exit !(value <= limit) }'; }
now() { date +%s.%N; }
since() { awk -v from="$1" -v to="$(now)" 'BEGIN { printf "%.1f", to - from }'; }
size() { docker image inspect --format '{{.Size}}' "$1"; }

ask() { # ask PORT PATH [curl's own options]
    local port=$1 path=$2
    shift 2
    curl --silent --show-error --max-time 20 --header "X-API-Key: $ADMIN" "$@" "http://127.0.0.1:$port$path"
}

until_healthy() { # until_healthy SERVICE SECONDS: waits for all of its containers
    local began container
    began=$(now)
    while at_most "$(since "$began")" "$2"; do
        local healthy=true
        for container in $(compose ps --all --quiet "$1"); do
            [ "$(docker inspect --format '{{.State.Health.Status}}' "$container")" = healthy ] || healthy=false
        done
        if $healthy && [ -n "$(compose ps --all --quiet "$1")" ]; then return 0; fi
        sleep 0.2
    done
    compose logs --tail 30 "$1" >&2
    return 1
}

load() { # load URL: begins
    docker run --detach --name "smoke-load-$project" --network "smoke-${project}_inside" --interactive \
        --volume "$PWD/scripts/load.py:/load.py:ro" --entrypoint python game-recommender:latest /load.py "$1" > "$WORK/load"
    until docker logs "smoke-load-$project" 2>&1 | grep -q begun; do sleep 0.2; done
}

loaded() { # ends the load; what it has seen is in $seen
    docker stop --time 20 "smoke-load-$project" > "$WORK/stopped"
    seen=$(docker logs "smoke-load-$project" | tail -1)
    docker rm "smoke-load-$project" > "$WORK/removed"
}

seen() { grep -o "\"$1\": [0-9.]*" <<< "$seen" | grep -o '[0-9.]*$'; }
none_failed() { [ "$(seen failed)" = 0 ] && [ "$(seen answered)" -gt 100 ]; }
version_at() { ask "$1" /health/ready | grep -o '"model_version":"[^"]*"' | cut -d '"' -f 4; }

like() { # like PORT PLAYER GAME: writes it; says whether it was taken
    ask "$1" /interactions --header 'Content-Type: application/json' --output "$WORK/written" --write-out '%{http_code}' \
        --data "{\"user_id\": \"$2\", \"game_id\": $3, \"kind\": \"like\"}" | grep -q 20
}

# What players are answered, without what is another each time.
answers() { # answers PORT
    local player
    for player in $PLAYERS; do
        ask "$1" "/recommend/$player?n=20&explain=true" | sed 's/"recommendation_id":"[^"]*"//; s/"generated_at":"[^"]*"//'
        echo
    done
}

build() {
    [ "${SMOKE_BUILD:-1}" = 1 ] || return 0
    echo "Building the images"
    project=alone compose build recommender
    project=alone compose --profile replicas build replica nginx
}

sizes() {
    docker image inspect "$BASE" > "$WORK/base" 2>&1 || docker pull --quiet "$BASE"
    local base added
    base=$(size "$BASE")
    added=$((($(size game-recommender:service) - base) / 1000000))
    check "the service adds at most 130 MB to $BASE" "$added MB" at_most "$added" 130
    added=$((($(size game-recommender:latest) - base) / 1000000))
    check "with training it adds at most 650 MB" "$added MB" at_most "$added" 650
}

alone() {
    echo "One container"
    project=alone
    local began took games version
    began=$(now)
    compose up --detach recommender
    until_healthy recommender 120 || true
    took=$(since "$began")
    check "healthy within 20 s of the first start" "$took s" at_most "$took" 20
    games=$(ask "$PORT_ON_HOST" /recommend/12 | grep -o '"game_id"' | wc -l)
    check "GET /recommend/12 answers with real games" "$games games" [ "$games" -eq 10 ]
    check "it is nobody in particular, and cannot write to its files" "" confined

    version=$(version_at "$PORT_ON_HOST")
    like "$PORT_ON_HOST" smoke 4200
    compose restart recommender
    until_healthy recommender 60
    check "a restart keeps the model" "$version" [ "$(version_at "$PORT_ON_HOST")" = "$version" ]
    check "a restart keeps what players did" "" grep -q '"game_id":4200' <<< "$(ask "$PORT_ON_HOST" /users/smoke/interactions)"

    load http://recommender:8000/recommend/12
    began=$(now)
    compose stop recommender
    took=$(since "$began")
    loaded
    check "docker stop under load takes less than 5 s" "$took s" at_most "$took" 5
    check "no request that was taken fails" "$seen" none_failed
    compose start recommender
    until_healthy recommender 60
}

confined() {
    [ "$(compose exec -T recommender id -u)" = 10001 ] &&
        ! compose exec -T recommender touch /srv/game-recommender/app/x 2> "$WORK/refused" &&
        compose exec -T recommender grep -q '^CapEff:[[:space:]]*0*$' /proc/1/status
}

replicas() {
    echo "Two replicas, nginx, PostgreSQL and one that trains"
    project=replicas
    printf 'POSTGRES_PASSWORD=%s\n' "$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')" >> "$ENV_FILE"
    export PORT_ON_HOST=$((PORT_ON_HOST + 1))
    compose --profile replicas up --detach
    until_healthy nginx 120
    local first second victim began took

    load http://nginx:8080/recommend/12
    victim=$(compose ps --quiet replica | sed -n 1p)
    docker kill "$victim" > "$WORK/killed"
    sleep 5
    docker start "$victim" > "$WORK/started"
    until_healthy replica 60
    loaded
    check "a replica is killed: no read fails" "$seen" none_failed

    load http://nginx:8080/recommend/12
    compose kill recommender
    sleep 5
    compose start recommender
    until_healthy recommender 60
    loaded
    check "the trainer is killed: no read fails" "$seen" none_failed

    load http://nginx:8080/recommend/12
    compose kill postgres
    sleep 20
    compose start postgres
    until_healthy postgres 60
    sleep 3
    loaded
    check "PostgreSQL is gone for 20 s: no read fails" "$seen" none_failed
    check "and afterwards writes are taken again" "" written_again

    first=$(version_at "$NGINX_PORT")
    ask "$NGINX_PORT" /retrain --header 'Content-Type: application/json' --data '{"force": true}' > "$WORK/retrain"
    began=$(now)
    while [ "$(version_at "$NGINX_PORT")" = "$first" ] && at_most "$(since "$began")" 180; do sleep 0.5; done
    second=$(version_at "$NGINX_PORT")
    check "a run asked for through nginx publishes a model" "$second" [ "$second" != "$first" ]
    ask "$NGINX_PORT" "/models/$first/activate" --request POST > "$WORK/activated"
    began=$(now)
    until on_both "$first" || ! at_most "$(since "$began")" 30; do sleep 0.1; done
    took=$(since "$began")
    check "an activated version is live on both replicas within 5 s" "$took s" at_most "$took" 5
}

written_again() {
    local _
    for _ in $(seq 20); do
        like "$NGINX_PORT" smoke 3498 && return
        sleep 0.5
    done
    return 1
}

on_both() { # on_both VERSION
    local index
    for index in 1 2; do
        compose exec -T --index "$index" replica healthy | grep -q "\"$1\"" || return 1
    done
}

backup() {
    echo "A backup, and the same service on another machine"
    project=alone
    compose up --detach recommender
    until_healthy recommender 120
    like "$PORT_ON_HOST" 12 4200
    answers "$PORT_ON_HOST" > "$WORK/here"
    compose exec -T recommender python -m training backup - > "$WORK/backup"
    compose stop recommender
    project=there
    compose run --rm -T recommender python -m training restore - < "$WORK/backup"
    compose up --detach recommender
    until_healthy recommender 120
    answers "$PORT_ON_HOST" > "$WORK/there"
    check "a backup restored elsewhere gives identical answers" \
        "$(wc -c < "$WORK/backup") bytes, $(grep -o '"game_id"' "$WORK/here" | wc -l) games" identical
}

identical() { cmp "$WORK/here" "$WORK/there" && [ "$(grep -o '"game_id"' "$WORK/here" | wc -l)" -ge 120 ]; }

build
case $PART in
    all)
        sizes
        alone
        backup
        replicas
        ;;
    alone | backup | replicas) "$PART" ;;
    *) echo "usage: $0 [all|alone|replicas|backup]" >&2 && exit 2 ;;
esac
[ "$failures" = 0 ] || { echo "$failures of these did not hold." >&2 && exit 1; }
echo "All of it holds."
