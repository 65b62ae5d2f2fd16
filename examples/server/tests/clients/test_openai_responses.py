"""Responses of the official OpenAI client: text, JSON, schemas, tools, events."""

import openai
import pytest
from checks import PERSON, SCHEMAS, WORD, value_of
from pydantic import BaseModel, Field


def text_format(schema, name="thing"):
    return {"format": {"type": "json_schema", "name": name, "strict": True, "schema": schema}}


WEATHER = {
    "type": "object",
    "properties": {"city": WORD, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
    "required": ["city", "unit"],
    "additionalProperties": False,
}
TOOLS = [{"type": "function", "name": "get_weather", "description": "Weather of a city.", "parameters": WEATHER, "strict": True}]


def check_calls(response):
    calls = [item for item in response.output if item.type == "function_call"]
    for call in calls:
        assert call.name == "get_weather" and call.call_id and call.status == "completed"
        value_of(call.arguments, WEATHER)
    return calls


def test_free_text(client, model):
    response = client.responses.create(model=model, input="Hello!", instructions="Be brief.", max_output_tokens=20, extra_body={"seed": 1})
    assert response.object == "response" and response.id.startswith("resp_") and response.output_text
    assert response.status in ("completed", "incomplete") and response.usage.output_tokens <= 20
    [message] = response.output
    assert message.type == "message" and message.role == "assistant"


@pytest.mark.parametrize("name", SCHEMAS)
def test_answers_are_valid(client, model, name):
    for seed in range(3):
        request = {"model": model, "input": f"Generate an example of {name}.", "text": text_format(SCHEMAS[name]), "extra_body": {"seed": seed}}
        response = client.responses.create(**request)
        assert response.status == "completed" and response.error is None
        value_of(response.output_text, SCHEMAS[name])


def test_json_mode_gives_an_object(client, model):
    response = client.responses.create(model=model, input="A person as JSON.", text={"format": {"type": "json_object"}}, extra_body={"seed": 1})
    assert isinstance(value_of(response.output_text), dict)


def test_events_tell_the_same(client, model):
    request = {"model": model, "input": "Generate a person.", "text": text_format(PERSON), "extra_body": {"seed": 4}}
    whole = client.responses.create(**request)
    events = list(client.responses.create(**request, stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type for event in events]
    assert kinds[:4] == ["response.created", "response.in_progress", "response.output_item.added", "response.content_part.added"]
    assert kinds[-4:] == ["response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed"]
    assert set(kinds[4:-4]) == {"response.output_text.delta"}
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == whole.output_text == events[-1].response.output_text == events[-4].text
    assert events[-1].response.usage.output_tokens == whole.usage.output_tokens


class Person(BaseModel):
    name: str = Field(pattern="^[A-Z][a-z]{1,11}$")
    age: int = Field(ge=0, le=120)


def test_pydantic_model_is_parsed(client, model):
    response = client.responses.parse(model=model, input="Generate a person.", text_format=Person, extra_body={"seed": 1})
    assert isinstance(response.output_parsed, Person)
    with client.responses.stream(model=model, input="Generate a person.", text_format=Person, extra_body={"seed": 1}) as stream:
        for _ in stream:
            pass
        assert stream.get_final_response().output_parsed == response.output_parsed


@pytest.mark.parametrize("choice", ["required", {"type": "function", "name": "get_weather"}], ids=["required", "named"])
def test_tools_are_called(client, model, choice):
    for seed in range(3):
        request = {"model": model, "input": "What is the weather in Paris?", "tools": TOOLS, "tool_choice": choice}
        response = client.responses.create(**request, parallel_tool_calls=False, extra_body={"seed": seed})
        assert len(check_calls(response)) == 1 and not response.output_text


def test_no_tool_is_called(client, model):
    response = client.responses.create(model=model, input="Hello!", tools=TOOLS, tool_choice="none", max_output_tokens=20)
    assert check_calls(response) == [] and response.output_text


def test_calls_that_come_by_themselves_are_valid(client, model):
    n_calls = 0
    for seed in range(6):
        response = client.responses.create(
            model=model, input="What is the weather in Paris?", tools=TOOLS, max_output_tokens=300, extra_body={"seed": seed}
        )
        if response.status == "completed":
            n_calls += len(check_calls(response))
    assert n_calls > 0


def test_events_of_calls_tell_the_same(client, model):
    request = {"model": model, "input": "What is the weather in Paris?", "tools": TOOLS, "tool_choice": "required"}
    request |= {"parallel_tool_calls": False, "extra_body": {"seed": 2}}
    [call] = check_calls(client.responses.create(**request))
    events = list(client.responses.create(**request, stream=True))
    deltas = "".join(event.delta for event in events if event.type == "response.function_call_arguments.delta")
    [done] = [event for event in events if event.type == "response.function_call_arguments.done"]
    assert deltas == done.arguments == call.arguments
    [streamed] = check_calls(events[-1].response)
    assert streamed.arguments == call.arguments


def test_conversation_goes_on_behind_a_call(client, model):
    items = [{"role": "user", "content": "What is the weather in Paris?"}]
    request = {"model": model, "tools": TOOLS, "parallel_tool_calls": False}
    response = client.responses.create(**request, input=items, tool_choice="required", extra_body={"seed": 1})
    items += response.output
    items += [{"type": "function_call_output", "call_id": call.call_id, "output": "12 degrees"} for call in check_calls(response)]
    assert client.responses.create(**request, input=items, tool_choice="none", max_output_tokens=20).output_text


def test_length_ends_a_response(client, model):
    response = client.responses.create(model=model, input="Generate a person.", text=text_format(PERSON), max_output_tokens=3)
    assert response.status == "incomplete" and response.incomplete_details.reason == "max_output_tokens"


REFUSED = {
    "open object": ({"text": text_format({"type": "object"})}, "text.format.schema", "invalid_json_schema"),
    "earlier response": ({"previous_response_id": "resp_1"}, "previous_response_id", "unsupported_parameter"),
    "background": ({"background": True}, "background", "unsupported_parameter"),
    "temperature": ({"temperature": 3}, "temperature", None),
    "no input": ({"input": []}, "input", None),
    "orphan": ({"input": [{"type": "function_call_output", "call_id": "9", "output": "x"}]}, "input", None),
    "open tool": (
        {"tools": [{"type": "function", "name": "f", "strict": True, "parameters": {"type": "object"}}], "tool_choice": "required"},
        "tools[0].parameters",
        "invalid_function_parameters",
    ),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", REFUSED)
def test_wrong_field_is_named(client, model, name, stream):
    change, param, code = REFUSED[name]
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(**{"model": model, "input": "x", "stream": stream, **change})
    assert (caught.value.param, caught.value.code) == (param, code)
