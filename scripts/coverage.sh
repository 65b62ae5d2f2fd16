#!/usr/bin/env bash
# Which lines of the engine do its tests run? scripts/coverage.sh
#
# Builds the crates formwork and formwork-tests with counters (-C instrument-coverage; a stable toolchain will do), runs
# their tests without the model, and prints a table of the engine's files, then the lines that no test ran.
# The annotated source is left in target/coverage/lines.txt.
#
# Needs llvm-profdata and llvm-cov of rustc's major version of LLVM (rustc -vV), from
# - LLVM_TOOLS, a folder that holds them,
# - the toolchain's component: rustup component add llvm-tools,
# - or the path.
set -euo pipefail
cd "$(dirname "$0")/.."

here=target/coverage
llvm_major=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
host=$(rustc -vV | sed -n 's/^host: //p')

# The first of the folders that hold tools which can read what this rustc writes.
tools=
for folder in "${LLVM_TOOLS:-}" "$(rustc --print sysroot)/lib/rustlib/$host/bin" ${PATH//:/ }; do
    if [[ -x $folder/llvm-profdata && -x $folder/llvm-cov ]] &&
        "$folder/llvm-cov" --version | grep -q "LLVM version $llvm_major\."; then
        tools=$folder
        break
    fi
done
[[ -n $tools ]] || {
    echo "coverage.sh: no llvm-profdata and llvm-cov of LLVM $llvm_major: rustup component add llvm-tools, or set LLVM_TOOLS" >&2
    exit 1
}

# Only the workspace's own crates are counted, and dependencies that are built already are not built anew. Names are
# not compressed, which not all builds of the tools could undo.
mkdir -p $here
rm -rf $here/profiles
printf '#!/bin/sh\nexec "$@" -C instrument-coverage -C llvm-args=-enable-name-compression=false\n' >$here/rustc
chmod +x $here/rustc
export RUSTC_WORKSPACE_WRAPPER=$PWD/$here/rustc
export LLVM_PROFILE_FILE=$PWD/$here/profiles/%4m.profraw
tests=(cargo test -p formwork -p formwork-tests --no-default-features --features formwork-tests/fuzzing --lib --tests)

"${tests[@]}" --no-run --message-format=json |
    python3 -c 'import json, sys
for line in sys.stdin:
    executable = json.loads(line).get("executable")
    if executable:
        print(executable)' >$here/executables
"${tests[@]}"

"$tools/llvm-profdata" merge --sparse $here/profiles/*.profraw -o $here/merged.profdata
mapfile -t executables <$here/executables
report=("${executables[0]}")
for executable in "${executables[@]:1}"; do
    report+=(--object "$executable")
done
# The tests, and what they use, are no part of the engine.
report+=(--instr-profile=$here/merged.profdata)
report+=('--ignore-filename-regex=/tests(/|[.]rs)|/benches/|/examples/|/crates/formwork-')
"$tools/llvm-cov" show "${report[@]}" >$here/lines.txt
"$tools/llvm-cov" report "${report[@]}" --show-region-summary=false --show-branch-summary=false
printf '\nlines that no test ran:\n'
"$tools/llvm-cov" export "${report[@]}" --format=lcov --skip-functions |
    awk -F '[:,]' '/^SF:/ { file = $2; sub(/.*crates.formwork.src./, "", file) } /^DA:/ && $3 == 0 { print file ":" $2 }'
