#!/usr/bin/env bash
# Are the dependencies such as deny.toml allows? Licences, second versions, sources, and known vulnerabilities.
#
# Needs cargo-deny (cargo install cargo-deny --locked; some minutes to build). The database of vulnerabilities is fetched from
# the network: where that cannot be done, the script says so and checks the rest.
set -euo pipefail
cd "$(dirname "$0")/.."

deny=${CARGO_DENY:-cargo-deny}
"$deny" --version >/dev/null 2>&1 || {
    echo "scripts/check_dependencies.sh: cargo-deny is missing: cargo install cargo-deny --locked" >&2
    exit 1
}

"$deny" --locked --config deny.toml check --allow license-exception-not-encountered licenses bans sources
# The fuzz targets have a lock file of their own, with part of the same crates.
"$deny" --locked --manifest-path fuzz/Cargo.toml --config deny.toml check \
    --allow license-not-encountered --allow license-exception-not-encountered --allow unmatched-skip --allow unnecessary-skip licenses bans sources

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if "$deny" --locked --config deny.toml check advisories >"$log" 2>&1; then
    echo "advisories ok"
elif grep -q "failed to fetch advisory database" "$log"; then
    echo "advisories NOT CHECKED: their database cannot be fetched"
else
    cat "$log"
    exit 1
fi
