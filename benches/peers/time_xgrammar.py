"""Times XGrammar on the tokens that maskbench writes, and writes what `maskbench --recorded` reads.

    cargo run --release -p formwork-bench --bin maskbench -- --data PATH --sample 1000 --tokens tokens.jsonl
    python3 -m pip install xgrammar
    python3 benches/peers/time_xgrammar.py tokens.jsonl xgrammar.jsonl
    cargo run --release -p formwork-bench --bin maskbench -- --data PATH --sample 1000 --recorded xgrammar.jsonl

Each schema runs in one thread, as maskbench does it: the first mask from the schema's text to the filled bit mask, then each
instance token by token. Times are those of the calls from Python; what such a call costs by itself is measured and printed,
and not subtracted. A compilation cannot be stopped, so each schema has a fork of the process, which the system ends when it
has used --seconds of the processor; the schema is then refused.
"""

import argparse
import importlib.metadata
import json
import os
import resource
import statistics
import time

import xgrammar


class Peer:
    """XGrammar with one vocabulary."""

    def __init__(self, vocabulary, arguments):
        # A token without text must not be one that some text spells.
        tokens = [bytes.fromhex(text) if text is not None else b"" for text in vocabulary["tokens"]]
        self.stops = set(vocabulary["stops"])
        info = xgrammar.TokenizerInfo(
            tokens, xgrammar.VocabType.RAW, vocab_size=len(tokens), stop_token_ids=sorted(self.stops)
        )
        self.compiler = xgrammar.GrammarCompiler(info, max_threads=1, cache_enabled=False)
        self.mask = xgrammar.allocate_token_bitmask(1, len(tokens))
        self.row = self.mask.numpy()[0]
        self.any_order = arguments.any_order

    def compile(self, schema):
        """`strict_mode` would forbid properties that the schema allows."""
        return self.compiler.compile_json_schema(schema, strict_mode=False, any_order=self.any_order)

    def allows(self, token):
        return bool(int(self.row[token // 32]) >> (token % 32) & 1)

    def fill(self, matcher, times):
        start = time.perf_counter_ns()
        matcher.fill_next_token_bitmask(self.mask)
        times.append(time.perf_counter_ns() - start)

    def instance(self, compiled, tokens, out):
        """Whether every token and then a stop token is allowed."""
        matcher = xgrammar.GrammarMatcher(compiled, terminate_without_stop_token=False)
        for token in tokens:
            self.fill(matcher, out["mask_ns"])
            if not self.allows(token):
                return False
            start = time.perf_counter_ns()
            accepted = matcher.accept_token(token)
            out["accept_ns"].append(time.perf_counter_ns() - start)
            if not accepted:
                return False
        self.fill(matcher, out["mask_ns"])
        return any(self.allows(stop) for stop in self.stops)

    def schema(self, case):
        out = {"name": case["name"], "outcome": "passing", "reason": None, "first_mask_ns": None}
        out |= {"mask_ns": [], "accept_ns": []}
        text = json.dumps(case["schema"], ensure_ascii=False)
        start = time.perf_counter_ns()
        compiled = self.compile(text)
        matcher = xgrammar.GrammarMatcher(compiled, terminate_without_stop_token=False)
        matcher.fill_next_token_bitmask(self.mask)
        out["first_mask_ns"] = time.perf_counter_ns() - start
        for instance in case["instances"]:
            accepted = self.instance(compiled, instance["tokens"], out)
            if accepted and not instance["valid"]:
                out["outcome"] = "wrong_accept"
            elif instance["valid"] and not accepted and out["outcome"] == "passing":
                out["outcome"] = "wrong_reject"
        return out


def call_cost(peer):
    """What a call from Python takes that does nothing."""
    compiled = peer.compile('{"type": "boolean"}')
    matcher = xgrammar.GrammarMatcher(compiled)
    times = []
    for _ in range(10_001):
        start = time.perf_counter_ns()
        matcher.is_terminated()
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times)


def measured(peer, case):
    """What became of a schema, whatever the binding throws."""
    try:
        return peer.schema(case)
    except Exception as error:
        first_line = str(error).strip().splitlines() or [type(error).__name__]
        return {"name": case["name"], "outcome": "refused", "reason": first_line[0][-60:]}


def in_fork(peer, case, seconds):
    """The same in a process of its own, which may not take longer."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        with open(writer, "w", encoding="utf-8") as sink:
            json.dump(measured(peer, case), sink)
        os._exit(0)
    os.close(writer)
    with open(reader, encoding="utf-8") as source:
        text = source.read()
    os.waitpid(child, 0)
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return {"name": case["name"], "outcome": "refused", "reason": f"ended, or over {seconds} s"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tokens", help="what maskbench --tokens wrote")
    parser.add_argument("times", help="where to write the times; the engine is called after the file")
    parser.add_argument("--any-order", action="store_true", help="properties in any order, where XGrammar can")
    parser.add_argument("--seconds", type=int, default=60, help="most processor time for a schema (default 60)")
    arguments = parser.parse_args()
    counts = {}
    with open(arguments.tokens, encoding="utf-8") as source, open(arguments.times, "w", encoding="utf-8") as sink:
        peer = Peer(json.loads(next(source)), arguments)
        print(f"xgrammar {importlib.metadata.version('xgrammar')}, an empty call takes {call_cost(peer):.0f} ns")
        for line in source:
            case = json.loads(line)
            out = in_fork(peer, case, arguments.seconds)
            counts[out["outcome"]] = counts.get(out["outcome"], 0) + 1
            sink.write(json.dumps(out) + "\n")
            sink.flush()
    print(", ".join(f"{n} {outcome}" for outcome, n in sorted(counts.items())))


if __name__ == "__main__":
    main()
