#!/usr/bin/env bash
# Throws generated requests at every operation of /openapi.json as an administrator: no 5xx, no status, type or body
# that the document does not name.
#
#     bash ci/schemathesis.sh URL SCRATCH      with ADMIN and ADMIN_PASSWORD set
set -euo pipefail
url="$1" scratch="$2"

sign_in() {
    curl -fsS -o "$scratch/token" "$url/auth/token" \
        --data-urlencode "username=$ADMIN" --data-urlencode "password=$ADMIN_PASSWORD"
    bearer="Authorization: Bearer $(python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])' <"$scratch/token")"
}

sign_in
# Something to find: most operations say only 404 in an empty vault.
for name in 0 vise.step; do
    curl -fsS -o "$scratch/answer" -X PUT "$url/api/files/$name/content" -H "$bearer" -F "file=@$0"
done

throw() {
    timeout 900 st run "$url/openapi.json" \
        --header "$bearer" \
        --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
        --phases examples,coverage,fuzzing --max-examples "${EXAMPLES:-25}" \
        --request-timeout 20 --continue-on-failure --no-shrink --seed 1 --suppress-health-check all --warnings off "$@"
}

# A stream or a socket never ends by itself.
never_ends='/events$|^/ws$'
# schemathesis uses what it finds: given a list of sessions or accounts, it ends our own. These come last, one by one.
ends_us=('^/auth/logout$' '^/api/sessions/end-all$' '^/auth/sessions/\{' '^/api/users/\{')

cd "$scratch"
throw --exclude-path-regex "$never_ends|$(IFS='|'; echo "${ends_us[*]}")"
# Had our session ended meanwhile, every answer would have been a documented 401 and the run worth nothing.
curl -fsS -o "$scratch/answer" "$url/auth/me" -H "$bearer"

for paths in "${ends_us[@]}"; do
    sign_in
    throw --include-path-regex "$paths"
done
