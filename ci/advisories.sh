#!/usr/bin/env bash
# Checks all crates against the RustSec database: vulnerable, unsound, unmaintained or yanked. Run it daily and before
# each release. It is not part of .ci/run, which uses the network only for packages.
# Fails on a finding, and if the database is unreachable or older than 30 days.
#
#     bash ci/advisories.sh          from https://github.com/RustSec/advisory-db
#     bash ci/advisories.sh URL      from a mirror that git can clone, such as file:///srv/advisory-db
set -euo pipefail
cd "$(dirname "$0")/.."
published="https://github.com/RustSec/advisory-db"
from="${1:-$published}"
# Cloned for each run, so that the result does not depend on the state of this machine.
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
unchecked() {
    echo "NOT CHECKED: the advisory database $1" >&2
    exit 2
}
git clone -q --bare --depth 1 --branch main "$from" "$scratch/db" || unchecked "cannot be cloned from $from"
age=$((($(date +%s) - $(git -C "$scratch/db" log -1 --format=%ct)) / 86400))
[ "$age" -le 30 ] || unchecked "at $from is $age days old"
sed "s|^db-path = .*|db-path = \"$scratch\"|" deny.toml >"$scratch/deny.toml"
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="url.file://$scratch/db.insteadOf" GIT_CONFIG_VALUE_0="$published"
cargo deny --all-features --config "$scratch/deny.toml" check advisories
