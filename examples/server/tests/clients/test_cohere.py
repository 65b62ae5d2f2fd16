"""The official Cohere client against `/v2/chat`: JSON mode, schemas, strict tools, streams, refusals in Cohere's words."""

import cohere
import pytest
from checks import user, value_of
from conftest import URL

MODEL = "command-a-03-2025"
# Within the subset that Cohere documents.
BOOK = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "pattern": "[A-Z][a-z]{1,11}"},
        "genre": {"type": "string", "enum": ["novel", "poem", "guide"]},
        "published": {"type": "string", "format": "date"},
        "author": {
            "type": "object",
            "properties": {"name": {"type": "string", "pattern": "[A-Z][a-z]{1,11}"}, "is_alive": {"type": "boolean"}},
            "required": ["name", "is_alive"],
        },
    },
    "required": ["title", "genre", "published", "author"],
}
WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string", "pattern": "[A-Z][a-z]{1,11}"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
    "required": ["city", "unit"],
}
STOCK = {"type": "object", "properties": {"symbol": {"type": "string", "enum": ["CO", "XY"]}}, "required": ["symbol"]}
PARAMETERS = {"get_weather": WEATHER, "get_stock": STOCK}
TOOLS = [
    {"type": "function", "function": {"name": name, "description": f"Asks for {name}.", "parameters": parameters}}
    for name, parameters in PARAMETERS.items()
]


def anchored(schema):
    """Cohere's patterns describe the whole string, those of JSON Schema a part of it."""
    if isinstance(schema, dict):
        return {key: f"^(?:{value})$" if key == "pattern" else anchored(value) for key, value in schema.items()}
    return [anchored(item) for item in schema] if isinstance(schema, list) else schema


def text_of(message) -> str:
    [block] = message.content
    assert block.type == "text"
    return block.text


def check_call(call):
    assert call.type == "function" and call.id
    parameters = PARAMETERS[call.function.name]
    arguments = value_of(call.function.arguments, anchored(parameters))
    assert set(arguments) <= set(parameters["properties"])


def test_free_text(co):
    answer = co.chat(model=MODEL, messages=user("Hello!"), max_tokens=10, seed=1)
    assert answer.message.role == "assistant" and text_of(answer.message) and answer.finish_reason in ("COMPLETE", "MAX_TOKENS")
    assert answer.usage.tokens.input_tokens > 0 and 0 < answer.usage.tokens.output_tokens <= 10


def test_json_mode_gives_an_object(co):
    # Nothing but the model ends an object without a schema: one of a few seeds may go on to the last token.
    completed = 0
    for seed in range(4):
        answer = co.chat(model=MODEL, messages=user("Generate a person as JSON."), response_format={"type": "json_object"}, seed=seed)
        if answer.finish_reason == "COMPLETE":
            completed += 1
            assert isinstance(value_of(text_of(answer.message)), dict)
    assert completed >= 2


@pytest.mark.parametrize("field", ["schema", "json_schema"])
def test_schema_mode_gives_what_the_schema_describes(co, field):
    for seed in range(4):
        request = {"model": MODEL, "messages": user("Generate a book."), "seed": seed, "temperature": 1.0}
        answer = co.chat(**request, response_format={"type": "json_object", field: BOOK})
        assert answer.finish_reason == "COMPLETE"
        book = value_of(text_of(answer.message), anchored(BOOK))
        assert list(book) == list(BOOK["required"])


def test_streamed_text_is_the_same(co):
    request = {"model": MODEL, "messages": user("Generate a book."), "seed": 9, "response_format": {"type": "json_object", "json_schema": BOOK}}
    whole = co.chat(**request)
    events = list(co.chat_stream(**request))
    kinds = [event.type for event in events]
    n_deltas = len(kinds) - 4
    assert kinds == ["message-start", "content-start", *["content-delta"] * n_deltas, "content-end", "message-end"]
    text = "".join(event.delta.message.content.text for event in events if event.type == "content-delta")
    assert text == text_of(whole.message)
    value_of(text, anchored(BOOK))
    end = events[-1].delta
    assert end.finish_reason == "COMPLETE" and end.usage.tokens.output_tokens == whole.usage.tokens.output_tokens


@pytest.mark.parametrize("strict", [True, False], ids=["strict", "loose"])
def test_required_tools_are_called(co, strict):
    for seed in range(4):
        request = {"model": MODEL, "messages": user("What is the weather in Paris?"), "seed": seed, "max_tokens": 600}
        answer = co.chat(**request, tools=TOOLS, strict_tools=strict, tool_choice="REQUIRED")
        assert answer.finish_reason == "TOOL_CALL" and answer.message.tool_calls
        for call in answer.message.tool_calls:
            check_call(call)


def test_no_tool_is_called(co):
    answer = co.chat(model=MODEL, messages=user("Hello!"), tools=TOOLS, tool_choice="NONE", max_tokens=20, seed=1)
    assert not answer.message.tool_calls and text_of(answer.message)


def test_calls_that_come_by_themselves_are_valid(co):
    n_calls = 0
    for seed in range(6):
        answer = co.chat(model=MODEL, messages=user("What is the weather in Paris?"), tools=TOOLS, strict_tools=True, seed=seed, max_tokens=300)
        if answer.finish_reason == "TOOL_CALL":
            for call in answer.message.tool_calls:
                check_call(call)
                n_calls += 1
    assert n_calls > 0


def test_streamed_calls_are_the_same(co):
    request = {"model": MODEL, "messages": user("What is the weather in Paris?"), "seed": 5, "max_tokens": 600}
    request |= {"tools": TOOLS, "strict_tools": True, "tool_choice": "REQUIRED"}
    whole = [(call.function.name, call.function.arguments) for call in co.chat(**request).message.tool_calls]
    calls = []
    for event in co.chat_stream(**request):
        if event.type == "tool-call-start":
            assert event.index == len(calls) and event.delta.message.tool_calls.id
            calls.append([event.delta.message.tool_calls.function.name, ""])
        elif event.type == "tool-call-delta":
            calls[event.index][1] += event.delta.message.tool_calls.function.arguments
        elif event.type == "message-end":
            assert event.delta.finish_reason == "TOOL_CALL"
    assert [tuple(call) for call in calls] == whole


def test_conversation_goes_on_behind_a_call(co):
    messages = user("What is the weather in Paris?")
    answer = co.chat(model=MODEL, messages=messages, tools=TOOLS, strict_tools=True, tool_choice="REQUIRED", seed=1, max_tokens=600)
    messages.append(answer.message)
    for call in answer.message.tool_calls:
        content = [{"type": "document", "document": {"data": {"degrees": 12}}}]
        messages.append({"role": "tool", "tool_call_id": call.id, "content": content})
    assert co.chat(model=MODEL, messages=messages, tools=TOOLS, tool_choice="NONE", max_tokens=20, seed=1).message.content


def test_stop_sequence_and_length_end_an_answer(co):
    request = {"model": MODEL, "messages": user("Generate a person as JSON."), "response_format": {"type": "json_object"}, "seed": 1}
    stopped = co.chat(**request, stop_sequences=[":"])
    assert stopped.finish_reason == "STOP_SEQUENCE" and ":" not in text_of(stopped.message)
    assert co.chat(**request, max_tokens=3).finish_reason == "MAX_TOKENS"


def test_log_probabilities(co):
    answer = co.chat(model=MODEL, messages=user("Hello!"), max_tokens=6, seed=1, logprobs=True)
    assert "".join(chunk.text for chunk in answer.logprobs).startswith(text_of(answer.message))
    assert all(len(chunk.token_ids) == len(chunk.logprobs) and max(chunk.logprobs) <= 1e-6 for chunk in answer.logprobs)


def test_seed_decides_the_text(co):
    texts = [text_of(co.chat(model=MODEL, messages=user("Name a city."), temperature=1.0, seed=seed, max_tokens=20).message) for seed in (1, 1, 2, 3, 4)]
    assert texts[0] == texts[1] and len(set(texts)) > 1


def with_property(schema):
    return {"response_format": {"type": "json_object", "schema": {"type": "object", "properties": {"a": schema}, "required": ["a"]}}}


REFUSED = {
    "array at the top": ({"response_format": {"type": "json_object", "schema": {"type": "array"}}}, "schema must be an object"),
    "nothing required": ({"response_format": {"type": "json_object", "schema": {"type": "object", "properties": {"a": {"type": "string"}}}}}, "required"),
    "length": (with_property({"type": "string", "minLength": 2}), "minLength"),
    "bounds": (with_property({"type": "integer", "maximum": 2}), "maximum"),
    "unique items": (with_property({"type": "array", "uniqueItems": True}), "uniqueItems"),
    "format": (with_property({"type": "string", "format": "email"}), "format"),
    "anchor": (with_property({"type": "string", "pattern": "^a"}), "pattern"),
    "documents": ({"response_format": {"type": "json_object"}, "documents": ["text"]}, "response_format is not supported with RAG."),
    "tools": ({"response_format": {"type": "json_object"}, "tools": TOOLS}, "response_format is not supported with tools."),
    "optional parameters alone": (
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}}], "strict_tools": True},
        "at least one required parameter",
    ),
    "temperature": ({"temperature": 1.5}, "temperature"),
    "k": ({"k": 501}, "k must be"),
    "stop sequences": ({"stop_sequences": ["x"] * 6}, "stop_sequences"),
    "long prompt": ({"messages": user("word " * 5000)}, "context"),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_documented_is_refused(co, name, stream):
    change, words = REFUSED[name]
    with pytest.raises(cohere.BadRequestError) as caught:
        request = {"model": MODEL, "messages": user("x"), **change}
        if stream:
            list(co.chat_stream(**request))
        else:
            co.chat(**request)
    body = caught.value.body
    assert set(body) == {"id", "message"} and words in body["message"] and "\n" not in body["message"]


def test_key_is_asked_for():
    stranger = cohere.ClientV2(base_url=URL, api_key="another key")
    with pytest.raises(cohere.UnauthorizedError):
        stranger.chat(model=MODEL, messages=user("x"))
