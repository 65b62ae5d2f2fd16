"""Structured outputs of the official OpenAI client: schemas, pydantic models, refusals of strict schemas."""

import datetime
import enum

import openai
import pytest
from checks import PERSON, SCHEMAS, WORD, user, value_of
from pydantic import BaseModel, Field


def response_format(schema, strict=True):
    return {"type": "json_schema", "json_schema": {"name": "thing", "description": "A thing.", "strict": strict, "schema": schema}}


@pytest.mark.parametrize("strict", [True, False], ids=["strict", "loose"])
@pytest.mark.parametrize("name", SCHEMAS)
def test_answers_are_valid(client, model, name, strict):
    schema = SCHEMAS[name]
    for seed in range(3):
        request = {"model": model, "messages": user(f"Generate an example of {name}."), "seed": seed, "temperature": 1.5}
        answer = client.chat.completions.create(**request, response_format=response_format(schema, strict))
        assert answer.choices[0].finish_reason == "stop"
        value_of(answer.choices[0].message.content, schema)


@pytest.mark.parametrize("name", SCHEMAS)
def test_streamed_answers_are_valid(client, model, name):
    request = {"model": model, "messages": user(f"Generate an example of {name}."), "seed": 7, "stream": True}
    stream = client.chat.completions.create(**request, response_format=response_format(SCHEMAS[name]))
    value_of("".join(chunk.choices[0].delta.content or "" for chunk in stream), SCHEMAS[name])


def test_keys_come_in_the_order_of_the_schema(client, model):
    answer = client.chat.completions.create(model=model, messages=user("Generate a person."), response_format=response_format(PERSON))
    assert list(value_of(answer.choices[0].message.content)) == ["name", "age", "born"]


def test_recursive_schema(client, model):
    node = {
        "type": "object",
        "properties": {"name": WORD, "next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}},
        "required": ["name", "next"],
        "additionalProperties": False,
    }
    answer = client.chat.completions.create(model=model, messages=user("Generate a list."), seed=1, response_format=response_format(node))
    if answer.choices[0].finish_reason == "stop":
        value_of(answer.choices[0].message.content, node)
    else:
        assert answer.choices[0].finish_reason == "length"


def test_loose_schema_takes_what_strict_refuses(client, model):
    schema = {"type": "object", "properties": {"word": {"type": "string", "minLength": 2, "maxLength": 12}}, "required": ["word"], "minProperties": 1}
    answer = client.chat.completions.create(
        model=model, messages=user("A word as JSON."), seed=1, max_tokens=400, response_format=response_format(schema, strict=False)
    )
    if answer.choices[0].finish_reason == "stop":
        value_of(answer.choices[0].message.content, schema)


class Color(str, enum.Enum):
    RED = "red"
    BLUE = "blue"


class Part(BaseModel):
    title: str = Field(pattern="^[a-z]{1,10}$")
    color: Color
    weight: float | None


class Machine(BaseModel):
    """What is built."""

    built: datetime.date
    is_ready: bool
    parts: list[Part] = Field(min_length=1, max_length=2)


def test_pydantic_model_is_parsed(client, model):
    answer = client.chat.completions.parse(model=model, messages=user("Generate a machine."), response_format=Machine, seed=1)
    machine = answer.choices[0].message.parsed
    assert isinstance(machine, Machine) and 1 <= len(machine.parts) <= 2


def test_events_of_the_stream_helper(client, model):
    request = {"model": model, "messages": user("Generate a machine."), "response_format": Machine, "seed": 1}
    with client.chat.completions.stream(**request, stream_options={"include_usage": True}, logprobs=True) as stream:
        events = list(stream)
        final = stream.get_final_completion()
    kinds = {event.type for event in events}
    assert {"chunk", "content.delta", "content.done", "logprobs.content.delta", "logprobs.content.done"} <= kinds
    [done] = [event for event in events if event.type == "content.done"]
    assert isinstance(done.parsed, Machine)
    assert "".join(event.delta for event in events if event.type == "content.delta") == done.content
    assert final.choices[0].message.parsed == done.parsed and final.usage.completion_tokens > 0


def test_cut_off_answer_is_an_error_of_the_client(client, model):
    with pytest.raises(openai.LengthFinishReasonError):
        client.chat.completions.parse(model=model, messages=user("Generate a machine."), response_format=Machine, max_tokens=4)


OBJECT = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}
REFUSED = {
    "additionalProperties": ({**OBJECT, "additionalProperties": True}, "additionalProperties"),
    "not closed": ({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}, "additionalProperties"),
    "not required": ({**OBJECT, "required": []}, "required"),
    "root": ({"type": "array", "items": OBJECT}, "object"),
    "allOf": ({**OBJECT, "properties": {"a": {"allOf": [{"type": "integer"}]}}}, "allOf"),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", REFUSED)
def test_strict_schema_outside_of_the_subset_is_refused(client, model, name, stream):
    schema, word = REFUSED[name]
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model=model, messages=user("x"), response_format=response_format(schema), stream=stream)
    error = caught.value
    assert (error.code, error.param, error.type) == ("invalid_json_schema", "response_format", "invalid_request_error")
    message = error.body["message"]
    assert message.startswith("Invalid schema for response_format 'thing': In context=(") and word in message


def test_schema_that_nothing_satisfies_is_refused(client, model):
    schema = {"type": "integer", "minimum": 5, "maximum": 4}
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model=model, messages=user("x"), response_format=response_format(schema, strict=False))
    assert caught.value.code == "invalid_json_schema"
