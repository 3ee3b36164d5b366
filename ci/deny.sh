#!/usr/bin/env bash
# Tries deny.toml itself: it lets an empty crate pass, and refuses a dependency from git and a second provider of
# cryptography. Needs cargo-deny and git.
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

echo "deny.toml refuses a dependency from git and a second provider of cryptography"
