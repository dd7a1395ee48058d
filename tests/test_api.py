import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import FixedDetector, Folders, UseDetectors, face, load, noise, noise16, plate, save, smooth

import anonymizer
from anonymizer import FrameDetections, Settings, anonymize_bytes, anonymize_folder, anonymize_image
from anonymizer.detect.frames import ModelFinder
from anonymizer.errors import PictureError, SettingsError
from anonymizer.files.picture import Picture
from anonymizer.settings import DetectSettings, RedactSettings
from anonymizer.types import Detection, Job, Pixels8, Result


def test_everything_public_can_be_imported() -> None:
    for name in anonymizer.__all__:
        assert getattr(anonymizer, name) is not None
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = anonymizer.nothing_of_the_kind


@pytest.mark.parametrize("shape", [(40, 50), (40, 50, 1), (40, 50, 3), (40, 50, 4)])
def test_image_keeps_its_shape_its_alpha_and_its_surroundings(
    use_detectors: UseDetectors, shape: tuple[int, ...]
) -> None:
    use_detectors(FixedDetector(face(10, 10, 20, 20)))
    pixels = noise(40, 50, shape[2] if len(shape) == 3 else 1).reshape(shape)
    if shape[2:] == (4,):
        pixels[:, :, 3] = np.where(pixels[:, :, 3] > 127, 255, 0)  # a stencil, which is not looked at
    before = pixels.copy()
    result, detections = anonymize_image(pixels)
    assert detections == [face(10, 10, 20, 20)]
    assert result.shape == shape
    assert (pixels == before).all()
    assert (result[30:] == pixels[30:]).all()
    colours = slice(0, 3) if len(shape) == 3 else slice(None)
    assert (result[10:20, 10:20][..., colours] != pixels[10:20, 10:20][..., colours]).mean() > 0.9
    if shape[2:] == (4,):
        assert (result[30:, :, 3] == pixels[30:, :, 3]).all()
        assert (result[10:20, 10:20, 3] != pixels[10:20, 10:20, 3]).any()  # it showed something of the face


def test_the_overlay_is_read_when_it_is_used(use_detectors: UseDetectors) -> None:
    use_detectors(FixedDetector(face(10, 10, 20, 20)))
    settings = Settings(redact=RedactSettings("image", overlay="nowhere.png"))
    with pytest.raises(SettingsError, match=r"--overlay: nowhere\.png does not exist"):
        anonymize_image(noise(40, 50), settings)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4), np.float32),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((4,), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused(pixels: Pixels8) -> None:
    with pytest.raises(ValueError, match="expected"):
        anonymize_image(pixels)


def test_16_bits(use_detectors: UseDetectors) -> None:
    """Detectors see 8 bits, in the range that is in use; the picture keeps its depth."""

    class Look:
        kinds = frozenset(["face"])

        def detect(self, picture: Pixels8) -> list[Detection]:
            assert picture.dtype == np.uint8
            assert picture.max() == 255
            assert picture.mean() == pytest.approx(127, abs=3)
            return [face(10, 10, 20, 20)]

    use_detectors(Look())
    pixels = (noise16(40, 50) // 16 + 30000).astype(np.uint16)  # twelve bits in sixteen, black at 30,000
    result, _ = anonymize_image(pixels)
    assert result.dtype == np.uint16
    assert (result[30:] == pixels[30:]).all()
    assert (result[10:20, 10:20] != pixels[10:20, 10:20]).mean() > 0.9


def test_folder(use_detectors: UseDetectors, folders: Folders) -> None:
    source, target = folders
    save(source / "sub" / "a.png", noise(30, 30))
    (source / "notes.txt").touch()
    use_detectors(FixedDetector(face(5, 5, 20, 20)))
    seen: list[Result] = []
    report = anonymize_folder(source, target, Settings(), on_result=seen.append)
    assert report.exit_code == 0
    assert report.complete
    assert list(report.results) == seen
    assert list(report.results) == seen  # as often as one likes
    assert report.detections() == {"face": 1, "plate": 0}
    assert report.not_looked_at == {".txt": 1}
    assert (load(target / "sub" / "a.png") != load(source / "sub" / "a.png")).any()


def test_bytes(use_detectors: UseDetectors, tmp_path: Path) -> None:
    use_detectors(FixedDetector(face(10, 10, 20, 20)))
    path = save(tmp_path / "a.png", noise(40, 50))
    data, detections, remarks = anonymize_bytes(path.read_bytes())
    assert detections == [[face(10, 10, 20, 20)]]
    assert remarks == ()
    (tmp_path / "b.png").write_bytes(data)
    before, after = load(path), load(tmp_path / "b.png")
    assert (after[10:20, 10:20] != before[10:20, 10:20]).mean() > 0.9
    assert (after[:, 30:] == before[:, 30:]).all()


def test_bytes_are_those_of_a_run(use_detectors: UseDetectors, folders: Folders) -> None:
    use_detectors(FixedDetector(face(10, 10, 20, 20)))
    path = save(folders[0] / "a.jpg", smooth(40, 50))
    anonymize_folder(*folders)
    assert anonymize_bytes(path.read_bytes()).data == (folders[1] / "a.jpg").read_bytes()


def test_whoever_finds_can_be_named(folders: Folders) -> None:
    class Recorded:
        """Names what an earlier run has found."""

        kinds = frozenset(["face"])

        def find(self, picture: Picture, job: Job | None) -> list[FrameDetections]:
            assert job is None
            return [FrameDetections([face(10, 10, 20, 20)])]

    pixels = noise(40, 50)
    result, detections = anonymize_image(pixels, finder=Recorded())
    assert detections == [face(10, 10, 20, 20)]
    assert (result[10:20, 10:20] != pixels[10:20, 10:20]).mean() > 0.9
    path = save(folders[0] / "a.png", pixels)
    assert anonymize_bytes(path.read_bytes(), finder=Recorded()).detections == [detections]


@pytest.mark.parametrize("data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_bytes_that_are_not_a_picture(use_detectors: UseDetectors, data: bytes) -> None:
    use_detectors(FixedDetector())
    with pytest.raises(PictureError):
        anonymize_bytes(data)


def test_bytes_are_not_given_back_as_they_came(use_detectors: UseDetectors, tmp_path: Path) -> None:
    use_detectors(FixedDetector(face(10, 10, 20, 20)))
    data = save(tmp_path / "a.png", noise(40, 50)).read_bytes()
    with pytest.raises(PictureError, match="would stay as it is"):
        anonymize_bytes(data, Settings(redact=RedactSettings(method="none")))


def test_settings_of_the_run_by_name(use_detectors: UseDetectors, folders: Folders) -> None:
    use_detectors(FixedDetector())
    for name in ("a.png", "b.png"):
        save(folders[0] / name, noise(10, 10))
    assert [result.status for result in anonymize_folder(*folders, limit=1).results] == ["anonymized", "skipped"]
    with pytest.raises(SettingsError, match="--workers"):
        anonymize_folder(*folders, workers="many")


def find_nothing(settings: DetectSettings) -> ModelFinder:
    return ModelFinder([FixedDetector()], settings)


def test_what_one_finder_has_done_is_not_done_for_another(use_detectors: UseDetectors, folders: Folders) -> None:
    save(folders[0] / "a.png", noise(40, 50))
    use_detectors(FixedDetector(face(10, 10, 20, 20)))
    first = anonymize_folder(*folders, load=find_nothing)
    assert first.detections() == {"face": 0, "plate": 0}
    report = json.loads((folders[1] / "anonymize-report.json").read_text())
    assert report["models"] == []
    assert report["finder"].endswith("find_nothing")
    second = anonymize_folder(*folders)
    assert second.totals.unchanged == 0
    assert second.detections()["face"] == 1
    assert "finder" not in json.loads((folders[1] / "anonymize-report.json").read_text())


def test_finders_that_cannot_be_sent_to_workers_leave_no_trace(folders: Folders) -> None:
    save(folders[0] / "a.png", noise(40, 50))
    with pytest.raises(SettingsError, match="top level of a module"):
        anonymize_folder(*folders, load=lambda settings: find_nothing(settings), workers=2)
    assert not folders[1].exists()


class Answering:
    """A finder that answers what a test wants."""

    kinds = frozenset(["face"])

    def __init__(self, *found: Detection, frames: int = 1) -> None:
        self.frames = frames
        self.found = found

    def find(self, picture: Picture, job: Job | None) -> list[FrameDetections]:
        return [FrameDetections(list(self.found))] * self.frames


@pytest.mark.parametrize("found", [face(60, 10, 70, 20), face(-20, 10, -10, 20), plate(10, 10, 20, 20)])
def test_answers_that_would_hide_nothing_are_errors(found: Detection) -> None:
    with pytest.raises(PictureError, match="has a detection"):
        anonymize_image(noise(40, 50), finder=Answering(found))


def test_answers_for_other_frames_are_errors() -> None:
    finder = Answering(frames=0)
    with pytest.raises(PictureError, match="1 frames, and detections for 0"):
        anonymize_image(noise(40, 50), finder=finder)


def test_what_only_the_alpha_channel_shows_is_an_error() -> None:
    class Stray(Answering):
        def find(self, picture: Picture, job: Job | None) -> list[FrameDetections]:
            return [FrameDetections([], in_alpha=[face(10, 10, 20, 20)])]

    with pytest.raises(PictureError, match="not among its detections"):
        anonymize_image(noise(40, 50, 4), finder=Stray())


def test_a_finder_that_says_nothing_of_alpha_has_all_hidden_there_too() -> None:
    pixels = noise(40, 50, 4)
    result, _ = anonymize_image(pixels, finder=Answering(face(10, 10, 20, 20)))
    assert (result[10:20, 10:20, 3] != pixels[10:20, 10:20, 3]).any()


@pytest.mark.parametrize("data", ["text", None, 7])
def test_what_is_not_bytes_is_the_callers_mistake(data: Any) -> None:
    with pytest.raises(TypeError, match="expected the bytes of a file"):
        anonymize_bytes(data, finder=Answering())
