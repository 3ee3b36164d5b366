#!/usr/bin/env bash
# Tests deny.toml: it accepts an empty crate, and rejects a git dependency and a second crypto provider.
# Tests ci/advisories.sh with generated databases. Needs cargo-deny and git.
#
#     bash ci/deny.sh
set -euo pipefail
cd "$(dirname "$0")/.."
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

# $1: name of the crate, $2: its dependencies.
make_crate() {
    mkdir -p "$scratch/$1/src"
    : >"$scratch/$1/src/lib.rs"
    printf '[package]\nname = "%s"\nversion = "0.1.0"\nedition = "2024"\nlicense = "MIT"\npublish = false\n\n[dependencies]\n%s\n' \
        "$1" "$2" >"$scratch/$1/Cargo.toml"
}

check() { cargo deny --manifest-path "$scratch/$1/Cargo.toml" --config deny.toml check bans licenses sources >"$scratch/output" 2>&1; }

# $1: name of the crate, $2: expected text of the error.
expect_rejected() {
    if check "$1"; then
        echo "deny.toml accepts $1" >&2
        exit 1
    fi
    if ! grep -qF "$2" "$scratch/output"; then
        echo "$1 is rejected for another reason:" >&2
        cat "$scratch/output" >&2
        exit 1
    fi
}

make_crate nothing-wrong ""
check nothing-wrong || { cat "$scratch/output" >&2; exit 1; }

make_crate elsewhere ""
git -C "$scratch/elsewhere" init -q
git -C "$scratch/elsewhere" add .
git -C "$scratch/elsewhere" -c user.name=ci -c user.email=ci@localhost commit -qm "A crate"
make_crate from-git "elsewhere = { git = \"file://$scratch/elsewhere\" }"
expect_rejected from-git 'error[source-not-allowed]'

make_crate second-provider 'ring = "0.17"'
expect_rejected second-provider 'error[banned]'

# $1: date of the database, $2: first version of axum without the vulnerability.
advisories() {
    local database="$scratch/database"
    rm -rf "$database"
    mkdir -p "$database/crates/axum"
    printf '```toml\n[advisory]\nid = "RUSTSEC-2026-9999"\npackage = "axum"\ndate = "2026-01-01"\n\n[versions]\npatched = [">= %s"]\n```\n\n# A generated vulnerability\n\nFor a test.\n' \
        "$2" >"$database/crates/axum/RUSTSEC-2026-9999.md"
    git -C "$database" init -q --initial-branch main
    git -C "$database" add .
    GIT_COMMITTER_DATE="$1" git -C "$database" -c user.name=ci -c user.email=ci@localhost commit -qm "Advisories"
    bash ci/advisories.sh "file://$database" >"$scratch/output" 2>&1
}

# $1: expected text of the output.
expect_output() {
    if ! grep -qF "$1" "$scratch/output"; then
        echo "ci/advisories.sh does not print \"$1\":" >&2
        cat "$scratch/output" >&2
        exit 1
    fi
}

advisories "$(date -Is)" 0.1.0 || { cat "$scratch/output" >&2; exit 1; }
if advisories "$(date -Is)" 99.0.0; then echo "ci/advisories.sh accepts a vulnerability" >&2; exit 1; fi
expect_output 'RUSTSEC-2026-9999'
if advisories '2026-01-01T00:00:00Z' 0.1.0; then echo "ci/advisories.sh accepts an old database" >&2; exit 1; fi
expect_output 'NOT CHECKED'
if bash ci/advisories.sh "file://$scratch/nowhere" >"$scratch/output" 2>&1; then echo "ci/advisories.sh passes without a database" >&2; exit 1; fi
expect_output 'NOT CHECKED'

echo "deny.toml rejects a git dependency and a second crypto provider; ci/advisories.sh fails on a vulnerability and on an old or missing database"
