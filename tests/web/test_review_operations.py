from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest
from fakes import FixedDetector, Folders, UseDetectors, face, noise, save
from web.served import TOKEN, Served, problem_of, serving

from anonymizer import anonymize_folder
from anonymizer.settings import ReviewSettings
from anonymizer.web.review import open_review


@pytest.fixture
def reviewed(folders: Folders, use_detectors: UseDetectors) -> Iterator[Served]:
    """A server that shows a folder with two pictures, the name of one of which is not text."""
    source, target = folders
    use_detectors(FixedDetector(face(5, 5, 15, 15, 0.9)))
    save(source / "a.png", noise(40, 50))
    save(source / os.fsdecode(b"b\xff.png"), noise(40, 50))
    anonymize_folder(source, target)
    with serving(token=TOKEN, review=open_review(target, ReviewSettings(source, workers=0))) as served:
        yield served


def test_only_those_with_the_token_see_it(reviewed: Served) -> None:
    for path in ("/v1/review", "/v1/review/0/original"):
        assert problem_of(reviewed.client.get(path))["status"] == 401
    for path in ("/v1/review/0/edits", "/v1/review/redact"):
        assert problem_of(reviewed.client.post(path, content=b"[]"))["status"] == 401


def test_pages_of_other_sites_decide_nothing(reviewed: Served, folders: Folders) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Origin": "http://evil.example"}
    for path in ("/v1/review/0/edits", "/v1/review/redact"):
        assert problem_of(reviewed.client.post(path, content=b"[]", headers=headers))["status"] == 403
    rebound = reviewed.client.get("/v1/review", headers={**headers, "Host": "evil.example"})
    assert problem_of(rebound)["type"] == "/docs#wrong-host"
    assert not (folders[1] / "edits.yaml").exists()


def test_it_shows_takes_and_redacts(reviewed: Served, folders: Folders) -> None:
    source, target = folders
    reviewed.client.headers["Authorization"] = f"Bearer {TOKEN}"
    picture, other = reviewed.client.get("/v1/review").json()["pictures"]
    assert other["name"] == os.fsdecode(b"b\xff.png")
    assert reviewed.client.get("/v1/settings").json()["review"]["edits"] == "edits.yaml"
    original = reviewed.client.get(f"/v1/review/{picture['number']}/original")
    assert original.content == (source / "a.png").read_bytes()
    assert original.headers["content-type"] == "application/octet-stream"
    edits = json.dumps([{"remove": {"box": [5, 5, 15, 15]}, "kind": "face"}])
    assert reviewed.client.post("/v1/review/0/edits", content=edits).status_code == 204
    assert "redacted again" in reviewed.client.post("/v1/review/redact").json()["text"]
    assert (target.with_name("out-reviewed") / "a.png").is_file()


@pytest.mark.parametrize("number", ["2", "-1", "a", "..%2f..%2fetc", "0.png", "²", "9" * 30])
def test_numbers_lead_nowhere_else(reviewed: Served, number: str) -> None:
    reviewed.client.headers["Authorization"] = f"Bearer {TOKEN}"
    assert problem_of(reviewed.client.get(f"/v1/review/{number}/original"))["status"] == 404
    assert problem_of(reviewed.client.post(f"/v1/review/{number}/edits", content=b"[]"))["status"] == 404


def test_without_a_review_there_is_none(served: Served) -> None:
    assert problem_of(served.client.get("/v1/review"))["status"] == 404
    assert served.client.get("/v1/settings").json()["review"] is None


def test_two_servers_do_not_sign_each_other_out(reviewed: Served, served: Served) -> None:
    assert reviewed.client.post("/v1/session", data={"token": TOKEN}).status_code == 204
    served.client.cookies = reviewed.client.cookies  # as browsers do: cookies are of a machine, not of a port
    assert served.client.post("/v1/session").status_code == 204
    reviewed.client.cookies = served.client.cookies
    assert reviewed.client.get("/v1/review").status_code == 200
