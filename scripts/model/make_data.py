"""Makes the training text of the small model: chat documents whose answers are mostly JSON.

The same seed gives the same text. Each line of the output is a JSON string holding one whole document, special tokens
included. Run by `train.py`; by hand it prints a few documents:

    python make_data.py --n-documents 10
"""

import argparse
import json
import random
from typing import Any, Iterator

import records
import word_pools as pools
from fields import FIELDS, Rng, pick, some

BEGIN, END, SYSTEM, USER, ASSISTANT = "<|begin|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"

SYSTEM_MESSAGES = ["You are a helpful assistant.", "You answer in JSON.", "Answer with a JSON object only.",
                   "You are a helpful assistant that outputs in JSON.", "Respond only with valid JSON.",
                   "You extract data from text.", "You are a friendly chat bot. Keep it short."]

TAG_INSTRUCTION = "You may call a function by writing <function=NAME>ARGUMENTS</function>."


def dump(rng: Rng, value: Any) -> str:
    """JSON in one of the layouts a model meets; non-ASCII text is sometimes escaped."""
    ensure_ascii = rng.random() < 0.1
    layout = rng.random()
    if layout < 0.4:
        return json.dumps(value, ensure_ascii=ensure_ascii)
    if layout < 0.7:
        return json.dumps(value, ensure_ascii=ensure_ascii, separators=(",", ":"))
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=2 if layout < 0.93 else 4)


def wrap(rng: Rng, text: str) -> str:
    """Puts talk or a code fence around one answer in twenty, so that unconstrained output is not always JSON."""
    if rng.random() > 0.05:
        return text
    return rng.choice([f"Here is the JSON:\n{text}", f"```json\n{text}\n```", f"Sure! {text}"])


def single_record(rng: Rng) -> tuple[str, str]:
    kind = pick(rng, records.RECORD_KINDS)
    keys = records.choose_keys(rng, kind)
    prompt = records.record_prompt(rng, kind) if rng.random() < 0.65 else records.keyed_prompt(rng, kind.noun, keys)
    value = records.make_record(rng, kind, keys)
    if rng.random() < 0.08:
        value = {records.camel_case(key): item for key, item in value.items()}
    if rng.random() < 0.06:
        value = {kind.noun.replace(" ", "_"): value}
    return prompt, wrap(rng, dump(rng, value))


def book_or_person(rng: Rng) -> tuple[str, str]:
    """The two kinds that guides and tests ask for most, with the exact keys of those guides in a third of the cases."""
    kind = pick(rng, records.RECORD_KINDS[:2])
    keys = records.choose_keys(rng, kind)
    if rng.random() < 0.35:
        keys = rng.choice([["name", "skills", "work history"], ["name", "skills", "work_history"], ["name", "age"]]
                          if kind.noun == "person" else [["title", "author", "publication_year"], ["title", "author"],
                                                         ["title", "author", "publication_year", "genre"]])
    return records.record_prompt(rng, kind), wrap(rng, dump(rng, records.make_record(rng, kind, keys)))


def arbitrary_keys(rng: Rng) -> tuple[str, str]:
    """Keys that do not belong together, listed in the prompt or nested: the model has to follow what is there."""
    keys = some(rng, list(FIELDS), 1, 6)
    noun = rng.choice(["record", "thing", "row", "entry", "config", "profile", "report"])
    value: dict[str, Any] = {key: FIELDS[key](rng) for key in keys}
    if rng.random() < 0.3:
        value[rng.choice(["data", "metadata", "details", "result"])] = {key: FIELDS[key](rng) for key in some(rng, list(FIELDS), 1, 3)}
    prompt = records.keyed_prompt(rng, noun, list(value)) if rng.random() < 0.7 else f"Give me one {noun} as JSON."
    return prompt, wrap(rng, dump(rng, value))


def record_list(rng: Rng) -> tuple[str, str]:
    kind = pick(rng, records.RECORD_KINDS)
    n_records = rng.randint(0, 4)
    keys = records.choose_keys(rng, kind)[:4]
    value: Any = [records.make_record(rng, kind, keys) for _ in range(n_records)]
    if rng.random() < 0.3:
        value = {kind.plural.replace(" ", "_"): value}
    return records.list_prompt(rng, kind, n_records), wrap(rng, dump(rng, value))


def word_list(rng: Rng) -> tuple[str, str]:
    """An array of strings or numbers."""
    noun, pool = rng.choice([("cities", pools.CITIES), ("colors", pools.COLORS), ("skills", pools.SKILLS), ("animals", pools.ANIMALS),
                             ("countries", pools.COUNTRIES), ("hobbies", pools.HOBBIES), ("names", pools.FIRST_NAMES),
                             ("numbers", [rng.randint(0, 999) for _ in range(8)]), ("ingredients", pools.INGREDIENTS)])
    n_words = rng.randint(1, 6)
    prompt = rng.choice([f"List {n_words} {noun}.", f"Give me {n_words} {noun} as a JSON array.", f"Name {n_words} {noun}."])
    return prompt, dump(rng, pick_n(rng, pool, n_words))


def pick_n(rng: Rng, pool: list, n_values: int) -> list:
    return rng.sample(pool, min(n_values, len(pool)))


def scalar(rng: Rng) -> tuple[str, str]:
    """A bare JSON value."""
    key = rng.choice(["date", "email", "uuid", "age", "price", "url", "city", "name", "timestamp", "time", "active", "phone", "isbn"])
    words = key.replace("_", " ")
    value = FIELDS[key](rng)
    answer = value if isinstance(value, str) and rng.random() < 0.5 else json.dumps(value, ensure_ascii=False)
    return rng.choice([f"Give me a {words}.", f"Generate one {words}.", f"Write a {words}", f"A random {words}, please."]), answer


def tool_call(rng: Rng) -> tuple[str, str, str]:
    """A system message that lists tools, a question, and the call in one of the spellings in use."""
    tool, question, arguments = records.make_tool_call(rng)
    system = rng.choice(["You are a helpful assistant.\n", ""]) + "Tools:" + records.tool_list(rng, tool)
    key = "arguments" if rng.random() < 0.6 else "parameters"
    call = {"name": tool.name, key: arguments}
    style = rng.random()
    if style < 0.55:
        answer = dump(rng, call)
    elif style < 0.65:
        answer = dump(rng, [call])
    elif style < 0.8:
        answer = f"<tool_call>\n{dump(rng, call)}\n</tool_call>"
    else:
        system = f"{system}\n{TAG_INSTRUCTION}"
        intro = rng.choice(["", "Let me check. ", "One moment. "])
        answer = f"{intro}<function={tool.name}>{dump(rng, arguments)}</function>"
    return question, answer, system


def classification(rng: Rng) -> tuple[str, str]:
    prompt, answer = records.make_classification(rng)
    return prompt, answer if isinstance(answer, str) else dump(rng, answer)


def extraction(rng: Rng) -> tuple[str, str]:
    prompt, answer = records.make_extraction(rng)
    return prompt, wrap(rng, dump(rng, answer))


def plain(rng: Rng) -> tuple[str, str]:
    if rng.random() < 0.7:
        return pick(rng, pools.PLAIN_QUESTIONS)
    return rng.choice([("Write a note.", FIELDS["message"](rng)), ("Summarize a book in one sentence.", FIELDS["summary"](rng)),
                       ("Tell me about a person.", FIELDS["bio"](rng)), ("How do I cook this?", " ".join(FIELDS["steps"](rng))),
                       ("Make a self introduction please.", FIELDS["bio"](rng))])


# Weights out of 100. Books and people come on top of their share of `single_record`.
DOCUMENT_MAKERS = [(single_record, 34), (book_or_person, 18), (arbitrary_keys, 12), (record_list, 9), (tool_call, 10),
                   (extraction, 6), (classification, 4), (word_list, 3), (scalar, 2), (plain, 2)]


def make_document(rng: Rng) -> str:
    """One chat: sometimes a system message, then a question and its answer."""
    makers, weights = zip(*DOCUMENT_MAKERS)
    prompt, answer, *system = rng.choices(makers, weights)[0](rng)
    if not system and rng.random() < 0.25:
        system = [pick(rng, SYSTEM_MESSAGES)]
    head = f"{SYSTEM}{system[0]}{END}" if system else ""
    return f"{BEGIN}{head}{USER}{prompt}{END}{ASSISTANT}{answer}{END}"


def make_documents(n_documents: int, seed: int) -> Iterator[str]:
    rng = random.Random(seed)
    for _ in range(n_documents):
        yield make_document(rng)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-documents", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    for document in make_documents(arguments.n_documents, arguments.seed):
        print(json.dumps(document, ensure_ascii=False))


if __name__ == "__main__":
    main()
