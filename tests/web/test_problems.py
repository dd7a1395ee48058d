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


def test_every_problem_is_an_error_of_http() -> None:
    assert {400, 401, 404, 413, 415, 422, 429, 503} <= {each.status for each in PROBLEMS.values()}
    assert all(400 <= each.status < 600 and each.title for each in PROBLEMS.values())
