#!/usr/bin/env bash
# Fuzzes for as long as asked: fuzz/run.sh [SECONDS] [TARGET...]
#
# Each target in turn gets SECONDS (default 60); without TARGETs, all of them. Needs a C++ compiler and cargo-fuzz.
# On a machine that does other work, PROCESSOR=1 fuzz/run.sh ... counts seconds of a processor and not of the clock (Linux).
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
    inputs=("work/$target" "corpus/$target" "regressions/$target")
    options=(-max_len=4096 -timeout=25 -rss_limit_mb=2048 -print_final_stats=1 "${dictionary[@]}")
    if [[ -z "${PROCESSOR:-}" ]]; then
        cargo fuzz run --fuzz-dir . --sanitizer "${SANITIZER:-none}" "$target" \
            "${inputs[@]}" -- -max_total_time="$seconds" "${options[@]}"
        continue
    fi
    # libFuzzer knows wall time alone, so its program is started without cargo and told when to end.
    cargo fuzz build --fuzz-dir . --sanitizer "${SANITIZER:-none}" "$target"
    mkdir -p "artifacts/$target"
    "target/$(rustc -vV | sed -n 's/^host: //p')/release/$target" "${inputs[@]}" "${options[@]}" \
        -artifact_prefix="artifacts/$target/" &
    fuzzer=$!
    while used=$(awk '{ print $14 + $15 }' "/proc/$fuzzer/stat" 2>/dev/null) &&
        ((used < seconds * $(getconf CLK_TCK))); do
        sleep 1
    done
    kill -TERM "$fuzzer" 2>/dev/null || true # It is gone already where it found something.
    wait "$fuzzer" || [[ $? -eq 72 ]] # As it says that it was told to end.
done
