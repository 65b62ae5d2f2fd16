"""What does the official OpenAI client say of requests that are wrong?"""

import json

import httpx
import openai
import pytest
from checks import user
from conftest import KEY, URL

WRONG = {
    "temperature": ({"temperature": 3}, "temperature", None),
    "top_p": ({"top_p": -1}, "top_p", None),
    "penalty": ({"presence_penalty": 5}, "presence_penalty", None),
    "no answers": ({"n": 0}, "n", None),
    "many answers": ({"n": 1000}, "n", None),
    "top_logprobs": ({"logprobs": True, "top_logprobs": 100}, "top_logprobs", None),
    "top_logprobs alone": ({"top_logprobs": 2}, "top_logprobs", None),
    "bias": ({"logit_bias": {"no token": 1}}, "logit_bias", None),
    "stop": ({"stop": ["x"] * 20}, "stop", None),
    "no messages": ({"messages": []}, "messages", None),
    "role": ({"messages": [{"role": "king", "content": "x"}]}, "messages.[0].role", None),
    "picture": ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, "messages.[0].content", None),
    "long prompt": ({"messages": user("word " * 5000)}, "messages", "context_length_exceeded"),
    "unknown field": ({"extra_body": {"no_such_field": 1}}, "no_such_field", "unknown_parameter"),
    "format": ({"response_format": {"type": "yaml"}}, "response_format", None),
    "no schema": ({"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}}, "response_format", "missing_required_parameter"),
    "strict is no flag": ({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": True, "strict": "true"}}}, "response_format", None),
    "two formats": ({"response_format": {"type": "json_object"}, "extra_body": {"regex_schema": "a"}}, "regex_schema", None),
    "tool choice alone": ({"tool_choice": "required"}, "tool_choice", None),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", WRONG)
def test_wrong_field_is_named(client, model, name, stream):
    change, param, code = WRONG[name]
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**{"model": model, "messages": user("x"), "max_tokens": 5, "stream": stream, **change})
    error = caught.value
    assert (error.param, error.code, error.type) == (param, code, "invalid_request_error")
    assert set(error.body) == {"message", "type", "param", "code"} and "\n" not in error.body["message"]


def test_key_is_asked_for(client, model):
    stranger = openai.OpenAI(base_url=f"{URL}/v1", api_key="another key", max_retries=0)
    with pytest.raises(openai.AuthenticationError) as caught:
        stranger.models.list()
    assert caught.value.code == "invalid_api_key"
    with pytest.raises(openai.AuthenticationError):
        stranger.chat.completions.create(model=model, messages=user("x"))


def test_route_that_is_not_there(client):
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="x", input="x", encoding_format="float")


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"messages": 1}', '{"messages": [], "n": -1}', json.dumps({"messages": "x", "stream": "no"})])
def test_body_that_is_wrong(body):
    answer = httpx.post(f"{URL}/v1/chat/completions", content=body, headers={"Authorization": f"Bearer {KEY}"})
    assert answer.status_code == 400 and answer.json()["error"]["type"] == "invalid_request_error"


def test_body_that_is_too_large():
    content = json.dumps({"messages": user("x" * (5 << 20))})
    answer = httpx.post(f"{URL}/v1/chat/completions", content=content, headers={"Authorization": f"Bearer {KEY}"})
    assert answer.status_code == 413
