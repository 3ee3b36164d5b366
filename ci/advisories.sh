#!/usr/bin/env bash
# Asks the RustSec database whether a crate of ours has a known vulnerability, is unsound, was given up or taken back:
# daily on a schedule, and before each release. Not part of .ci/run, which asks the network for nothing but packages.
# Fails where one is found, and where the database cannot be had or is over 30 days old: silence is no answer.
#
#     bash ci/advisories.sh          from https://github.com/RustSec/advisory-db
#     bash ci/advisories.sh URL      from a mirror of it that git can clone, file:///srv/advisory-db
set -euo pipefail
cd "$(dirname "$0")/.."
published="https://github.com/RustSec/advisory-db"
from="${1:-$published}"
# Fetched anew each time: what is found does not depend on what lies about here.
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
unchecked() {
    echo "NOT CHECKED: the advisory database $1" >&2
    exit 2
}
git clone -q --bare --depth 1 --branch main "$from" "$scratch/db" || unchecked "cannot be had from $from"
age=$((($(date +%s) - $(git -C "$scratch/db" log -1 --format=%ct)) / 86400))
[ "$age" -le 30 ] || unchecked "at $from is $age days old"
sed "s|^db-path = .*|db-path = \"$scratch\"|" deny.toml >"$scratch/deny.toml"
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="url.file://$scratch/db.insteadOf" GIT_CONFIG_VALUE_0="$published"
cargo deny --all-features --config "$scratch/deny.toml" check advisories
