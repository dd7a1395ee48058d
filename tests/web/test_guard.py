from __future__ import annotations

import asyncio
import logging

import httpx
import pytest
from starlette.types import Receive, Scope, Send
from web.served import Served, problem_of

from anonymizer.web.guard import SECURITY_HEADERS, Guard
from anonymizer.web.metrics import Metrics


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/health"),
        ("GET", "/docs"),
        ("GET", "/nothing"),
        ("POST", "/v1/redact"),
        ("PUT", "/"),
        ("HEAD", "/ready"),
    ],
)
def test_every_answer_has_the_headers_that_protect_browsers(served: Served, method: str, path: str) -> None:
    response = served.client.request(method, path)
    assert {name: response.headers.get(name) for name in SECURITY_HEADERS} == dict(SECURITY_HEADERS)
    assert "access-control-allow-origin" not in response.headers
    assert "server" not in response.headers
    policy = SECURITY_HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "//" not in policy


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 400),
        ({"Origin": "http://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 400),
    ],
)
def test_who_may_not_ask_is_told_so(served: Served, headers: dict[str, str], status: int) -> None:
    response = served.client.post("/v1/redact", headers=headers)
    assert problem_of(response)["status"] == status


def test_long_queries_are_refused(served: Served) -> None:
    assert "behind the question mark" in problem_of(served.client.get("/health?" + "a" * 9000))["detail"]


def test_an_error_of_ours_is_a_problem_and_its_text_reaches_no_log(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise KeyError("a secret of the picture")

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(Guard(app, (), metrics))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get("/secret-name")

    metrics = Metrics()
    with caplog.at_level(logging.DEBUG):
        response = asyncio.run(ask())
    assert problem_of(response)["status"] == 500
    assert "secret" not in response.text
    assert "KeyError" in caplog.text
    assert "secret" not in "".join(
        record.getMessage() for record in caplog.records if record.name.startswith("anonymizer")
    )
    assert metrics.requests == {("other", 500): 1}
