from __future__ import annotations

import re

from web.served import Served

from anonymizer.web.app import operations_of
from anonymizer.web.problems import PROBLEMS


def test_the_page_explains_everything_without_a_third_party(served: Served) -> None:
    response = served.client.get("/docs")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    for operation in operations_of(served.api):
        assert f"{operation.method} {operation.path}" in response.text
    for name in PROBLEMS:
        assert f'id="{name}"' in response.text
    assert re.findall(r'(?:href|src)="([^"]+)"', response.text) == ["/static/docs.css", "/openapi.json"]
    assert not re.search(r"<script|style=|\son\w+=", response.text)
