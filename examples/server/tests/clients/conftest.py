"""The clients that every test file gets, unmodified but for the server's address."""

import os

import cohere
import openai
import pytest

URL = os.environ["FORMWORK_URL"]
KEY = os.environ["FORMWORK_KEY"]


@pytest.fixture(scope="session")
def client() -> openai.OpenAI:
    # An error must be seen the first time.
    return openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0, timeout=120)


@pytest.fixture(scope="session")
def model(client: openai.OpenAI) -> str:
    return client.models.list().data[0].id


@pytest.fixture(scope="session")
def co() -> cohere.ClientV2:
    return cohere.ClientV2(base_url=URL, api_key=KEY, timeout=120)
