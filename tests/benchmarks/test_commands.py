"""The commands that measure files run, and say what they find."""

import json
from pathlib import Path

import pytest
from check.samples import anonymize
from fakes import FixedDetector, Folders, UseDetectors, face, noise, save, smooth
from video.film_samples import load_square, write_film

from anonymizer.detect.frames import ModelFinder
from anonymizer.settings import DetectSettings, Settings
from anonymizer.types import Job
from anonymizer.video.process import FilmProcess
from benchmarks import annotation_tools, fidelity, film_labels, film_maker, films, gate_yield, outcomes


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    save(tmp_path / "pack" / "a.jpg", smooth(1000, 1000))
    save(tmp_path / "pack" / "b.png", noise(40, 60, 4))
    save(tmp_path / "pack" / "c.webp", smooth(40, 60), quality=80)
    (tmp_path / "pack" / "d.jpg").write_bytes(b"no picture")
    return tmp_path / "pack"


def test_outcomes(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps([{"file": "pack/d.jpg", "what": "some text"}]))
    monkeypatch.setattr("sys.argv", ["outcomes", str(pack), "--manifest", str(manifest)])
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert outcomes.main() == 0
    text = capsys.readouterr().out
    assert "| b.png |  | anonymized, lossless | anonymized, lossless |  |" in text
    assert "| c.webp |  | anonymized, reencoded | anonymized, lossless |  |" in text
    assert "| d.jpg | some text | failed | failed | is no picture" in text
    assert "4 files: 3 anonymized, 1 failed" in text


def test_fidelity(pack: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["fidelity", str(pack), "--limit", "4"])
    assert fidelity.main() == 0
    text = capsys.readouterr().out
    assert "| JPEG | lossless | 1 | 0 of " in text
    assert "| PNG | lossless | 1 | 0 of " in text
    assert "changed outside the mask although lossless: 0" in text
    assert "1 JPEG files of" in text


@pytest.mark.parametrize(("answer", "code"), [("[1, 1, []]", 0), ("[1, 0, []]", 1), ('[1, 1, ["odd"]]', 1)])
def test_annotation_tools(
    answer: str,
    code: int,
    folders: Folders,
    use_detectors: UseDetectors,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With a program that answers in place of the tools."""
    save(folders[0] / "a.png", noise(30, 30))
    use_detectors(FixedDetector(face(5, 5, 15, 15)))
    tool = folders[0].parent / "tool"
    tool.write_text(f"#!/bin/sh\necho '{answer}'\n")
    tool.chmod(0o755)
    arguments = ["--label-studio", str(tool), "--datumaro", str(tool)]
    monkeypatch.setattr("sys.argv", ["annotation_tools", str(anonymize(folders)), *arguments])
    assert annotation_tools.main() == code
    lines = [line for line in capsys.readouterr().out.splitlines() if " of 1 objects" in line]
    assert [line.partition(":")[0] for line in lines] == [
        "Label Studio", "Datumaro, coco", "Datumaro, cvat", "Datumaro, yolo", "Datumaro, kitti", "Datumaro, voc",
    ]  # fmt: skip


def test_films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A camera goes over a picture of noise; the detector finds its one object in the middle of it."""
    save(tmp_path / "pack" / "images" / "a.png", noise(100, 160))
    box = {"kind": "face", "x_min": 60, "y_min": 30, "x_max": 100, "y_max": 70}
    entry = {"image": "images/a.png", "group": "faces/wider_val", "boxes": [box] * 3}
    (tmp_path / "pack" / "annotations.json").write_text(json.dumps([entry]))
    monkeypatch.setattr(film_maker, "SIZE", (160, 96))
    monkeypatch.setattr(film_maker, "SCENE_FRAMES", 6)
    monkeypatch.setattr("sys.argv", ["film_maker", str(tmp_path / "pack"), str(tmp_path / "out"), "--only", "pan"])
    film_maker.main()
    truth = json.loads((tmp_path / "out" / "faces_pan.json").read_text())
    assert len(truth["boxes"]) == 6
    monkeypatch.setattr(films, "load_finder", lambda how: ModelFinder([FixedDetector(face(0, 0, 160, 96))], how))
    monkeypatch.setattr("sys.argv", ["films", str(tmp_path / "out" / "faces_pan.mp4"), "--every", "2", "--single"])
    films.main()
    text = capsys.readouterr().out
    assert "| faces_pan.mp4 | every 2 | 1.000 of 18 | 1.000 of 3 | 0 / 0 | 0 of 6 | 1, 0, 0 | 4 of 6 |" in text
    assert "| faces_pan.mp4 | single frames | 1.000 of 18 |" in text


def test_labels_of_films(folders: Folders, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    write_film(folders[0] / "a.mp4", frames=12)
    job = Job(Path("a.mp4"), Path("a.mp4"), Path("a.json"))
    assert FilmProcess(*folders, load_square(DetectSettings()), Settings())(job).status == "anonymized"
    labels = folders[0] / "labels.json"
    labels.write_text(json.dumps({"a.mp4": {"0": [], "4": [[6, 6, 26, 26]], "8": [[14, 6, 34, 26]]}}))
    outputs = [f"{name}={folder}" for name, folder in zip(("same", "ours"), folders, strict=True)]
    monkeypatch.setattr("sys.argv", ["film_labels", str(labels), str(folders[0]), *outputs])
    film_labels.main()
    text = capsys.readouterr().out
    assert "| same | a.mp4 | 3 | 2 | 2 | 2 | 1.000, 1.000 | 0 |" in text
    assert "| ours | a.mp4 | 3 | 2 | 0 | 0 |" in text


def test_gate_yield(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two faces are missed, and one head; the surest warning shows a face, the next one nothing."""
    pack, output = folders[0], folders[0].parent / "out"
    boxes = [{"kind": "face", "x_min": x, "y_min": 20, "x_max": x + 20, "y_max": 40} for x in (10, 50, 90)]
    entry = {"image": "a.png", "boxes": boxes, "head_points": [[105, 90]]}
    (pack / "annotations.json").write_text(json.dumps([entry, {"image": "b.png", "boxes": []}]))
    save(output / "a.png", noise(100, 120))
    hidden = {"y_min": 20, "x_min": 10, "y_max": 40, "x_max": 30, "score": 0.9, "kind": "face"}
    (output / "a.json").write_text(json.dumps([hidden]))
    places = [(0.5, 45), (0.3, 0), (0.4, 5)]
    findings = [
        {"file": "a.png", "level": level, "score": score, "x_min": x, "y_min": 10, "x_max": x + 40, "y_max": 95}
        for (score, x), level in zip(places, ("warning", "warning", "noted"), strict=True)
    ]
    (tmp_path / "check.json").write_text(json.dumps({"findings": findings}))
    monkeypatch.setattr("sys.argv", ["gate_yield", str(pack), str(output), str(tmp_path / "check.json")])
    gate_yield.main()
    text = capsys.readouterr().out
    assert text == "1 pictures, 3 missed, 2 to look at\nafter    2 looks    1\n"
