from __future__ import annotations

import pytest
from web.served import Served, problem_of


def test_files_of_the_package_are_served_and_no_others(served: Served) -> None:
    response = served.client.get("/static/docs.css")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/css; charset=utf-8")
    for name in ("..%2fapp.py", "../app.py", "nothing.css", ".", "%00.css", "docs.css/"):
        assert served.client.get(f"/static/{name}").status_code == 404


@pytest.mark.parametrize("path", ["/v1", "/v1/redact/", "/v1/jobs/", "/v1/jobs/a/b", "/%2e%2e/etc/passwd"])
def test_there_is_nothing_elsewhere(served: Served, path: str) -> None:
    assert problem_of(served.client.get(path))["status"] == 404


def test_the_first_page_leads_to_the_others(served: Served) -> None:
    assert served.client.get("/").headers["location"] == "/docs"
