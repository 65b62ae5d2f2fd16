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
# For each route. A run of minutes: see the server's README.
N_EXAMPLES = int(os.environ.get("FORMWORK_EXAMPLES", "40"))

schema = schemathesis.openapi.from_url(f"{URL}/openapi.json")


@schema.parametrize()
@hypothesis.settings(max_examples=N_EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(hypothesis.HealthCheck))
def test_route_keeps_to_the_document(case):
    # No answer may take longer, however odd the schema in it is.
    case.call_and_validate(headers={"Authorization": f"Bearer {KEY}"}, timeout=30, checks=CHECKS)
