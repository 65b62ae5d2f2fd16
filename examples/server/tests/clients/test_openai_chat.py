"""Chat completions of the official OpenAI client: sampling, stop texts, log probabilities, streams, JSON mode."""

import pytest
from checks import PERSON, user, value_of

PERSON_FORMAT = {"type": "json_schema", "json_schema": {"name": "person", "strict": True, "schema": PERSON}}


def text_of(stream) -> tuple[str, list]:
    """The joined text of a stream's first choice, and all chunks."""
    chunks = list(stream)
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices), chunks


def test_model_is_listed(client, model):
    assert client.models.retrieve(model).id == model
    assert [found.object for found in client.models.list().data] == ["model"]


def test_answer_has_all_parts(client, model):
    answer = client.chat.completions.create(model=model, messages=user("Hello!"), max_tokens=8, seed=1)
    assert answer.object == "chat.completion" and answer.model == model and answer.id.startswith("chatcmpl-")
    [choice] = answer.choices
    assert choice.message.role == "assistant" and choice.message.content and choice.message.refusal is None
    usage = answer.usage
    assert usage.prompt_tokens > 0 and 0 < usage.completion_tokens <= 8
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_json_mode_gives_an_object(client, model):
    for seed in range(5):
        messages = user("Generate a person with a name and an age as JSON.")
        answer = client.chat.completions.create(model=model, messages=messages, response_format={"type": "json_object"}, seed=seed)
        assert answer.choices[0].finish_reason == "stop"
        assert isinstance(value_of(answer.choices[0].message.content), dict)


def test_json_mode_gives_an_object_piece_by_piece(client, model):
    messages = user("Generate a book as JSON.")
    stream = client.chat.completions.create(model=model, messages=messages, response_format={"type": "json_object"}, seed=3, stream=True)
    text, chunks = text_of(stream)
    assert isinstance(value_of(text), dict)
    assert len(chunks) > 3 and {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert len({chunk.id for chunk in chunks}) == 1


def test_seed_decides_the_text(client, model):
    def text(seed):
        answer = client.chat.completions.create(model=model, messages=user("Name a city."), temperature=1.5, max_tokens=24, seed=seed)
        return answer.choices[0].message.content

    texts = {seed: text(seed) for seed in range(4)}
    assert {seed: text(seed) for seed in texts} == texts
    assert len(set(texts.values())) > 1


@pytest.mark.parametrize("more", [{}, {"response_format": PERSON_FORMAT}], ids=["free", "schema"])
def test_stream_tells_the_same(client, model, more):
    request = {"model": model, "messages": user("Generate a person."), "seed": 11, "max_tokens": 100, **more}
    whole = client.chat.completions.create(**request)
    text, chunks = text_of(client.chat.completions.create(**request, stream=True, stream_options={"include_usage": True}))
    assert text == whole.choices[0].message.content
    assert chunks[-1].choices == [] and all(chunk.usage is None for chunk in chunks[:-1])
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert chunks[-1].usage.prompt_tokens == whole.usage.prompt_tokens


def test_two_answers_at_once(client, model):
    request = {"model": model, "messages": user("Generate a person."), "n": 2, "seed": 5, "response_format": PERSON_FORMAT}
    whole = client.chat.completions.create(**request)
    assert [choice.index for choice in whole.choices] == [0, 1]
    people = [value_of(choice.message.content, PERSON) for choice in whole.choices]
    assert people[0] != people[1]
    texts = {0: "", 1: ""}
    for chunk in client.chat.completions.create(**request, stream=True):
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
    assert [value_of(text, PERSON) for text in texts.values()] == people


def test_stop_text_ends_the_answer(client, model):
    request = {"model": model, "messages": user("Generate a person as JSON."), "temperature": 0}
    free = client.chat.completions.create(**request, max_tokens=60).choices[0].message.content
    assert ":" in free
    stopped = client.chat.completions.create(**request, max_tokens=60, stop=[":", "never said"])
    assert stopped.choices[0].message.content == free[: free.index(":")]
    assert stopped.choices[0].finish_reason == "stop"
    text, _ = text_of(client.chat.completions.create(**request, max_tokens=60, stop=":", stream=True))
    assert text == stopped.choices[0].message.content


def test_length_ends_the_answer(client, model):
    for limit in [{"max_tokens": 3}, {"max_completion_tokens": 3}]:
        answer = client.chat.completions.create(model=model, messages=user("Generate a person."), response_format=PERSON_FORMAT, **limit)
        assert answer.choices[0].finish_reason == "length" and answer.usage.completion_tokens == 3


@pytest.mark.parametrize("more", [{}, {"response_format": PERSON_FORMAT}], ids=["free", "schema"])
def test_log_probabilities(client, model, more):
    request = {"model": model, "messages": user("Generate a person."), "seed": 2, "max_tokens": 100, "logprobs": True, "top_logprobs": 3, **more}
    answer = client.chat.completions.create(**request)
    entries = answer.choices[0].logprobs.content
    # The token that ends the answer has no text.
    assert b"".join(bytes(entry.bytes) for entry in entries).startswith(answer.choices[0].message.content.encode())
    for entry in entries:
        assert entry.logprob <= 1e-6 and len(entry.top_logprobs) <= 3
        shares = [top.logprob for top in entry.top_logprobs]
        assert shares == sorted(shares, reverse=True)
    streamed = [
        entry
        for chunk in client.chat.completions.create(**request, stream=True)
        for choice in chunk.choices
        if choice.logprobs
        for entry in choice.logprobs.content
    ]
    assert [entry.token for entry in streamed] == [entry.token for entry in entries]


def test_bias_decides_the_token(client, model):
    request = {"model": model, "messages": user("Hello!"), "max_tokens": 4, "logprobs": True, "logit_bias": {"500": 100}}
    entries = client.chat.completions.create(**request).choices[0].logprobs.content
    assert len(entries) == 4 and len({entry.token for entry in entries}) == 1
