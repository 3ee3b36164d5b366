#!/usr/bin/env bash
# Sends generated requests to every operation of /openapi.json as an administrator. Fails on a 5xx status, and on a
# status, media type or body that the document does not describe.
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
# Some files, because most operations only answer 404 in an empty vault.
for name in 0 vise.step; do
    curl -fsS -o "$scratch/answer" -X PUT "$url/api/files/$name/content" -H "$bearer" -F "file=@$0"
done

run_schemathesis() {
    timeout 900 st run "$url/openapi.json" \
        --header "$bearer" \
        --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
        --phases examples,coverage,fuzzing --max-examples "${EXAMPLES:-25}" \
        --request-timeout 20 --continue-on-failure --no-shrink --seed 1 --suppress-health-check all --warnings off "$@"
}

# Event streams and sockets do not end by themselves.
never_ends='/events$|^/ws$'
# schemathesis uses ids from earlier responses, so these operations end our session. They run last, one by one.
ends_us=('^/auth/logout$' '^/api/sessions/end-all$' '^/auth/sessions/\{' '^/api/users/\{')

cd "$scratch"
run_schemathesis --exclude-path-regex "$never_ends|$(IFS='|'; echo "${ends_us[*]}")"
# If the session had ended, every response would be a documented 401 and the run would prove nothing.
curl -fsS -o "$scratch/answer" "$url/auth/me" -H "$bearer"

for paths in "${ends_us[@]}"; do
    sign_in
    run_schemathesis --include-path-regex "$paths"
done
