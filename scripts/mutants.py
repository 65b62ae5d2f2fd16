#!/usr/bin/env python3
"""Do the tests notice a wrong engine? scripts/mutants.py [--number N] [--seed SEED]

Draws N of the changes that cargo-mutants would make to the files that .cargo/mutants.toml names, and runs the quick
tests with each. cargo-mutants builds once for each change; here all of them are built at once, in a copy of the
repository where each function that is changed has a body for each change, chosen by an environment variable.
That cannot be done in constant functions and those that return `impl Trait`, which are not drawn, nor with changes
that do not compile, which are left out and counted.

Needs Python 3.11 and cargo-mutants: cargo install cargo-mutants --locked. The verdicts are left in target/mutants.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import re
import resource
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "target" / "mutants"
TREE = OUT / "tree"
SWITCH = "FORMWORK_MUTANT"
LIBRARY = "crates/formwork/src/lib.rs"
# The quick tests, without the model.
TESTS = ["-p", "formwork", "-p", "formwork-tests", "--no-default-features", "--features", "formwork-tests/fuzzing"]
TESTS += ["--lib", "--tests"]
# Where a test takes this many times the processor time that it takes otherwise, the change is noticed.
PATIENCE = 5
MODULE = f"""
/// Which of the changes is to be tried?
pub(crate) fn mutant() -> u32 {{
    static MUTANT: std::sync::LazyLock<u32> =
        std::sync::LazyLock::new(|| std::env::var("{SWITCH}").map_or(0, |number| number.parse().unwrap_or(0)));
    *MUTANT
}}
"""


def offset(text, place):
    """The index in `text` of a line and column, both counted from one."""
    start = 0
    for _ in range(place["line"] - 1):
        start = text.index("\n", start) + 1
    return start + place["column"] - 1


SKIPPED = re.compile(r'//[^\n]*|/\*.*?\*/|b?r(#*)".*?"\1|b?"(?:\\.|[^"\\])*"|b?\'(?:\\.[^\']*|[^\'\\])\'', re.DOTALL)


def body(text, function):
    """The span of what stands between the braces of a function."""
    start, end = (offset(text, function["span"][side]) for side in ("start", "end"))
    depth = 0
    at = text.index("fn " + function["function_name"].rsplit("::")[-1].split("<")[0], start)
    while True:
        if skipped := SKIPPED.match(text, at):
            at = skipped.end()
            continue
        if text[at] == "{" and depth == 0:
            return at + 1, text.rindex("}", at, end)
        depth += (text[at] in "([") - (text[at] in ")]")
        at += 1


def is_switchable(mutant):
    """May the function have several bodies?"""
    function = mutant["function"]
    if function is None:
        return False
    text = (ROOT / mutant["file"]).read_text()
    start = offset(text, function["span"]["start"])
    head = text[start : body(text, function)[0]]
    return "impl " not in function["return_type"] and not re.search(r"\bconst fn\b", head)


def draw(number, seed):
    """The chosen changes, numbered from one."""
    listed = subprocess.run(["cargo", "mutants", "--list", "--json"], cwd=ROOT, check=True, capture_output=True)
    mutants = sorted(json.loads(listed.stdout), key=lambda mutant: mutant["name"])
    candidates = [mutant for mutant in mutants if is_switchable(mutant)]
    print(f"{len(mutants)} changes, {len(candidates)} of them to draw from; {number} drawn with seed {seed}")
    chosen = random.Random(seed).sample(candidates, min(number, len(candidates)))
    return dict(enumerate(chosen, 1))


def write_tree(mutants):
    """Copies the repository with all the changes; the lines that each of them takes, by file."""
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")
    by_file = collections.defaultdict(lambda: collections.defaultdict(list))
    for number, mutant in mutants.items():
        text = (ROOT / mutant["file"]).read_text()
        by_file[mutant["file"]][body(text, mutant["function"])].append(number)
    lines = {}
    for name in filter(None, files):
        (TREE / name).parent.mkdir(parents=True, exist_ok=True)
        if name != LIBRARY and name not in by_file:
            if not (TREE / name).exists() or (TREE / name).read_bytes() != (ROOT / name).read_bytes():
                shutil.copy(ROOT / name, TREE / name)
            continue
        old = text = (ROOT / name).read_text()
        for (start, end), numbers in sorted(by_file[name].items(), reverse=True):
            arms = "".join(arm(old, (start, end), number, mutants[number]) for number in numbers)
            text = f"{text[:start]} match crate::mutant() {{{arms}\n_ => {{{old[start:end]}}} }} {text[end:]}"
        if name == LIBRARY:
            text += MODULE
        (TREE / name).write_text(text)
        lines[name] = arms_of(text)
    return lines


def arm(text, span, number, mutant):
    """The changed body of a function, for one change."""
    start, end = (offset(text, mutant["span"][side]) for side in ("start", "end"))
    if start < span[0] or end > span[1]:  # The whole body, braces and all.
        changed = mutant["replacement"]
    else:
        changed = text[span[0] : start] + mutant["replacement"] + text[end : span[1]]
    return f"\n/*mutant {number}*/ {number} => {{\n{changed}\n}} /*end*/"


def arms_of(text):
    """Which change is a line part of?"""
    number, found = None, {}
    for index, line in enumerate(text.split("\n"), 1):
        if start := re.match(r"/\*mutant (\d+)\*/", line):
            number = int(start[1])
        if number is not None:
            found[index] = number
        if "/*end*/" in line:
            number = None
    return found


def cargo(*arguments):
    """Runs cargo in the copy; its messages, and whether all went well."""
    environment = os.environ | {"CARGO_TARGET_DIR": str(ROOT / "target"), "CARGO_PROFILE_DEV_DEBUG": "false"}
    command = ["cargo", *arguments, "--message-format=json"]
    done = subprocess.run(command, cwd=TREE, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    return [json.loads(line) for line in done.stdout.splitlines()], done.returncode == 0


def build(mutants):
    """Builds the tests; the changes that do not compile are taken out of `mutants`."""
    unviable = []
    while True:
        lines = write_tree(mutants)
        messages, is_done = cargo("test", *TESTS, "--no-run")
        if is_done:
            return [message["executable"] for message in messages if message.get("executable")], unviable
        errors = [it["message"] for it in messages if (it.get("message") or {}).get("level") == "error"]
        spans = [span for error in errors for span in error["spans"]]
        bad = {lines.get(span["file_name"], {}).get(span["line_start"]) for span in spans} - {None}
        if not bad:
            sys.exit("\n".join(error["rendered"] for error in errors))
        unviable += [mutants.pop(number) for number in bad]


def run(executable, number, cpu_seconds):
    """Runs a test with a change; what came of it, and the processor time that it took."""

    def limit():
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {SWITCH: str(number), "RUST_BACKTRACE": "0"}
    try:
        done = subprocess.run(
            [executable], env=environment, cwd=TREE / "tests", preexec_fn=limit, capture_output=True, timeout=900, check=False
        )
        verdict = {0: "missed", 101: "caught"}.get(done.returncode, f"ended by {done.returncode}")
    except subprocess.TimeoutExpired:
        verdict = "no end"
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return verdict, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    """Draws, builds, runs, and reports as it goes."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--number", type=int, default=100)
    arguments.add_argument("--seed", type=int, default=1)
    arguments = arguments.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    mutants = draw(arguments.number, arguments.seed)
    executables, unviable = build(mutants)
    print(f"{len(unviable)} do not compile, {len(mutants)} are tried", flush=True)
    times = {}
    for executable in executables:
        verdict, times[executable] = run(executable, 0, 3600)
        print(f"{pathlib.Path(executable).name}: {times[executable]:.1f} s", flush=True)
        if verdict != "missed":
            sys.exit(f"{executable} fails without any change")
    verdicts = {}
    for number, mutant in mutants.items():
        verdicts[number] = "missed"
        for executable in sorted(executables, key=times.get):
            verdict, _ = run(executable, number, int(PATIENCE * times[executable]) + 5)
            if verdict != "missed":
                verdicts[number] = f"{verdict} in {pathlib.Path(executable).name.rsplit('-', 1)[0]}"
                break
        print(f"{verdicts[number]}: {mutant['name']}", flush=True)
    n_missed = list(verdicts.values()).count("missed")
    print(f"{len(verdicts) - n_missed} of {len(verdicts)} noticed")


main()
