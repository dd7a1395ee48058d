from __future__ import annotations

import numpy as np
import pytest
from fakes import FixedDetector, face, noise, plate
from files.samples import saved
from web.served import pixels_of, png

from anonymizer import anonymize_bytes
from anonymizer.detect.frames import ModelFinder
from anonymizer.errors import PictureError
from anonymizer.geometry import Box
from anonymizer.kinds import KINDS
from anonymizer.record.detections import from_json, to_json
from anonymizer.settings import DetectSettings, RedactSettings, Settings
from anonymizer.types import Detection, FrameDetections, Progress
from anonymizer.web.orders import Done, Order
from anonymizer.web.redaction import PostedFinder, redact

DETECTOR = FixedDetector(face(5, 5, 15, 15))


def load(settings: DetectSettings) -> ModelFinder:
    return ModelFinder([DETECTOR], settings)


told: list[Progress] = []


def work(content: bytes, settings: Settings = Settings(), **order: object) -> Done:
    return redact(Order(content, settings, **order), load, told.append, 0.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "JPEG2000"])
def test_every_format_comes_out_as_from_the_python_api_and_again_from_its_detections(name: str) -> None:
    content = saved(name, size=(40, 32))
    expected = anonymize_bytes(content, finder=load(DetectSettings()))
    done = work(content)
    assert done.file == expected.data
    assert list(done.warnings) == list(expected.remarks)
    assert done.media_type.startswith("image/")
    assert work(content, detections=done.detections).file == done.file


def test_detecting_gives_no_file_whatever_the_method() -> None:
    content = png(noise(30, 40))
    done = work(content, Settings(redact=RedactSettings("none")), only_detects=True, wants_mask=True)
    assert done.file == b""
    assert done.detections == to_json([FrameDetections([face(5, 5, 15, 15)])])
    assert done.mask is not None
    assert pixels_of(done.mask).max() == 255
    with pytest.raises(PictureError, match="would stay as it is"):
        work(content, Settings(redact=RedactSettings("none")))


def test_a_mask_says_what_is_hidden() -> None:
    content = png(noise(30, 40))
    done = work(content, wants_mask=True)
    assert done.mask is not None
    changed = np.any(pixels_of(content) != pixels_of(done.file), axis=2)
    assert np.all(pixels_of(done.mask)[changed] > 0)


def test_zones_are_hidden_as_well() -> None:
    zone = Settings(detect=DetectSettings(redact_zone="0.5,0.5 1,0.5 1,1"))
    assert work(png(noise(30, 40)), zone).counts == {"face": 1, "area": 1}


def test_what_is_posted_counts_as_far_as_settings_let_it() -> None:
    drawn = Detection(Box(20, 20, 24, 24), 1.0, "area")
    found = [face(1, 1, 9, 9, 0.3), face(11, 1, 19, 9, 0.8), plate(1, 11, 9, 19), drawn]
    posted = to_json([FrameDetections(found)])

    def counts(**settings: object) -> object:
        found = DetectSettings(**settings)  # type: ignore[arg-type]
        return work(png(noise(30, 40)), Settings(detect=found), detections=posted).counts

    assert counts() == {"face": 2, "plate": 1, "area": 1}
    assert counts(face_threshold=0.5) == {"face": 1, "plate": 1, "area": 1}
    assert counts(kinds="plate") == {"plate": 1, "area": 1}
    assert counts(exclude_zone="0,0 1,0 1,0.5 0,0.5", kinds="face,plate")["plate"] == 1  # type: ignore[index]


def test_posted_detections_must_fit_the_picture() -> None:
    finder = PostedFinder(b'[{"frame": 1}]', DetectSettings())
    assert finder.kinds == set(KINDS)
    for posted in (b"[", to_json([FrameDetections([face(100, 100, 120, 120)])])):
        with pytest.raises(PictureError, match="does not fit its detections"):
            work(png(noise(30, 40)), detections=posted)
    assert from_json(b"[]") == {}
    assert work(png(noise(30, 40)), detections=b"[]").counts == {}
