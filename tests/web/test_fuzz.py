"""Requests that are made up from the OpenAPI document: no answer is a mistake of the server."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from web.served import Served

from anonymizer.web.app import operations_of
from anonymizer.web.openapi import to_openapi

schemathesis = pytest.importorskip("schemathesis")
REQUESTS = 50
"""Of each operation."""


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["POSITIVE", "NEGATIVE"])
def test_requests_by_the_document_never_end_in_a_mistake(served: Served, mode: str) -> None:
    schema = schemathesis.openapi.from_dict(to_openapi(operations_of(served.api)))
    operations = [result.ok() for result in schema.get_all_operations()]
    if mode == "NEGATIVE":  # the others take anything
        operations = [operation for operation in operations if operation.path in ("/v1/redact", "/v1/detect")]
    statuses: list[int] = []
    for operation in operations:
        strategy = operation.as_strategy(generation_mode=schemathesis.GenerationMode[mode])

        @settings(max_examples=REQUESTS, deadline=None, suppress_health_check=list(HealthCheck))
        @given(strategy)
        def ask(case: Any) -> None:
            response = case.call(base_url=served.address, timeout=60)
            statuses.append(response.status_code)
            assert response.status_code != 500, response.text
            assert response.status_code < 500 or response.headers.get("retry-after")

        ask()
    assert len(statuses) >= (300 if mode == "POSITIVE" else 60)
    assert len(set(statuses)) >= 2
