#!/usr/bin/env bash
# Tries deny.toml itself: it lets an empty crate pass, and refuses a dependency from git and a second provider of
# cryptography. And ci/advisories.sh, with databases that are made up. Needs cargo-deny and git.
#
#     bash ci/deny.sh
set -euo pipefail
cd "$(dirname "$0")/.."
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

# $1: a crate's name, $2: its dependencies.
make_crate() {
    mkdir -p "$scratch/$1/src"
    : >"$scratch/$1/src/lib.rs"
    printf '[package]\nname = "%s"\nversion = "0.1.0"\nedition = "2024"\nlicense = "MIT"\npublish = false\n\n[dependencies]\n%s\n' \
        "$1" "$2" >"$scratch/$1/Cargo.toml"
}

check() { cargo deny --manifest-path "$scratch/$1/Cargo.toml" --config deny.toml check bans licenses sources >"$scratch/said" 2>&1; }

# $1: a crate's name, $2: what the complaint names.
refused() {
    if check "$1"; then
        echo "deny.toml lets $1 pass" >&2
        exit 1
    fi
    if ! grep -qF "$2" "$scratch/said"; then
        echo "$1 is refused for another reason:" >&2
        cat "$scratch/said" >&2
        exit 1
    fi
}

make_crate nothing-wrong ""
check nothing-wrong || { cat "$scratch/said" >&2; exit 1; }

make_crate elsewhere ""
git -C "$scratch/elsewhere" init -q
git -C "$scratch/elsewhere" add .
git -C "$scratch/elsewhere" -c user.name=ci -c user.email=ci@localhost commit -qm "A crate"
make_crate from-git "elsewhere = { git = \"file://$scratch/elsewhere\" }"
refused from-git 'error[source-not-allowed]'

make_crate second-provider 'ring = "0.17"'
refused second-provider 'error[banned]'

# $1: when it was written, $2: the version of axum that has no hole any more.
advisories() {
    local database="$scratch/database"
    rm -rf "$database"
    mkdir -p "$database/crates/axum"
    printf '```toml\n[advisory]\nid = "RUSTSEC-2026-9999"\npackage = "axum"\ndate = "2026-01-01"\n\n[versions]\npatched = [">= %s"]\n```\n\n# A hole that is made up\n\nFor a test.\n' \
        "$2" >"$database/crates/axum/RUSTSEC-2026-9999.md"
    git -C "$database" init -q --initial-branch main
    git -C "$database" add .
    GIT_COMMITTER_DATE="$1" git -C "$database" -c user.name=ci -c user.email=ci@localhost commit -qm "Advisories"
    bash ci/advisories.sh "file://$database" >"$scratch/said" 2>&1
}

# $1: what is to be told instead of a pass.
has_to_say() {
    if ! grep -qF "$1" "$scratch/said"; then
        echo "ci/advisories.sh does not say \"$1\":" >&2
        cat "$scratch/said" >&2
        exit 1
    fi
}

advisories "$(date -Is)" 0.1.0 || { cat "$scratch/said" >&2; exit 1; }
if advisories "$(date -Is)" 99.0.0; then echo "ci/advisories.sh lets a hole pass" >&2; exit 1; fi
has_to_say 'RUSTSEC-2026-9999'
if advisories '2026-01-01T00:00:00Z' 0.1.0; then echo "ci/advisories.sh takes an old database" >&2; exit 1; fi
has_to_say 'NOT CHECKED'
if bash ci/advisories.sh "file://$scratch/nowhere" >"$scratch/said" 2>&1; then echo "ci/advisories.sh needs no database" >&2; exit 1; fi
has_to_say 'NOT CHECKED'

echo "deny.toml refuses a dependency from git and a second provider of cryptography; ci/advisories.sh tells a hole, and a database that is old or away"
