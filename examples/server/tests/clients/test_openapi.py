"""Do the routes keep to `/openapi.json`, whatever is sent to them? Requests that schemathesis makes of it."""

import os

import hypothesis
import schemathesis
from conftest import KEY, URL
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
# For each route. Those of a longer run, which the server's README tells, are new each time.
N_EXAMPLES = os.environ.get("FORMWORK_EXAMPLES")
SETTINGS = hypothesis.settings(
    max_examples=int(N_EXAMPLES or 40),
    derandomize=N_EXAMPLES is None,
    database=None,
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)

schema = schemathesis.openapi.from_url(f"{URL}/openapi.json")


@schema.parametrize()
@SETTINGS
def test_route_keeps_to_the_document(case):
    # No answer may take longer, however odd the schema in it is.
    case.call_and_validate(headers={"Authorization": f"Bearer {KEY}"}, timeout=30, checks=CHECKS)
