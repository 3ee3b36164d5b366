#!/usr/bin/env bash
# Tests the program with third-party software on loopback: OAuth and WebSocket clients in Python, schemathesis, linters
# and generated clients on the OpenAPI document, git and git-lfs on the data folder, fail2ban on the log, and an OpenID
# provider.
# Needs the packages of ci/requirements.txt, Node.js with npm, git, git-lfs, fail2ban and curl.
#
#     bash ci/clients.sh [oauth] [socket] [schemathesis] [openapi] [git] [fail2ban] [provider]     default: all
#
# STRONGROOM is the path of the program; default: the debug build.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -z "${STRONGROOM:-}" ]; then
    cargo build --locked --bin strongroom
    STRONGROOM="${CARGO_TARGET_DIR:-target}/debug/strongroom"
fi
scratch="$(mktemp -d)"
server=""
provider=""

stop_server() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
        server=""
    fi
}

finish() {
    local status=$?
    stop_server
    if [ -n "$provider" ]; then kill "$provider" 2>/dev/null || true; fi
    if [ "$status" != 0 ] && [ -s "$scratch/log" ]; then
        echo "--- the last lines of the server log:"
        tail -n 40 "$scratch/log"
    fi
    rm -rf "$scratch"
}
trap finish EXIT

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# Starts a server on an empty data folder, with the administrator `root`. Sets DATA and URL.
start_server() {
    stop_server
    local port
    port="$(free_port)"
    export DATA="$scratch/$1" URL="http://127.0.0.1:$port"
    export ADMIN=root ADMIN_PASSWORD="nine brass calipers at noon"
    "$STRONGROOM" serve --listen "127.0.0.1:$port" --data "$DATA" >"$scratch/log" 2>&1 &
    server=$!
    for _ in $(seq 200); do
        if curl -fs "$URL/health/ready" >/dev/null; then
            printf '%s' "$ADMIN_PASSWORD" | "$STRONGROOM" user add "$ADMIN" --admin --password-stdin --data "$DATA"
            return
        fi
        kill -0 "$server" || return 1
        sleep 0.1
    done
    echo "the server is not ready after 20 s" >&2
    return 1
}

# Starts an OpenID provider on loopback, and writes settings that use it.
start_provider() {
    local port
    port="$(free_port)"
    oidc-provider-mock --port "$port" >"$scratch/provider.log" 2>&1 &
    provider=$!
    for _ in $(seq 200); do
        curl -fs "http://127.0.0.1:$port/.well-known/openid-configuration" >"$scratch/metadata" && break
        kill -0 "$provider" || { cat "$scratch/provider.log"; return 1; }
        sleep 0.1
    done
    local issuer
    issuer="$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["issuer"])' "$scratch/metadata")"
    cat >"$scratch/provider.toml" <<TOML
[[providers]]
id = "work"
name = "Work"
issuer = "$issuer"
client_id = "strongroom"
client_secret = "a secret for a mock"
new_accounts = true
TOML
    export STRONGROOM_CONFIG="$scratch/provider.toml"
}

for client in "${@:-oauth socket schemathesis openapi git fail2ban provider}"; do
    for name in $client; do
        echo "--- $name"
        unset STRONGROOM_CONFIG STRONGROOM_TRUSTED_PROXIES STRONGROOM_REGISTRATION
        case "$name" in
            fail2ban) export STRONGROOM_TRUSTED_PROXIES=127.0.0.1 STRONGROOM_REGISTRATION=open ;;
            openapi) export STRONGROOM_REGISTRATION=open ;;
            provider) start_provider ;;
        esac
        start_server "$name"
        case "$name" in
            oauth) OAUTHLIB_INSECURE_TRANSPORT=1 python3 ci/oauth_client.py "$URL" ;;
            socket) python3 ci/socket_client.py "$URL" ;;
            schemathesis) bash ci/schemathesis.sh "$URL" "$scratch" ;;
            openapi) bash ci/openapi.sh "$URL" "$scratch" ;;
            git) bash ci/git_clients.sh "$URL" "$DATA" "$scratch" ;;
            fail2ban) python3 ci/fail2ban_client.py "$URL" "$scratch/log" ;;
            provider) python3 ci/provider_client.py "$URL" ;;
            *) echo "unknown client $name" >&2; exit 2 ;;
        esac
    done
done
