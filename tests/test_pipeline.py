"""Fail closed: an output exists only if every detector and the redaction finished for that picture."""

import json
import os
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from fakes import CrashingDetector, FixedDetector, Folders, face, load, noise, plate, process, save
from PIL import Image

from anonymizer.detect.frames import ModelFinder
from anonymizer.errors import OutputError, PictureError
from anonymizer.geometry import PixelBox
from anonymizer.outlines import PolygonOutline
from anonymizer.pipeline import PictureProcess
from anonymizer.redact.touched import touched_pixels
from anonymizer.settings import DetectSettings, ReadSettings, RecordSettings, RedactSettings, Settings, WriteSettings
from anonymizer.types import Detection, Job, Pixels8, Source

NO_RECORD = Settings(record=RecordSettings(write_detections=False))
JOB = Job(Path("sub/a.png"), Path("sub/a.png"), Path("sub/a.json"))


@pytest.fixture
def pixels(folders: Folders) -> Pixels8:
    pixels = noise(40, 60)
    pixels[0, 0] = (255, 0, 0)
    save(folders[0] / "sub" / "a.png", pixels)
    return pixels


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_what_lies_in_an_excluded_zone_is_neither_told_nor_hidden(folders: Folders, pixels: Pixels8) -> None:
    settings = Settings(detect=DetectSettings(exclude_zone="0,0.5 1,0.5 1,1 0,1"))
    result = process(JOB, *folders, [FixedDetector(face(30, 25, 40, 35), face(10, 5, 20, 15))], settings)
    assert result.counts == {"face": 1}
    written = load(folders[1] / "sub/a.png")
    assert (written[25:35, 30:40] == pixels[25:35, 30:40]).all()
    assert (written[5:15, 10:20] != pixels[5:15, 10:20]).mean() > 0.9


ZONE = "0.5,0 1,0 1,0.5"


def test_zones_are_hidden_whatever_is_found(folders: Folders, pixels: Pixels8) -> None:
    settings = Settings(
        detect=DetectSettings(redact_zone=ZONE, exclude_zone="0,0 1,0 1,1 0,1"),
        redact=RedactSettings(method="solid", feather=0),
    )
    result = process(JOB, *folders, [FixedDetector(face(10, 5, 20, 15))], settings)
    assert result.counts == {"face": 0, "area": 1}
    written = load(folders[1] / "sub/a.png")
    hidden = touched_pixels(PolygonOutline(((30, 0), (60, 0), (60, 20))), PixelBox(0, 0, 40, 60))
    assert not written[hidden].any()
    assert (written[~hidden] == pixels[~hidden]).all()
    (entry,) = json.loads((folders[1] / "sub/a.json").read_text())
    assert entry == {
        "y_min": 0, "x_min": 30, "y_max": 20, "x_max": 60, "score": 1, "kind": "area",
        "outline": {"polygon": [[30, 0], [60, 0], [60, 20]]},
    }  # fmt: skip


def test_zones_are_all_that_is_hidden_where_the_others_have_the_method_none(folders: Folders, pixels: Pixels8) -> None:
    settings = Settings(detect=DetectSettings(redact_zone=ZONE), redact=RedactSettings(face_method="none"))
    result = process(JOB, *folders, [FixedDetector(face(10, 5, 20, 15))], settings)
    assert result.status == "anonymized"
    assert (load(folders[1] / "sub/a.png")[5:15, 10:20] == pixels[5:15, 10:20]).all()
    everything = Settings(detect=DetectSettings(redact_zone=ZONE), redact=RedactSettings("none"))
    assert process(JOB, *folders, [FixedDetector()], everything).status == "detected"


def test_picture_record_and_mask_are_written_together_or_not_at_all(
    folders: Folders, pixels: Pixels8, tmp_path: Path
) -> None:
    masks = tmp_path / "masks"
    job = replace(JOB, mask_path=Path("../masks/sub/a.png"), old_masks=(Path("../masks/sub/a.png.png"),))
    finder = ModelFinder([FixedDetector(face(10, 5, 20, 15))], DetectSettings())
    process = PictureProcess(*folders, finder, Settings(), mask_root=masks)
    (masks / "sub").mkdir(parents=True)
    (masks / "sub" / "a.png.png").touch()
    assert (process(job).status, process(job).mask) == ("anonymized", "sub/a.png")
    assert files_in(masks) == ["sub/a.png"]
    (folders[1] / "sub" / "a.png").unlink()
    (folders[1] / "sub" / "a.png").mkdir()  # in the way
    assert process(job).status == "failed"
    assert files_in(masks) == files_in(folders[1]) == []


def test_a_zone_outside_the_picture_fails_it(folders: Folders, pixels: Pixels8) -> None:
    settings = Settings(detect=DetectSettings(redact_zone="100,0 200,0 200,20"))
    result = process(JOB, *folders, [FixedDetector()], settings)
    assert (result.status, files_in(folders[1])) == ("failed", [])
    assert result.reason == "has a zone to hide outside its 60 x 40 pixels; give it in fractions"


def test_a_picture_and_its_detections(folders: Folders, pixels: Pixels8) -> None:
    found = [face(10, 10, 20, 20.5, 0.75), plate(30, 30, 50, 35)]
    detectors = [FixedDetector(found[0]), FixedDetector(found[1], kinds=["plate"])]
    result = process(JOB, *folders, detectors, Settings())
    assert (result.file, result.status, result.reason) == ("sub/a.png", "anonymized", None)
    assert result.counts == {"face": 1, "plate": 1}
    assert list(result.seconds) == ["read", "detect", "redact", "write"]
    assert files_in(folders[1]) == ["sub/a.json", "sub/a.png"]
    written = load(folders[1] / "sub/a.png")
    assert (written[10:20, 10:20] != pixels[10:20, 10:20]).mean() > 0.9
    assert (written[:, 55:] == pixels[:, 55:]).all()
    assert json.loads((folders[1] / "sub/a.json").read_text()) == [
        {"y_min": 10, "x_min": 10, "y_max": 20.5, "x_max": 20, "score": 0.75, "kind": "face"},
        {"y_min": 30, "x_min": 30, "y_max": 35, "x_max": 50, "score": 0.9, "kind": "plate"},
    ]


def test_what_the_report_says_of_a_source(folders: Folders, pixels: Pixels8) -> None:
    settings = Settings(detect=DetectSettings(exclude_zone="0,0.5 1,0.5 1,1 0,1"))
    result = process(JOB, *folders, [FixedDetector(face(30, 25, 40, 35))], settings)
    content = (folders[0] / "sub/a.png").read_bytes()
    assert result.source == Source(sha256(content).hexdigest(), 1, ((60, 40),))
    assert (result.not_counted, result.record) == (1, "sub/a.json")
    assert process(JOB, *folders, [FixedDetector()], NO_RECORD).record is None


def test_panoramas_are_seen_beyond_their_edges(folders: Folders, pixels: Pixels8) -> None:
    settings = Settings(detect=DetectSettings(projection="equirectangular"))
    detectors = [FixedDetector(face(2, 10, 14, 20), face(62, 10, 74, 20))]  # strips of 8 pixels on either side
    assert process(JOB, *folders, detectors, settings).counts == {"face": 2}
    written = load(folders[1] / "sub/a.png")
    assert (written[11:19, :6] != pixels[11:19, :6]).mean() > 0.9
    assert (written[11:19, 54:] != pixels[11:19, 54:]).mean() > 0.9
    assert (written[:, 12:48] == pixels[:, 12:48]).all()


def test_nothing_found_is_written_as_such(folders: Folders, pixels: Pixels8) -> None:
    result = process(JOB, *folders, [FixedDetector()], Settings())
    assert result.counts == {"face": 0}
    assert (folders[1] / "sub/a.json").read_text() == "[]\n"
    assert (load(folders[1] / "sub/a.png") == pixels).all()


def test_without_detections_file(folders: Folders, pixels: Pixels8) -> None:
    process(JOB, *folders, [FixedDetector()], Settings())
    process(JOB, *folders, [FixedDetector()], NO_RECORD)
    assert files_in(folders[1]) == ["sub/a.png"]


@pytest.mark.parametrize("fails", [False, True])
def test_files_of_others_are_never_removed(folders: Folders, pixels: Pixels8, fails: bool) -> None:
    for name in ("a.json", "a.png.json", "a.png"):
        (folders[1] / "sub").mkdir(parents=True, exist_ok=True)
        (folders[1] / "sub" / name).write_text("of others")
    others = (Path("sub/a.json"), Path("sub/a.png.json"), *((Path("sub/a.png"),) if fails else ()))
    job = Job(Path("sub/a.png"), Path("sub/a.png"), Path("sub/a.json"), (Path("sub/a.png.json"),), foreign=others)
    settings = Settings(record=RecordSettings(write_detections=False))
    detector = CrashingDetector(RuntimeError("boom")) if fails else FixedDetector()
    assert process(job, *folders, [detector], settings).status == ("failed" if fails else "anonymized")
    assert {path.as_posix() for path in others} <= set(files_in(folders[1]))
    assert all((folders[1] / path).read_text() == "of others" for path in others)


def test_lossless_only(folders: Folders) -> None:
    save(folders[0] / "sub" / "a.png", noise(40, 60))
    lossy = Job(Path("sub/b.webp"), Path("sub/b.webp"), Path("sub/b.json"))
    save(folders[0] / "sub" / "b.webp", noise(40, 60), quality=80)
    detectors = [FixedDetector(face(10, 10, 20, 20))]
    settings = Settings(write=WriteSettings(lossless_only=True))
    assert process(JOB, *folders, [FixedDetector()], settings).status == "anonymized"
    assert process(lossy, *folders, [FixedDetector()], settings).status == "anonymized"
    result = process(lossy, *folders, detectors, settings)
    assert result.reason == "cannot be kept bit for bit outside the blurred areas, as --lossless-only asks"
    assert files_in(folders[1]) == ["sub/a.json", "sub/a.png"]


class SevenReader:
    """Finds a face where the first pixel is 7."""

    kinds = frozenset(["face"])

    def detect(self, picture: Pixels8) -> list[Detection]:
        return [face(10, 10, 20, 20)] if picture[0, 0, 0] == 7 else []


@pytest.mark.parametrize(("extension", "hidden"), [("png", [1, 2, 3]), ("tif", [2])])
def test_frames_of_animations_hide_what_their_neighbours_show(
    folders: Folders, extension: str, hidden: list[int]
) -> None:
    frames = [noise(40, 60, seed=seed) for seed in range(5)]
    for number, frame in enumerate(frames):
        frame[0, 0] = 7 if number == 2 else 0
    images = [Image.fromarray(frame) for frame in frames]
    folders[0].joinpath("sub").mkdir()
    images[0].save(folders[0] / "sub" / f"a.{extension}", save_all=True, append_images=images[1:])
    job = Job(Path(f"sub/a.{extension}"), Path(f"sub/a.{extension}"), Path("sub/a.json"))
    result = process(job, *folders, [SevenReader()], Settings())
    assert (result.status, result.counts, result.fidelity) == ("anonymized", {"face": 1}, "lossless")
    with Image.open(folders[1] / "sub" / f"a.{extension}") as image:
        for number, frame in enumerate(frames):
            image.seek(number)
            written = np.asarray(image)
            assert ((written[10:20, 10:20] != frame[10:20, 10:20]).mean() > 0.9) == (number in hidden)
            assert (written[30:] == frame[30:]).all()
    entries = json.loads((folders[1] / "sub/a.json").read_text())
    assert [entry["frame"] for entry in entries] == [2]


def test_truncated_files_are_anonymized_on_demand(folders: Folders) -> None:
    path = save(folders[0] / "sub" / "b.jpg", noise(80, 80))
    path.write_bytes(path.read_bytes()[:4000])
    job = Job(Path("sub/b.jpg"), Path("sub/b.jpg"), Path("sub/b.json"))
    detectors = [FixedDetector(face(5, 5, 20, 20))]
    assert process(job, *folders, detectors, Settings()).status == "failed"
    settings = Settings(read=ReadSettings(allow_truncated=True))
    result = process(job, *folders, detectors, settings)
    assert result.status == "anonymized"
    assert result.warnings == ("is cut off or damaged: what is missing of the picture shows gray or black",)
    assert load(folders[1] / "sub" / "b.jpg").shape == (80, 80, 3)
    save(folders[0] / "sub" / "b.jpg", noise(80, 80))
    assert process(job, *folders, detectors, settings).warnings == ()


def test_detections_under_the_name_of_an_earlier_run_are_removed(folders: Folders, pixels: Pixels8) -> None:
    process(JOB, *folders, [FixedDetector()], Settings())
    job = Job(JOB.source, JOB.target, Path("sub/a.png.json"), (JOB.detections_path,))
    process(job, *folders, [FixedDetector()], Settings())
    assert files_in(folders[1]) == ["sub/a.png", "sub/a.png.json"]


@pytest.mark.parametrize("first", [7, 255 - 7])
def test_a_face_in_the_alpha_channel_is_found_and_redacted(folders: Folders, first: int) -> None:
    pixels = noise(40, 60, 4)
    pixels[0, 0] = (0, 0, 0, first)
    save(folders[0] / "sub" / "a.png", pixels)
    assert process(JOB, *folders, [SevenReader()], Settings()).counts == {"face": 1}
    written = load(folders[1] / "sub" / "a.png")
    assert (written[10:20, 10:20] != pixels[10:20, 10:20]).mean(axis=(0, 1)).min() > 0.9
    assert (written[30:, 30:] == pixels[30:, 30:]).all()


@pytest.mark.parametrize("shows", [True, False])
def test_alpha_changes_where_it_shows_something_of_an_object(folders: Folders, shows: bool) -> None:
    pixels = noise(40, 60, 4)
    pixels[:30, :30, 3] = 255
    if shows:
        pixels[12:18, 12:18, 3] = 254
    pixels[0, 0] = (7, 0, 0, 255)
    save(folders[0] / "sub" / "a.png", pixels)
    assert process(JOB, *folders, [SevenReader()], Settings()).counts == {"face": 1}
    alpha = load(folders[1] / "sub" / "a.png")[:, :, 3]
    assert (alpha[30:] == pixels[30:, :, 3]).all()
    assert (alpha[10:20, 10:20] == pixels[10:20, 10:20, 3]).all() != shows


@pytest.mark.parametrize("first", [0, 255])
def test_a_stencil_can_show_a_face_too(folders: Folders, first: int) -> None:
    class StencilReader:
        """Finds a face in pictures of two levels."""

        kinds = frozenset(["face"])

        def detect(self, picture: Pixels8) -> list[Detection]:
            return [face(10, 10, 20, 20)] if len(np.unique(picture)) == 2 else []

    pixels = noise(40, 60, 4)
    pixels[:, :, 3] = np.where(pixels[:, :, 3] > 127, 255, 0)
    pixels[0, 0, 3] = first
    save(folders[0] / "sub" / "a.png", pixels)
    assert process(JOB, *folders, [StencilReader()], Settings()).counts == {"face": 1}
    alpha = load(folders[1] / "sub" / "a.png")[:, :, 3]
    assert np.ptp(alpha[10:20, 10:20].astype(int)) < 128


def test_a_link_in_the_output_never_costs_an_original(folders: Folders, pixels: Pixels8) -> None:
    folders[1].mkdir()
    (folders[1] / "sub").symlink_to(folders[0] / "sub")
    result = process(JOB, *folders, [FixedDetector()], Settings())
    assert result.reason == "would be written outside the output folder, through a link in it"
    assert (load(folders[0] / "sub" / "a.png") == pixels).all()


def test_reasons_name_no_place_on_the_machine(folders: Folders, pixels: Pixels8) -> None:
    error = RuntimeError(f"cannot handle {folders[0] / 'sub'}")
    result = process(JOB, *folders, [CrashingDetector(error)], Settings())
    assert result.reason == "unexpected RuntimeError: cannot handle input folder/sub"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PictureError("the model gave no answer"), "the model gave no answer"),
        (ValueError("shapes differ"), "unexpected ValueError: shapes differ"),
        (MemoryError(), "unexpected MemoryError: "),
    ],
)
@pytest.mark.parametrize("earlier_run", [False, True])
def test_a_crashing_detector_leaves_no_output(
    folders: Folders, pixels: Pixels8, error: BaseException, reason: str, earlier_run: bool
) -> None:
    if earlier_run:
        process(JOB, *folders, [FixedDetector()], Settings())
    result = process(JOB, *folders, [FixedDetector(face(1, 1, 9, 9)), CrashingDetector(error)], Settings())
    assert (result.status, result.reason) == ("failed", reason)
    assert not folders[1].exists() or files_in(folders[1]) == []


def test_a_crashing_redaction_leaves_no_output(
    folders: Folders, pixels: Pixels8, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*arguments: object) -> None:
        raise RuntimeError("out of paint")

    monkeypatch.setattr("anonymizer.redact.frame.redact", crash)
    result = process(JOB, *folders, [FixedDetector(face(1, 1, 9, 9))], Settings())
    assert result.reason == "unexpected RuntimeError: out of paint"
    assert not folders[1].exists()


def test_a_picture_that_cannot_be_written_leaves_no_detections(
    folders: Folders, pixels: Pixels8, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace

    def refuse_pictures(old: Path, new: Path) -> None:
        if new.suffix == ".png":
            raise PermissionError(13, "Permission denied")
        replace(old, new)

    monkeypatch.setattr(os, "replace", refuse_pictures)
    assert process(JOB, *folders, [FixedDetector()], Settings()).status == "failed"
    assert files_in(folders[1]) == []


def test_a_full_disk_stops_the_run(folders: Folders, pixels: Pixels8, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OutputError("disk full")

    monkeypatch.setattr("anonymizer.pipeline.write_files", full)
    with pytest.raises(OutputError):
        process(JOB, *folders, [FixedDetector()], Settings())


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemExit()])
def test_an_interrupt_goes_through(folders: Folders, pixels: Pixels8, stop: BaseException) -> None:
    with pytest.raises(type(stop)):
        process(JOB, *folders, [CrashingDetector(stop)], Settings())
    assert not folders[1].exists()


def test_a_weak_kernel_is_noted(folders: Folders, pixels: Pixels8) -> None:
    settings = Settings(redact=RedactSettings(obfuscation_kernel="21,2,9"))
    result = process(JOB, *folders, [FixedDetector(face(0, 0, 40, 40))], settings)
    assert "too weak for 1 of 1 objects" in result.warnings[0]
