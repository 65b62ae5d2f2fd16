#!/usr/bin/env bash
# Which lines of the engine do the tests run? scripts/coverage.sh [ARGUMENTS OF cargo test...]
#
# Without arguments the engine's own tests and those of the package formwork-tests that need neither a model nor a server.
# Some are skipped where ../shared is missing (tests/src/shared.rs). Prints a line for each module; target/coverage has each
# line that was not run (uncovered.txt), and the same for other programs (lcov.info). Test modules are not counted, though
# they stand in the same files.
#
# Needs llvm-profdata and llvm-cov of the compiler's version of LLVM or a newer one: LLVM_PROFDATA and LLVM_COV, else those
# of rustup's component llvm-tools, else those on PATH. What the workspace depends on has no counters and is shared with
# other builds.
set -euo pipefail
cd "$(dirname "$0")/.."

tool() { # VARIABLE NAME
    local installed
    installed=$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin/$2
    local chosen=${!1:-}
    [[ -n "$chosen" ]] || { [[ -x "$installed" ]] && chosen=$installed || chosen=$2; }
    "$chosen" --version >/dev/null 2>&1 || {
        echo "scripts/coverage.sh: no $2 at $chosen: rustup component add llvm-tools, or set $1" >&2
        exit 1
    }
    echo "$chosen"
}
profdata=$(tool LLVM_PROFDATA llvm-profdata)
cov=$(tool LLVM_COV llvm-cov)

[[ $# -gt 0 ]] || set -- -p formwork -p formwork-tests --no-default-features
out=$PWD/target/coverage
rm -rf "$out"
mkdir -p "$out"

# All of the workspace has counters: what is generic or inlined is compiled where it is used. Names are not compressed, as
# some builds of the tools cannot read them then.
cat >"$out/rustc" <<'EOF'
#!/bin/sh
exec "$@" -C instrument-coverage -C llvm-args=-enable-name-compression=false
EOF
chmod +x "$out/rustc"
export RUSTC_WORKSPACE_WRAPPER=$out/rustc LLVM_PROFILE_FILE=$out/%m.profraw

failed=0
cargo test --locked --no-run --message-format=json "$@" >"$out/build.json"
cargo test --locked --no-fail-fast "$@" || failed=1

objects=()
while read -r executable; do
    objects+=(--object "$executable")
done < <(sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' "$out/build.json" | sort -u)
"$profdata" merge --sparse "$out"/*.profraw -o "$out/tests.profdata"
"$cov" export --format=lcov --instr-profile="$out/tests.profdata" "${objects[@]}" \
    --ignore-filename-regex='/tests/|/tests\.rs$' --sources crates/formwork/src >"$out/lcov.info"

# A file's test module is its last item.
awk -F '[:,]' -v root="$PWD/crates/formwork/src/" -v uncovered="$out/uncovered.txt" '
    $1 == "SF" {
        file = substr($2, length(root) + 1)
        module = file ~ /\// ? substr(file, 1, index(file, "/") - 1) : "(root)"
        n = 0; end = 0
        while ((getline line < $2) > 0) {
            n++
            if (line ~ /^mod tests \{/) end = n
            text[n] = line
        }
        close($2)
    }
    $1 == "DA" && (!end || $2 < end) {
        lines[module]++
        if ($3 > 0) run[module]++
        else print file ":" $2 ":" text[$2] > uncovered
    }
    END {
        for (module in lines) {
            all += lines[module]; all_run += run[module]
            printf "%-12s %6d of %6d lines  %5.1f %%\n", module, run[module], lines[module], 100 * run[module] / lines[module] | "sort"
        }
        close("sort")
        printf "%-12s %6d of %6d lines  %5.1f %%\n", "engine", all_run, all, 100 * all_run / all
    }' "$out/lcov.info"

((failed == 0)) || { echo "scripts/coverage.sh: not all tests passed, see above" >&2; exit 1; }
