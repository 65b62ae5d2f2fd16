"""Tools of the official OpenAI client: calls that must come, that may not come, whole and piece by piece."""

import openai
import pytest
from checks import WORD, user, value_of
from pydantic import BaseModel, Field

WEATHER = {
    "type": "object",
    "properties": {"city": WORD, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
    "required": ["city", "unit"],
    "additionalProperties": False,
}
STOCK = {
    "type": "object",
    "properties": {"symbol": {"type": "string", "pattern": "^[A-Z]{1,5}$"}},
    "required": ["symbol"],
    "additionalProperties": False,
}
PARAMETERS = {"get_weather": WEATHER, "get_stock": STOCK}


def tools(strict=True):
    described = {"get_weather": "Weather of a city.", "get_stock": "Price of a stock."}
    return [
        {"type": "function", "function": {"name": name, "description": described[name], "parameters": parameters, "strict": strict}}
        for name, parameters in PARAMETERS.items()
    ]


def check_calls(calls):
    assert calls
    for call in calls:
        assert call.type == "function" and call.id
        value_of(call.function.arguments, PARAMETERS[call.function.name])
    assert len({call.id for call in calls}) == len(calls)


@pytest.mark.parametrize("strict", [True, False], ids=["strict", "loose"])
def test_required_calls_come(client, model, strict):
    for seed in range(4):
        answer = client.chat.completions.create(
            model=model, messages=user("What is the weather in Paris?"), tools=tools(strict), tool_choice="required", seed=seed, max_tokens=600
        )
        [choice] = answer.choices
        assert choice.finish_reason == "tool_calls" and not choice.message.content
        check_calls(choice.message.tool_calls)


def test_named_tool_is_called(client, model):
    for name in PARAMETERS:
        choice = {"type": "function", "function": {"name": name}}
        answer = client.chat.completions.create(
            model=model, messages=user("What is new?"), tools=tools(), tool_choice=choice, parallel_tool_calls=False, seed=1
        )
        [call] = answer.choices[0].message.tool_calls
        check_calls([call])
        assert call.function.name == name


def test_allowed_tool_is_called(client, model):
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "get_stock"}}]}
    for seed in range(3):
        answer = client.chat.completions.create(
            model=model, messages=user("Weather?"), tools=tools(), seed=seed, parallel_tool_calls=False,
            tool_choice={"type": "allowed_tools", "allowed_tools": allowed},
        )
        assert [call.function.name for call in answer.choices[0].message.tool_calls] == ["get_stock"]


def test_no_tool_is_called(client, model):
    answer = client.chat.completions.create(model=model, messages=user("Hello!"), tools=tools(), tool_choice="none", max_tokens=40, seed=1)
    message = answer.choices[0].message
    assert message.tool_calls is None and message.content and answer.choices[0].finish_reason in ("stop", "length")


def test_one_call_where_parallel_ones_are_off(client, model):
    for seed in range(4):
        answer = client.chat.completions.create(
            model=model, messages=user("Weather in Rome and Oslo?"), tools=tools(), tool_choice="required", parallel_tool_calls=False, seed=seed
        )
        assert len(answer.choices[0].message.tool_calls) == 1


@pytest.mark.parametrize("parallel", [True, False], ids=["many", "one"])
def test_streamed_calls_are_the_same(client, model, parallel):
    request = {"model": model, "messages": user("What is the weather in Paris?"), "tools": tools(), "tool_choice": "required"}
    request |= {"seed": 3, "parallel_tool_calls": parallel, "max_tokens": 600}
    whole = client.chat.completions.create(**request).choices[0].message.tool_calls
    calls, finish = {}, None
    for chunk in client.chat.completions.create(**request, stream=True):
        [choice] = chunk.choices
        assert not choice.delta.content
        for call in choice.delta.tool_calls or []:
            if call.index not in calls:
                assert call.id and call.type == "function" and call.function.name
                calls[call.index] = [call.function.name, ""]
            calls[call.index][1] += call.function.arguments or ""
        finish = choice.finish_reason or finish
    assert finish == "tool_calls" and list(calls) == list(range(len(calls)))
    assert [tuple(call) for call in calls.values()] == [(call.function.name, call.function.arguments) for call in whole]


class GetWeather(BaseModel):
    """Weather of a city."""

    city: str = Field(pattern="^[A-Z][a-z]{1,11}$")
    days: int = Field(ge=1, le=7)


def test_pydantic_tool_is_parsed(client, model):
    request = {"model": model, "messages": user("Weather?"), "tools": [openai.pydantic_function_tool(GetWeather)], "tool_choice": "required"}
    answer = client.chat.completions.parse(**request, parallel_tool_calls=False, seed=1)
    [call] = answer.choices[0].message.tool_calls
    assert isinstance(call.function.parsed_arguments, GetWeather)
    with client.chat.completions.stream(**request, parallel_tool_calls=False, seed=1) as stream:
        [done] = [event for event in stream if event.type == "tool_calls.function.arguments.done"]
    assert done.name == "GetWeather" and done.parsed_arguments == call.function.parsed_arguments


def test_custom_tool_gets_a_text(client, model):
    grammar = {"type": "grammar", "grammar": {"syntax": "regex", "definition": "[a-z]{2,8} = [0-9]{1,3}"}}
    tool = {"type": "custom", "custom": {"name": "set", "description": "Sets a value.", "format": grammar}}
    request = {"model": model, "messages": user("Set a value."), "tools": [tool], "tool_choice": {"type": "custom", "custom": {"name": "set"}}}
    answer = client.chat.completions.create(**request, parallel_tool_calls=False, seed=1)
    [call] = answer.choices[0].message.tool_calls
    assert call.type == "custom" and call.custom.name == "set"
    name, value = call.custom.input.split(" = ")
    assert name.isalpha() and 2 <= len(name) <= 8 and value.isdigit() and len(value) <= 3


def test_conversation_goes_on_behind_a_call(client, model):
    messages = user("What is the weather in Paris?")
    request = {"model": model, "tools": tools(), "tool_choice": "required", "parallel_tool_calls": False, "seed": 1}
    message = client.chat.completions.create(**request, messages=messages).choices[0].message
    messages += [message, {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "12 degrees"}]
    answer = client.chat.completions.create(model=model, messages=messages, max_tokens=20, seed=1)
    assert answer.choices[0].message.content is not None and answer.usage.prompt_tokens > 0


REFUSED = {
    "name": ({"function": {"name": "no name"}}, "tools[0].function.name", None),
    "no name": ({"function": {}}, "tools[0].function.name", "missing_required_parameter"),
    "type": ({"type": "web_search"}, "tools[0].type", None),
}


@pytest.mark.parametrize("choice", ["required", "auto"])
@pytest.mark.parametrize("parallel", [True, False], ids=["many", "one"])
def test_tool_outside_of_the_strict_subset_is_named(client, model, choice, parallel):
    """OpenAI's words, with the place in the parameters of the tool."""
    open_object = {**STOCK, "properties": {"inner": {**STOCK, "additionalProperties": True}}, "required": ["inner"]}
    wrong = {"type": "function", "function": {"name": "wrong", "strict": True, "parameters": open_object}}
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(
            model=model, messages=user("x"), tools=[tools()[0], wrong], tool_choice=choice, parallel_tool_calls=parallel
        )
    assert (caught.value.param, caught.value.code) == ("tools[1].function.parameters", "invalid_function_parameters")
    start = "Invalid schema for function 'wrong': In context=('properties', 'inner'), 'additionalProperties'"
    assert caught.value.body["message"].startswith(start)


def test_answer_outside_of_the_strict_subset_is_named(client, model):
    response_format = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": {"type": "object"}}}
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model=model, messages=user("x"), tools=tools(), response_format=response_format)
    assert (caught.value.param, caught.value.code) == ("response_format", "invalid_json_schema")


@pytest.mark.parametrize("name", REFUSED)
def test_tool_that_is_wrong_is_refused(client, model, name):
    change, param, code = REFUSED[name]
    tool = {"type": "function", "function": {"name": "get", "strict": True, "parameters": STOCK, **change.get("function", {})}, **{k: v for k, v in change.items() if k != "function"}}
    if change.get("function") == {}:
        del tool["function"]["name"]
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model=model, messages=user("x"), tools=[tool], tool_choice="required")
    assert (caught.value.param, caught.value.code) == (param, code)


def test_choice_of_a_tool_that_is_not_there_is_refused(client, model):
    for choice in [{"type": "function", "function": {"name": "get"}}, "sometimes"]:
        with pytest.raises(openai.BadRequestError) as caught:
            client.chat.completions.create(model=model, messages=user("x"), tools=tools(), tool_choice=choice)
        assert caught.value.param == "tool_choice"


@pytest.mark.parametrize("strict", [True, False], ids=["strict", "loose"])
def test_calls_that_come_by_themselves_are_valid(client, model, strict):
    n_calls = 0
    for seed in range(6):
        request = {"model": model, "messages": user("What is the weather in Paris?"), "tools": tools(strict), "seed": seed, "max_tokens": 300}
        message = (choice := client.chat.completions.create(**request).choices[0]).message
        assert (choice.finish_reason == "tool_calls") <= bool(message.tool_calls)
        if choice.finish_reason == "tool_calls":
            check_calls(message.tool_calls)
            n_calls += 1
        streamed = {"content": "", "names": [], "arguments": ""}
        for chunk in client.chat.completions.create(**request, tool_choice="auto", stream=True):
            delta = chunk.choices[0].delta
            streamed["content"] += delta.content or ""
            for call in delta.tool_calls or []:
                streamed["names"] += [call.function.name] if call.function.name else []
                streamed["arguments"] += call.function.arguments or ""
        calls = message.tool_calls or []
        assert streamed["content"] == (message.content or "") and streamed["names"] == [call.function.name for call in calls]
        assert streamed["arguments"] == "".join(call.function.arguments for call in calls)
    assert n_calls > 0


def test_answer_or_call_by_schema(client, model):
    """With a schema, what is no call is the answer that the schema describes."""
    schema = {"type": "object", "properties": {"answer": WORD}, "required": ["answer"], "additionalProperties": False}
    response_format = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}
    for seed in range(6):
        request = {"model": model, "messages": user("What is the weather in Paris?"), "tools": tools(), "seed": seed, "parallel_tool_calls": False}
        message = client.chat.completions.create(**request, response_format=response_format).choices[0].message
        if message.tool_calls:
            check_calls(message.tool_calls)
        else:
            value_of(message.content, schema)
