from __future__ import annotations

from web.served import Served, problem_of


def test_methods_that_a_path_does_not_have_are_refused(served: Served) -> None:
    response = served.client.put("/v1/redact")
    assert problem_of(response)["status"] == 405
    assert response.headers["allow"] == "POST"
    assert served.client.options("/health").status_code == 405


def test_what_can_be_got_has_a_head(served: Served) -> None:
    response = served.client.head("/health")
    assert (response.status_code, response.content) == (200, b"")


def test_a_head_does_not_use_up_a_result(served: Served) -> None:
    response = served.client.head("/v1/jobs/a/result")
    assert (response.status_code, response.headers["allow"]) == (405, "GET")
