"""Completions of the official OpenAI client: the older route, one text in and its continuation out."""

import openai
import pytest
from checks import PERSON, value_of


def test_texts_are_continued(client, model):
    answer = client.completions.create(model=model, prompt=["One two", "A person:"], n=2, max_tokens=6, seed=1)
    assert answer.object == "text_completion" and [choice.index for choice in answer.choices] == [0, 1, 2, 3]
    assert all(choice.finish_reason in ("stop", "length") for choice in answer.choices)
    assert 0 < answer.usage.completion_tokens <= 24


def test_token_ids_are_a_prompt(client, model):
    answer = client.completions.create(model=model, prompt=[1, 300, 301], max_tokens=4, seed=1)
    assert answer.usage.prompt_tokens == 3


def test_stream_tells_the_same(client, model):
    request = {"model": model, "prompt": "A person: {", "max_tokens": 30, "seed": 4}
    whole = client.completions.create(**request)
    chunks = list(client.completions.create(**request, stream=True, stream_options={"include_usage": True}))
    assert "".join(choice.text for chunk in chunks for choice in chunk.choices) == whole.choices[0].text
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens


def test_schema_holds(client, model):
    answer = client.completions.create(model=model, prompt="A person: ", max_tokens=200, seed=1, extra_body={"json_schema": PERSON})
    value_of(answer.choices[0].text, PERSON)


def test_log_probabilities(client, model):
    choice = client.completions.create(model=model, prompt="A person:", max_tokens=5, seed=1, logprobs=2, stop=None).choices[0]
    logprobs = choice.logprobs
    n_tokens = len(logprobs.tokens)
    assert n_tokens and len(logprobs.token_logprobs) == len(logprobs.top_logprobs) == len(logprobs.text_offset) == n_tokens
    assert all(share <= 1e-6 for share in logprobs.token_logprobs) and logprobs.text_offset[0] == 0
    assert "".join(logprobs.tokens).startswith(choice.text)


@pytest.mark.parametrize("change", [{"prompt": []}, {"prompt": [[]]}, {"prompt": [1, 99999999]}, {"n": 500}, {"logprobs": 9}, {"best_of": 3, "suffix": "x"}])
def test_wrong_request_is_refused(client, model, change):
    with pytest.raises(openai.BadRequestError):
        client.completions.create(**{"model": model, "prompt": "x", "max_tokens": 2, **change})


@pytest.mark.parametrize("prompt", ["", "word " * 5000])
def test_prompt_at_fault_is_named(client, model, prompt):
    with pytest.raises(openai.BadRequestError) as refused:
        client.completions.create(model=model, prompt=prompt, max_tokens=2)
    assert refused.value.body["param"] == "prompt"
