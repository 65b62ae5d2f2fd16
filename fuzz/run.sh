#!/usr/bin/env bash
# Fuzzes for as long as asked: fuzz/run.sh [SECONDS] [TARGET...]
#
# Each target in turn gets SECONDS (default 60); without TARGETs, all of them. Needs a C++ compiler and cargo-fuzz.
# New inputs are kept in fuzz/work/TARGET, which is not part of the repository; a crash is written to fuzz/artifacts and
# belongs, with a name that says what it is, in fuzz/regressions/TARGET, where the ordinary tests run it for good.
#
# The engine has no unsafe code, so no sanitizer is built in by default: SANITIZER=address fuzz/run.sh ... has one.
# A stable toolchain will do: only a sanitizer takes an unstable flag, which RUSTC_BOOTSTRAP lets it have.
set -euo pipefail
cd "$(dirname "$0")"

seconds=60
if [[ "${1:-}" =~ ^[0-9]+$ ]]; then
    seconds=$1
    shift
fi

[[ -z "${SANITIZER:-}" ]] || export RUSTC_BOOTSTRAP=1
cargo fuzz --version >/dev/null 2>&1 ||
    { echo "fuzz/run.sh: cargo-fuzz is missing: cargo install cargo-fuzz --locked" >&2; exit 1; }

known=()
for glue in fuzz_targets/*.rs; do
    known+=("$(basename "$glue" .rs)")
done
targets=("$@")
[[ ${#targets[@]} -gt 0 ]] || targets=("${known[@]}")

for target in "${targets[@]}"; do
    [[ -f "fuzz_targets/$target.rs" ]] || { echo "fuzz/run.sh: no target $target; there are: ${known[*]}" >&2; exit 1; }
    dictionary=()
    case $target in
        schema_text) dictionary=(-dict=dictionaries/json_schema.dict) ;;
        request) dictionary=(-dict=dictionaries/request.dict) ;;
        regex) dictionary=(-dict=dictionaries/regex.dict) ;;
        grammar_text) dictionary=(-dict=dictionaries/grammar.dict) ;;
        tokenizer) dictionary=(-dict=dictionaries/tokenizer.dict) ;;
    esac
    mkdir -p "work/$target" "corpus/$target" "regressions/$target"
    printf '\n== %s, %s seconds\n' "$target" "$seconds"
    cargo fuzz run --fuzz-dir . --sanitizer "${SANITIZER:-none}" "$target" \
        "work/$target" "corpus/$target" "regressions/$target" -- \
        -max_total_time="$seconds" -max_len=4096 -timeout=25 -rss_limit_mb=2048 -print_final_stats=1 "${dictionary[@]}"
done
