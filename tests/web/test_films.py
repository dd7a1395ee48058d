"""Films over HTTP: the files of the command line, without any file on the server."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("av")

from fakes import noise
from video.film_samples import load_square, write_film
from web.served import Served, png, problem_of, serving

from anonymizer.detect.frames import ModelFinder
from anonymizer.settings import DetectSettings, Settings
from anonymizer.types import Job, Pixels
from anonymizer.video.process import FilmProcess

SIZE = (160, 96)
PICTURE = png(noise(40, 60))
ASYNC = {"Prefer": "respond-async"}


class SlowDetector:
    """Takes its time for each frame, for ever at the very first one that is dark."""

    kinds = frozenset(["face"])

    def detect(self, picture: Pixels) -> list[object]:
        time.sleep(3600 if picture.max() < 40 else 0.4)
        return []


def load_slow(settings: DetectSettings) -> ModelFinder:
    return ModelFinder([SlowDetector()], settings)  # type: ignore[list-item]


@pytest.fixture(scope="module")
def filming() -> Iterator[Served]:
    """A server that finds the square in films."""
    limits: dict[str, Any] = {"max_film_frames": 60, "max_film_seconds": 30, "max_film_bytes": 2_000_000}
    with serving(films=load_square, max_bytes=20_000, max_films=3, max_film_pixels=100_000, **limits) as served:
        yield served


@pytest.fixture(scope="module")
def slow() -> Iterator[Served]:
    """A server on which films take long."""
    with serving(films=load_slow, film_timeout=4, timeout_s=3, max_films=1, max_waiting_films=1, keep=60) as served:
        yield served


def wait_for(served: Served, location: str) -> httpx.Response:
    """The job, once it is done."""
    while (answer := served.client.get(location)).json()["state"] in ("waiting", "working"):
        time.sleep(0.05)
    return answer


def is_empty(served: Served) -> bool:
    """Whether nothing of anybody is held, in a moment."""
    end_s = time.monotonic() + 60
    while served.api.admission.on_hand():
        assert time.monotonic() < end_s
        time.sleep(0.05)
    return served.api.admission.held_bytes == 0


@pytest.mark.parametrize(
    ("name", "codec", "extension", "media_type"),
    [
        ("a.mp4", "libx264", "mp4", "video/mp4"),
        ("a.mov", "mpeg4", "mov", "video/quicktime"),
        ("a.webm", "libvpx-vp9", "webm", "video/webm"),
        ("a.mkv", "ffv1", "mkv", "video/x-matroska"),
        ("a.avi", "mpeg4", "avi", "video/x-msvideo"),
        ("a.ts", "libx264", "ts", "video/mp2t"),
    ],
)
def test_a_film_comes_out_as_from_the_command_line(
    filming: Served, tmp_path: Path, name: str, codec: str, extension: str, media_type: str
) -> None:
    sounds = ["libopus"] if name == "a.webm" else ["mp2"]
    content = write_film(tmp_path / name, codec, 25, size=SIZE, sounds=sounds).read_bytes()
    out = tmp_path / "out"
    out.mkdir()
    finder = load_square(DetectSettings())
    job = Job(Path(name), Path(name), Path("a.json"))
    assert FilmProcess(tmp_path, out, finder, Settings())(job).reason is None

    response = filming.redact(content)
    assert response.status_code == 200, response.text
    assert response.content == (out / name).read_bytes()
    assert response.headers["content-type"] == media_type
    assert response.headers["content-disposition"] == f'attachment; filename="anonymized.{extension}"'
    result = json.loads(response.headers["anonymizer-result"])
    assert result["counts"] == {"face": 1}
    assert result["film"]["frames"] == 25

    found = filming.client.post("/v1/detect", files={"file": content}).json()
    assert found["detections"] == json.loads((out / "a.json").read_bytes())
    assert found["sizes"] == [list(SIZE)]

    sure_from = ",".join(f"{kind}={score}" for kind, score in found["sure_from"].items())
    files = {"file": content, "detections": json.dumps(found["detections"]).encode()}
    again = filming.client.post("/v1/redact", files=files, data={"sure-from": sure_from})
    assert again.content == response.content
    none = filming.client.post("/v1/redact", files={"file": content, "detections": b"[]"})
    assert none.status_code == 200
    assert none.content != response.content


def test_a_job_tells_how_far_it_is_and_is_fetched_once(slow: Served, tmp_path: Path) -> None:
    content = write_film(tmp_path / "a.mp4", frames=6, size=SIZE).read_bytes()
    accepted = slow.client.post("/v1/redact?preset=thorough", content=content, headers=ASYNC)
    assert accepted.status_code == 202
    location = accepted.headers["location"]
    shares = []
    while (state := slow.client.get(location).json())["state"] in ("waiting", "working"):
        shares.append((state["progress"], state["doing"], state["eta_seconds"]))
        assert slow.redact(PICTURE).status_code == 200  # others are served meanwhile
    assert state["state"] == "done", state
    assert state["progress"] == 1
    assert any(0 < share < 1 and "of 6 frames" in doing and eta > 0 for share, doing, eta in shares)
    assert [share for share, *_ in shares] == sorted(share for share, *_ in shares)
    assert slow.client.get(f"{location}/result").status_code == 200
    assert slow.client.get(f"{location}/result").status_code == 404
    assert slow.client.get(f"{location}/detections").status_code == 200
    assert slow.client.get(location).status_code == 404
    assert is_empty(slow)


def test_a_film_that_takes_too_long_is_answered_and_others_go_on(slow: Served, tmp_path: Path) -> None:
    content = write_film(tmp_path / "a.mp4", frames=200, size=SIZE).read_bytes()
    location = slow.client.post("/v1/redact?preset=thorough", content=content, headers=ASYNC).headers["location"]
    assert slow.redact(PICTURE).status_code == 200
    assert problem_of(slow.client.post("/v1/redact", content=content))["detail"].startswith("1 films of yours")
    failed = wait_for(slow, location).json()
    assert failed["state"] == "failed"
    assert failed["problem"]["detail"] == "took longer than 4 seconds"
    assert slow.client.delete(location).status_code == 204
    assert is_empty(slow)


def test_a_film_on_which_a_worker_hangs_is_answered(slow: Served, tmp_path: Path) -> None:
    content = write_film(tmp_path / "a.mkv", "ffv1", 3, size=SIZE, colour=None).read_bytes()
    dark = slow.client.post("/v1/redact", content=_dark(tmp_path))
    assert dark.status_code == 422
    assert "longer than 3 seconds" in problem_of(dark)["detail"]
    assert slow.client.post("/v1/redact", content=content).status_code == 200  # by the next worker


def _dark(folder: Path) -> bytes:
    import av
    import numpy as np

    with av.open(str(folder / "dark.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for _ in range(2):
            pixels = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return (folder / "dark.mkv").read_bytes()


def test_a_job_can_be_ended(slow: Served, tmp_path: Path) -> None:
    content = write_film(tmp_path / "a.mp4", frames=200, size=SIZE).read_bytes()
    location = slow.client.post("/v1/redact", content=content, headers=ASYNC).headers["location"]
    while slow.client.get(location).json()["state"] != "working":
        time.sleep(0.05)
    assert slow.client.delete(location).status_code == 204
    assert slow.client.get(location).status_code == 404
    assert is_empty(slow)


def test_a_client_that_goes_away_ends_its_film(slow: Served, tmp_path: Path) -> None:
    content = write_film(tmp_path / "a.mp4", frames=200, size=SIZE).read_bytes()
    with slow.connect() as connection:
        head = f"POST /v1/redact HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n\r\n"
        connection.sendall(head.encode() + content)
        while not slow.api.admission.films or not slow.api.admission.films.total():
            time.sleep(0.05)
    assert is_empty(slow)


@pytest.mark.parametrize(
    ("frames", "size", "times", "status", "reason"),
    [
        (61, SIZE, None, 413, "more than 60 frames"),
        (3, SIZE, [0, 512, 640_000], 413, "longer than 30 seconds"),
        (2, (480, 320), None, 413, "480 x 320 pixels"),
    ],
)
def test_films_that_are_too_much_are_refused_before_any_work(
    filming: Served,
    tmp_path: Path,
    frames: int,
    size: tuple[int, int],
    times: list[int] | None,
    status: int,
    reason: str,
) -> None:
    content = write_film(tmp_path / "a.mp4", frames=frames, size=size, times=times).read_bytes()
    response = filming.redact(content)
    assert response.status_code == status
    assert reason in problem_of(response)["detail"]


def test_bytes_have_a_limit_of_their_own(filming: Served, tmp_path: Path) -> None:
    content = write_film(tmp_path / "a.mkv", "ffv1", 10, size=SIZE).read_bytes()
    assert 20_000 < len(content) < 2_000_000
    assert filming.redact(content).status_code == 200
    response = filming.redact(png(noise(100, 100)))
    assert problem_of(response)["detail"] == "the server takes 20000 bytes of a picture"
    assert problem_of(filming.redact(content + bytes(2_000_000)))["limit_bytes"] == 2_000_000


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"mask": "true"}, "mask: films have none"),
        ({"detections": "[{]"}, "damaged record"),
        ({"sure-from": "face"}, "sure-from: 'face' is not like face=0.2"),
        ({"lossless-only": "true"}, "encoded anew"),
        ({"method": "none"}, "would stay as it is"),
        ({"video-encoder": "hardware"}, "unknown key"),
    ],
)
def test_what_films_cannot_have_is_refused(filming: Served, tmp_path: Path, parts: dict[str, str], reason: str) -> None:
    content = write_film(tmp_path / "a.mp4", frames=2, size=SIZE).read_bytes()
    files = {"file": content, **{name: parts[name].encode() for name in parts if name == "detections"}}
    data = {name: value for name, value in parts.items() if name != "detections"}
    response = filming.client.post("/v1/redact", files=files, data=data)
    assert response.status_code == 422
    assert reason in problem_of(response)["detail"]


def test_damaged_films_are_answered_and_name_no_place(filming: Served, tmp_path: Path) -> None:
    content = write_film(tmp_path / "a.mp4", frames=20, size=SIZE).read_bytes()
    for broken in (content[: len(content) // 2], content[:40], content[:-200] + bytes(200)):
        response = filming.redact(broken)
        assert response.status_code in (200, 422)
        assert "/proc" not in response.text


def test_the_page_learns_what_films_may_be(filming: Served, served: Served) -> None:
    films = filming.client.get("/v1/settings").json()["films"]
    assert (films["max_frames"], films["max_seconds"], films["max_bytes"]) == (60, 30, 2_000_000)
    assert served.client.get("/v1/settings").json()["films"] is None
    assert "waiting_films 0" in filming.client.get("/metrics").text
