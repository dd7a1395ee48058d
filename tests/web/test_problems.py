from __future__ import annotations

import json

from anonymizer.web.problems import MEDIA_TYPE, PROBLEMS, Problem


def test_a_problem_says_what_the_standard_wants() -> None:
    problem = Problem("too-many", "wait", headers={"Retry-After": "3"}, limit=4, status=1)
    response = problem.to_response()
    assert (response.status_code, response.media_type) == (429, MEDIA_TYPE)
    assert response.headers["retry-after"] == "3"
    assert json.loads(bytes(response.body)) == {
        "type": "/docs#too-many",
        "title": "Too many pictures at once from this address",
        "status": 429,
        "detail": "wait",
        "limit": 4,
    }


def test_browsers_get_a_page() -> None:
    response = Problem("bad-request", "<script>").to_response("text/html,application/xhtml+xml,*/*;q=0.8")
    assert response.media_type == "text/html"
    assert response.status_code == 400
    assert b"<p>&lt;script&gt;</p>" in response.body
    assert b'<a href="/">' in response.body


def test_names_that_are_not_text_can_be_said() -> None:
    problem = Problem("picture-failed", "\udcff.png is damaged")
    assert json.loads(bytes(problem.to_response().body))["detail"] == r"\udcff.png is damaged"
    assert rb"\udcff.png" in problem.to_response("text/html").body


def test_every_problem_is_an_error_of_http() -> None:
    assert {400, 401, 404, 413, 415, 422, 429, 503} <= {each.status for each in PROBLEMS.values()}
    assert all(400 <= each.status < 600 and each.title for each in PROBLEMS.values())
