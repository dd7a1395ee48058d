"""The operations, asked of a real server with real worker processes."""

from __future__ import annotations

import json
import socket
import time
from email import message_from_bytes
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from fakes import HANGS, KILLS, face, marked, noise
from web.served import TOKEN, Served, pixels_of, png, problem_of, serving

from anonymizer import Settings, anonymize_bytes
from anonymizer.detect.frames import ModelFinder
from anonymizer.record.detections import to_json
from anonymizer.settings import RedactSettings
from anonymizer.types import FrameDetections

PICTURE = png(noise(40, 60))


def wait_for(served: Served, job: str, **headers: str) -> dict[str, Any]:
    """The job when it is done."""
    end_s = time.monotonic() + 60
    while time.monotonic() < end_s:
        answer: dict[str, Any] = served.client.get(job, headers=headers).json()
        if answer["state"] in ("done", "failed"):
            return answer
        time.sleep(0.05)
    raise AssertionError("the job is not done")


def begin(served: Served, content: bytes = PICTURE, **settings: str) -> str:
    """The address of a job."""
    response = served.client.post(
        "/v1/redact", content=content, params=settings, headers={"Prefer": "respond-async, wait=0"}
    )
    assert response.status_code == 202
    assert response.headers["location"] == response.json()["links"]["self"]
    return str(response.headers["location"])


class FaceFinder:
    """What the workers of these servers find."""

    kinds = frozenset(["face"])

    def detect(self, picture: object) -> list[Any]:
        return [face(5, 5, 15, 15)]


def expected(content: bytes = PICTURE, settings: Settings | None = None) -> bytes:
    settings = settings or Settings()
    return anonymize_bytes(content, settings, finder=ModelFinder([FaceFinder()], settings.detect)).data


def test_a_raw_body_is_answered_by_the_redacted_file(served: Served) -> None:
    response = served.redact(PICTURE)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "image/png"
    assert response.headers["content-disposition"] == 'attachment; filename="anonymized.png"'
    assert response.content == expected()
    assert json.loads(response.headers["anonymizer-result"]) == {"counts": {"face": 1}, "warnings": []}


def test_a_form_does_the_same_whatever_the_file_is_called(served: Served) -> None:
    files = {"file": ("../../etc/passwd\r\nX: <script>.jpg", PICTURE, "text/html")}
    response = served.client.post("/v1/redact", files=files, data={"method": "solid", "color": "#ff0000", "cells": ""})
    assert response.content == expected(settings=Settings(redact=RedactSettings("solid", color="#ff0000")))


def test_file_detections_and_mask_can_be_asked_for_in_one_form(served: Served) -> None:
    response = served.client.post(
        "/v1/redact", content=PICTURE, params={"mask": "true"}, headers={"Accept": "multipart/form-data"}
    )
    message = message_from_bytes(
        b"Content-Type: " + response.headers["content-type"].encode() + b"\n\n" + response.content
    )
    parts = {
        part.get_param("name", header="content-disposition"): part for part in message.walk() if not part.is_multipart()
    }
    assert {name: part.get_content_type() for name, part in parts.items()} == {
        "file": "image/png",
        "detections": "application/json",
        "mask": "image/png",
    }
    assert parts["detections"].get_payload(decode=True) == to_json([FrameDetections([face(5, 5, 15, 15)])])
    mask = parts["mask"].get_payload(decode=True)
    assert isinstance(mask, bytes)
    assert pixels_of(mask).shape == (40, 60)


def test_what_is_found_can_be_posted_back_without_some(served: Served) -> None:
    found = served.client.post("/v1/detect", content=PICTURE).json()
    assert found["counts"] == {"face": 1}
    assert found["sizes"] == [[60, 40]]
    again = {"file": PICTURE, "detections": json.dumps(found["detections"]).encode()}
    assert served.client.post("/v1/redact", files=again).content == expected()
    none = {"file": PICTURE, "detections": b"[]"}
    assert served.client.post("/v1/redact", files=none).content == PICTURE
    above = served.client.post("/v1/redact", files=again, data={"face-threshold": "0.95"})
    assert json.loads(above.headers["anonymizer-result"])["counts"] == {}
    area = [{"x_min": 20, "y_min": 20, "x_max": 30, "y_max": 30, "score": 1, "kind": "area"}]
    drawn = served.client.post("/v1/redact", files={"file": PICTURE, "detections": json.dumps(area).encode()})
    before, after = pixels_of(PICTURE), pixels_of(drawn.content)
    assert not np.array_equal(before[20:30, 20:30], after[20:30, 20:30])
    assert np.array_equal(before[:15], after[:15])


@pytest.mark.parametrize("detections", [b"{", b"{}", b'[{"kind": "face"}]', b"[[]]"])
def test_detections_that_are_none_are_refused(served: Served, detections: bytes) -> None:
    response = served.client.post("/v1/redact", files={"file": PICTURE, "detections": detections})
    assert response.status_code == 422
    assert "does not fit its detections" in problem_of(response)["detail"]


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"methud": "solid"}, "did you mean 'method'?"),
        ({"method": "laser"}, "method: 'laser' is not one of"),
        ({"face-threshold": "2"}, "face-threshold: 2 is not in the range"),
        ({"lossless-only": "perhaps"}, "neither true nor false"),
        ({"weights": "/etc"}, "unknown key 'weights'"),
        ({"overlay": "/etc/passwd"}, "unknown key 'overlay'"),
        ({"max-pixels": "1000000000000"}, "unknown key"),
        ({"kinds": "area"}, ""),
        ({"exclude-zone": "0,0 1,0 1,1;" * 200}, "more than 1000 characters"),
        ({"method": "none"}, "the method of every kind is none"),
        ({"mask": "maybe"}, "neither true nor false"),
        ({"answer": "zip"}, "neither file nor form"),
    ],
)
def test_wrong_settings_are_named(served: Served, settings: dict[str, str], what: str) -> None:
    response = served.redact(PICTURE, **settings)
    if what:
        assert response.status_code == 422
        assert what in problem_of(response)["detail"]


def test_a_setting_that_is_there_twice_is_refused(served: Served) -> None:
    response = served.client.post("/v1/redact?method=solid&method=none", content=PICTURE)
    assert "is there twice" in problem_of(response)["detail"]


@pytest.mark.parametrize(
    ("content", "status", "what"),
    [
        (b"", 400, "there is no file"),
        (b"hello", 415, "no picture in JPEG"),
        (b"\0\0\0\x20ftypisom", 415, "and no films"),
        (PICTURE[:200], 422, "damaged"),
        (b"\x89PNG\r\n\x1a\n", 422, "damaged"),
    ],
)
def test_files_that_are_no_pictures_are_refused(served: Served, content: bytes, status: int, what: str) -> None:
    response = served.redact(content)
    assert (response.status_code, problem_of(response)["status"]) == (status, status)
    assert what in problem_of(response)["detail"]


def test_a_job_can_be_followed_and_fetched_once(served: Served) -> None:
    job = begin(served, mask="true")
    done = wait_for(served, job)
    assert done["state"] == "done"
    assert done["counts"] == {"face": 1}
    assert set(done["links"]) == {"self", "events", "result", "detections", "mask"}
    assert served.client.get(f"{job}/result").content == expected()
    assert problem_of(served.client.get(f"{job}/result"))["status"] == 404
    assert served.client.get(f"{job}/detections").json()[0]["kind"] == "face"
    assert served.client.get(f"{job}/mask").headers["content-type"] == "image/png"
    assert served.client.get(job).status_code == 404
    assert served.api.admission.held_bytes == 0
    assert served.api.admission.on_hand() == 0


def test_a_job_that_fails_says_why(served: Served) -> None:
    job = begin(served, PICTURE[:200])
    failed = wait_for(served, job)
    assert failed["state"] == "failed"
    assert failed["problem"]["status"] == 422
    assert served.client.get(f"{job}/result").status_code == 422
    assert served.client.delete(job).status_code == 204
    assert served.client.get(job).status_code == 404


def test_a_job_tells_its_events(served: Served) -> None:
    job = begin(served)
    with served.client.stream("GET", f"{job}/events") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in response.iter_lines() if line]
    assert lines[-2] == "event: done"
    assert json.loads(lines[-1].removeprefix("data: "))["state"] == "done"
    served.client.delete(job)


def test_a_job_can_be_ended_while_a_worker_is_busy_with_it(served: Served) -> None:
    job, other = begin(served, png(marked(HANGS))), begin(served)
    assert served.client.get(f"{job}/result").status_code == 409
    while served.client.get(job).json()["state"] != "working":
        time.sleep(0.05)
    assert served.client.get(other).json()["state"] == "waiting"
    assert served.client.delete(job).status_code == 204
    assert wait_for(served, other)["state"] == "done"
    served.client.delete(other)
    assert served.api.admission.on_hand() == 0


def test_a_picture_that_kills_its_worker_fails_and_harms_no_other(served: Served) -> None:
    response = served.redact(png(marked(KILLS)))
    assert response.status_code == 422
    assert "ended the process that worked on it, twice" in problem_of(response)["detail"]
    assert served.redact(PICTURE).status_code == 200


def test_health_readiness_and_metrics(served: Served) -> None:
    assert served.client.get("/health").json() == {"status": "ok"}
    assert served.client.get("/ready").json() == {"status": "ready", "kinds": ["face"]}
    before = served.api.metrics.pictures["done"]
    served.redact(PICTURE)
    job = begin(served)
    wait_for(served, job)
    served.client.delete(job)
    assert served.api.metrics.pictures["done"] == before + 2
    text = served.client.get("/metrics").text
    assert 'anonymizer_pictures_total{outcome="done"} ' in text
    assert 'anonymizer_requests_total{route="/v1/redact",status="200"} ' in text
    assert "\nanonymizer_held_bytes 0\n" in text


def test_nobody_who_has_gone_is_waited_for(served: Served) -> None:
    blocking = begin(served, png(marked(HANGS)))
    with socket.create_connection(("127.0.0.1", int(served.address.rpartition(":")[2]))) as client:
        head = f"POST /v1/redact HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(PICTURE)}\r\n\r\n"
        client.sendall(head.encode() + PICTURE)
        while served.api.desk.count_waiting() == 0:
            time.sleep(0.01)
    while served.api.desk.count_waiting():
        time.sleep(0.01)
    served.client.delete(blocking)
    while served.api.admission.on_hand():
        time.sleep(0.01)


def test_limits_of_an_address_and_of_all_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TROUBLE_MARK", str(tmp_path / "mark"))
    with serving(max_jobs=2, max_bytes=100_000, max_pixels=10_000, keep=0.1) as served:
        hanging = begin(served, png(marked(HANGS)))
        begin(served)
        refused = served.redact(PICTURE)
        assert problem_of(refused)["status"] == 429
        assert int(refused.headers["retry-after"]) >= 1
        served.client.delete(hanging)
        while served.api.admission.on_hand():  # the other one is too old soon
            time.sleep(0.05)
        large = served.redact(png(noise(200, 300)))
        assert problem_of(large)["limit_bytes"] == 100_000
        assert large.status_code == 413
        many = served.redact(png(np.zeros((101, 101, 3), np.uint8)))
        assert many.status_code == 413
        assert "max-pixels" in problem_of(many)["detail"]

    with serving(max_waiting=1, max_memory=20_000) as served:
        assert "share of the memory" in problem_of(served.redact(png(noise(60, 60))))["detail"]
        hanging = begin(served, png(marked(HANGS)))
        while served.client.get(hanging).json()["state"] != "working":
            time.sleep(0.05)
        begin(served, png(marked((0, 0, 0))))
        refused = served.redact(png(marked((0, 0, 0))))
        assert (refused.status_code, problem_of(refused)["detail"]) == (503, "1 pictures wait already; try later")
        assert int(refused.headers["retry-after"]) >= 1


def test_a_token_is_demanded_and_jobs_belong_to_whoever_began_them(tmp_path: Path) -> None:
    with serving(token=TOKEN) as served, httpx.Client(base_url=served.address) as browser:
        assert problem_of(served.redact(PICTURE))["status"] == 401
        assert served.client.get("/metrics").status_code == 401
        assert served.client.get("/health").status_code == 200
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        response = served.client.post("/v1/redact", content=PICTURE, headers={**bearer, "Prefer": "respond-async"})
        job = response.headers["location"]
        wait_for(served, job, **bearer)

        assert browser.post("/v1/session", data={"token": "a-wrong-token-for-tests"}).status_code == 401
        signed_in = browser.post("/v1/session", data={"token": TOKEN})
        assert signed_in.status_code == 204
        assert {"HttpOnly", "SameSite=strict"} <= set(signed_in.headers["set-cookie"].split("; "))
        assert browser.post("/v1/redact", content=PICTURE).status_code == 200
        assert browser.get(job).status_code == 404
        assert served.client.get(job, headers=bearer).status_code == 200
        page = browser.post("/v1/session", data={"token": TOKEN}, headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["location"]) == (303, "/")
        cookies = dict(browser.cookies)
        browser.delete("/v1/session")
        browser.cookies.update(cookies)  # of somebody who has kept a copy
        assert browser.get("/v1/settings").status_code == 401
        browser.cookies.clear()
        assert browser.post("/v1/redact", content=PICTURE).status_code == 401


def test_without_a_token_a_cookie_binds_jobs_to_a_browser(served: Served) -> None:
    with httpx.Client(base_url=served.address) as browser:
        browser.post("/v1/session")
        response = browser.post("/v1/redact", content=PICTURE, headers={"Prefer": "respond-async"})
        job = response.headers["location"]
        assert served.client.get(job).status_code == 404
        assert served.client.delete(job).status_code == 404
        assert browser.delete(job).status_code == 204
