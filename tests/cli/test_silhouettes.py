"""`--shape silhouette` on the command line: pictures, films, records, replays, masks."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from fakes import FixedDetector, Folders, UseDetectors, face, load, noise, plate, save
from video.film_samples import write_film

from anonymizer import Settings, anonymize_image
from anonymizer.cli.main import run
from anonymizer.detect import silhouettes
from anonymizer.detect.silhouettes import Segmenter, SegmenterDescription, Share
from anonymizer.settings import RedactSettings
from anonymizer.types import Pixels8

Call: TypeAlias = Callable[..., tuple[int, str]]
FACE = face(20, 30, 40, 50)


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> list[Pixels8]:
    """The crops that a network was shown; it sees the upper three quarters of each."""
    crops = []

    def see(crop: Pixels8) -> Share:
        crops.append(crop)
        share = np.zeros((32, 32), np.float32)
        share[2:24, 4:28] = 1
        return share

    def load(described: SegmenterDescription) -> Segmenter:
        return Segmenter(see, 32, 0.5)

    monkeypatch.setattr(silhouettes, "load_segmenter", load)
    return crops


@pytest.fixture
def call(folders: Folders, capsys: pytest.CaptureFixture[str], use_detectors: UseDetectors) -> Call:
    """call(output, *options) runs the main job into a folder and returns exit code and stderr."""
    use_detectors(FixedDetector(FACE, plate(50, 60, 60, 65), kinds=["face", "plate"]))

    def call(output: str, *options: object) -> tuple[int, str]:
        places = ["--input", str(folders[0]), "--image-output", str(folders[0].parent / output)]
        code = run([*places, *map(str, options)])
        return code, capsys.readouterr().err

    return call


def entries_of(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())
    return found


def test_pictures_are_hidden_by_silhouettes_and_again_from_the_record(
    call: Call, folders: Folders, tmp_path: Path, networks: list[Pixels8]
) -> None:
    save(folders[0] / "a.png", noise(80, 80))
    assert call("plain") == (0, "")
    assert not networks
    assert call("out", "--shape", "silhouette", "--mask-output", tmp_path / "masks") == (0, "")
    assert len(networks) == 1
    of_face, of_plate = entries_of(tmp_path / "out" / "a.json")
    assert set(of_face["silhouette"]) == {"polygon"}
    assert "silhouette" not in of_plate
    mask = load(tmp_path / "masks" / "a.png")
    assert (mask[28:50, 20:40] == 255).all()
    assert call("again", "--shape", "silhouette", "--detections", tmp_path / "out") == (0, "")
    assert len(networks) == 1
    for name in ("a.png", "a.json"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()
    assert call("ellipse", "--detections", tmp_path / "out") == (0, "")
    assert (load(tmp_path / "ellipse" / "a.png") == load(tmp_path / "plain" / "a.png")).all()
    assert not (load(tmp_path / "out" / "a.png") == load(tmp_path / "plain" / "a.png")).all()


def test_annotation_tools_and_edits_leave_them_alone(
    call: Call, folders: Folders, tmp_path: Path, networks: list[Pixels8], capsys: pytest.CaptureFixture[str]
) -> None:
    """But where a person moves the box: there it is drawn anew."""
    save(folders[0] / "a.png", noise(80, 80))
    assert call("out", "--shape", "silhouette") == (0, "")
    out, labels, into = (str(tmp_path / name) for name in ("out", "labels", "into"))
    assert run(["detections", "export", out, "--format", "coco", "--output", labels, "--quiet"]) == 0
    back = ["detections", "import", labels, "--format", "coco", "--against", out, "--into", into, "--quiet"]
    assert run(back) == 0
    assert (tmp_path / "into" / "a.json").read_bytes() == (tmp_path / "out" / "a.json").read_bytes()
    edits = tmp_path / "edits.yaml"
    moved = "file: a.png, resize: {box: [20, 30, 40, 50]}, kind: face, to: {box: [30, 30, 60, 60]}"
    edits.write_text(f"edits: [{{{moved}}}]\n")
    capsys.readouterr()
    assert call("moved", "--shape", "silhouette", "--detections", out, "--edits", edits) == (0, "")
    (of_face,) = [one for one in entries_of(tmp_path / "moved" / "a.json") if one["kind"] == "face"]
    assert of_face["x_max"] == 60
    (was,) = [one for one in entries_of(tmp_path / "out" / "a.json") if one["kind"] == "face"]
    assert of_face["silhouette"] != was["silhouette"]
    assert len(networks) == 2


def test_in_python(networks: list[Pixels8], use_detectors: UseDetectors) -> None:
    use_detectors(FixedDetector(FACE))
    pixels = noise(80, 80)
    hidden, (found,) = anonymize_image(pixels, Settings(redact=RedactSettings(shape="silhouette")))
    assert found.silhouette is not None
    plain, (without,) = anonymize_image(pixels)
    assert without == replace(found, silhouette=None)
    is_hidden = (plain != pixels).any(axis=2)
    assert ((hidden != pixels).any(axis=2) | ~is_hidden).mean() > 0.99
    assert len(networks) == 1


def test_a_record_without_silhouettes_gets_them(
    call: Call, folders: Folders, tmp_path: Path, networks: list[Pixels8]
) -> None:
    save(folders[0] / "a.png", noise(80, 80))
    assert call("plain") == (0, "")
    assert call("out", "--face-shape", "silhouette") == (0, "")
    assert call("later", "--face-shape", "silhouette", "--detections", tmp_path / "plain") == (0, "")
    assert (tmp_path / "later" / "a.png").read_bytes() == (tmp_path / "out" / "a.png").read_bytes()


def test_films_are_hidden_by_silhouettes_and_again_from_the_record(
    call: Call, folders: Folders, tmp_path: Path, networks: list[Pixels8]
) -> None:
    write_film(folders[0] / "a.mp4", frames=8)
    assert call("out", "--shape", "silhouette") == (0, "")
    seen = len(networks)
    assert seen
    entries = [entry for entry in entries_of(tmp_path / "out" / "a.json") if entry["kind"] == "face"]
    assert {entry["frame"] for entry in entries if "silhouette" in entry} == set(range(8))
    assert call("again", "--shape", "silhouette", "--detections", tmp_path / "out") == (0, "")
    assert len(networks) == seen
    for name in ("a.mp4", "a.json"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()


def test_a_picture_without_a_usable_answer_fails(
    call: Call, folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(folders[0] / "a.png", noise(80, 80))
    nothing = Segmenter(lambda crop: np.full((32, 32), np.nan, np.float32), 32, 0.5)
    monkeypatch.setattr(silhouettes, "load_segmenter", lambda described: nothing)
    code, err = call("out", "--shape", "silhouette")
    assert code == 1
    assert "a model gave no usable answer about a silhouette" in err
    assert not (tmp_path / "out" / "a.png").exists()
