"""What LMDeploy's guide to structured output asks for, by the client that the guide names: only the address is ours."""

import re

import openai
import pytest
from checks import user, value_of

GUIDE = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "skills": {"type": "array", "items": {"type": "string", "maxLength": 10}, "minItems": 3},
        "work history": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"company": {"type": "string"}, "duration": {"type": "string"}},
                "required": ["company"],
            },
        },
    },
    "required": ["name", "skills", "work history"],
}
INTRODUCTION = user("Make a self-introduction please.")


def test_the_guide(client):
    response_format = dict(type="json_schema", json_schema=dict(name="test", schema=GUIDE))
    model_name = client.models.list().data[0].id
    response = client.chat.completions.create(
        model=model_name, messages=INTRODUCTION, temperature=0.8, response_format=response_format, top_p=0.8
    )
    choice = response.choices[0]
    # Its texts and lists have no bounds: an answer may run into the end of the context.
    assert choice.finish_reason in ("stop", "length")
    if choice.finish_reason == "stop":
        value_of(choice.message.content, GUIDE)


def test_the_guide_with_seeds(client, model):
    """Most answers end by themselves, and each of those is valid."""
    n_ended = 0
    for seed in range(4):
        response_format = {"type": "json_schema", "json_schema": {"name": "test", "schema": GUIDE}}
        response = client.chat.completions.create(
            model=model, messages=INTRODUCTION, temperature=0.8, top_p=0.8, seed=seed, response_format=response_format
        )
        if response.choices[0].finish_reason == "stop":
            n_ended += 1
            value_of(response.choices[0].message.content, GUIDE)
    assert n_ended >= 2


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_regular_expression(client, model, stream):
    pattern = "call me [A-Za-z]{1,10}"
    for more in [{"response_format": {"type": "regex_schema", "regex_schema": pattern}}, {"extra_body": {"regex_schema": pattern}}]:
        answer = client.chat.completions.create(model=model, messages=INTRODUCTION, seed=1, stream=stream, **more)
        if stream:
            text = "".join(chunk.choices[0].delta.content or "" for chunk in answer)
        else:
            text = answer.choices[0].message.content
        assert re.fullmatch(pattern, text)


def test_json_object(client, model):
    answer = client.chat.completions.create(model=model, messages=user("A person as JSON."), response_format={"type": "json_object"}, seed=1)
    assert isinstance(value_of(answer.choices[0].message.content), dict)


def test_schema_as_text(client, model):
    schema = '{"type": "object", "properties": {"a": {"enum": [1, 2]}}, "required": ["a"], "additionalProperties": false}'
    for wrapper in [{"name": "test", "schema": schema}, {"name": "test", "json_schema": schema}]:
        response_format = {"type": "json_schema", "json_schema": wrapper}
        answer = client.chat.completions.create(model=model, messages=INTRODUCTION, response_format=response_format, seed=1)
        assert value_of(answer.choices[0].message.content)["a"] in (1, 2)


def test_knobs_of_lmdeploy(client, model):
    more = {"top_k": 40, "repetition_penalty": 1.02, "ignore_eos": False, "skip_special_tokens": True, "min_p": 0.01}
    answer = client.chat.completions.create(model=model, messages=INTRODUCTION, max_tokens=10, extra_body=more)
    assert answer.choices[0].message.content


def test_errors_are_flat(client, model):
    """A server started with `--lmdeploy-errors`: a schema that cannot be enforced is refused, never ignored."""
    schema = {"type": "integer", "minimum": 5, "maximum": 4}
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model=model, messages=INTRODUCTION, response_format={"type": "json_schema", "json_schema": {"name": "t", "schema": schema}})
    body = caught.value.response.json()
    assert set(body) == {"message", "type", "code", "param", "object"} and body["object"] == "error" and body["code"] == 400
