"""What was recorded is redacted again to the same bytes, without models, and only where it belongs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from check.samples import anonymize, change_report, save_moving
from fakes import FixedDetector, Folders, UseDetectors, face, load, noise, noise16, plate, save
from run.reruns import redone

from anonymizer import anonymize_folder
from anonymizer.cli.main import run
from anonymizer.errors import SettingsError
from anonymizer.record.report import REPORT_NAME
from anonymizer.settings import DetectSettings, RedactSettings, Settings
from anonymizer.types import Detection, Pixels, Result

FOUND = [face(5, 5, 15, 15, 0.9), face(20, 5, 28, 15, 0.3), plate(30, 20, 38, 24, 0.8)]


class AlphaReader:
    """Finds the faces and the plate in colours, and one face less in alpha channels."""

    kinds = frozenset(["face", "plate"])

    def detect(self, picture: Pixels) -> list[Detection]:
        is_gray = (picture[:, :, 0] == picture[:, :, 1]).all()
        return FOUND[:1] if is_gray else [replace(FOUND[0], extent=replace(FOUND[0].box, x_max=17.5)), *FOUND[1:]]


def save_all_sorts(folder: Path) -> None:
    """Pictures of several formats, depths and channels, and moving ones."""
    for name in ("a.jpg", "a.png", "a.webp", "a.bmp", "a.jp2", "a.avif", "sub/a.tif"):
        save(folder / name, noise(40, 50))
    save(folder / "gray.jpg", noise(40, 50, 1))
    save(folder / "deep.png", noise16(40, 50, 1))
    alpha = noise(40, 50, 4)
    alpha[:, 18:, 3] = 255
    save(folder / "alpha.png", alpha)
    frames = [noise(40, 50, seed=seed) for seed in range(3)]
    for name in ("moving.gif", "moving.png", "moving.webp", "pages.tif"):
        save_moving(folder / name, *frames)


def outputs_in(folder: Path) -> dict[str, bytes]:
    """Pictures and records."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("anonymize-"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def recorded(folders: Folders, use_detectors: UseDetectors) -> Path:
    """The output of a run over one picture with two faces and a plate."""
    save(folders[0] / "a.png", noise(40, 50))
    use_detectors(FixedDetector(*FOUND, kinds=["face", "plate"]))
    return anonymize(folders)


def replay(folders: Folders, settings: Settings = Settings(), name: str = "again", **options: Any) -> list[Result]:
    """Redacts from the output folder into another one beside it."""
    output = folders[1].parent / name
    options = {"detections": folders[1], "workers": 0, **options}
    return list(anonymize_folder(folders[0], output, settings, **options).results)


def reasons(results: Sequence[Result]) -> list[str | None]:
    assert {result.status for result in results} == {"failed"}
    return [result.reason for result in results]


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(redact=RedactSettings("mosaic", cells=4, shape="box")),
        Settings(detect=DetectSettings(face_threshold=0.2, exclude_zone="0.5,0 1,0 1,0.3 0.5,0.3")),
    ],
)
def test_the_same_bytes_in_all_formats(folders: Folders, use_detectors: UseDetectors, settings: Settings) -> None:
    save_all_sorts(folders[0])
    use_detectors(AlphaReader())
    first = anonymize_folder(*folders, settings, workers=0)
    assert {result.status for result in first.results} == {"anonymized"}
    again = replay(folders, settings)
    assert outputs_in(folders[1].parent / "again") == outputs_in(folders[1])
    same = [replace(result, seconds={}, began_s=0.0) for result in first.results]
    assert [replace(result, seconds={}, began_s=0.0) for result in again] == same  # also counts and warnings
    replayed, found = (
        json.loads((folder / REPORT_NAME).read_text()) for folder in (folders[1].parent / "again", folders[1])
    )
    assert [replayed[key] for key in ("settings_digest", "models", "kinds")] == [
        found[key] for key in ("settings_digest", "models", "kinds")
    ]
    assert replayed["recorded_by"] == found["program"]["version"]


def test_what_a_choice_left_visible_is_told(
    folders: Folders, recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not in the records. Also in replays of replays."""
    settings = json.loads((recorded / REPORT_NAME).read_text())["settings"]
    change_report(recorded, settings={**settings, "text-match": "a checksum"})
    replay(folders)
    replay(folders, name="third", detections=folders[1].parent / "again")
    said = json.loads((folders[1].parent / "third" / REPORT_NAME).read_text())
    assert said["chosen_by"] == ["text-match"]
    command = ["--input", folders[0], "--detections", recorded, "--image-output", folders[1].parent / "cli", "--quiet"]
    assert run([str(word) for word in [*command, "--workers", 0]]) == 0
    assert "warning: the records come from a run with --text-match: what that left visible" in capsys.readouterr().err


def test_a_replay_can_be_replayed(folders: Folders, recorded: Path) -> None:
    replay(folders)
    (result,) = replay(folders, name="third", detections=folders[1].parent / "again")
    assert result.status == "anonymized"
    assert outputs_in(folders[1].parent / "third") == outputs_in(recorded)


FRESH = """
import sys
from anonymizer.cli.main import run
code = run(sys.argv[1:])
banned = sorted(name for name in sys.modules if name.partition(".")[0] in {banned})
print(code, banned)
"""
BANNED = ("tensorflow", "ai_edge_litert", "tflite_runtime", "keras")


@pytest.mark.parametrize("workers", ["0", "2"])
def test_no_library_for_models_is_imported(folders: Folders, recorded: Path, tmp_path: Path, workers: str) -> None:
    traps = tmp_path / "traps"
    for name in BANNED:  # in worker processes too: they get the path of the process that starts them
        (traps / name).mkdir(parents=True)
        (traps / name / "__init__.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w'); raise SystemExit(9)")
    options = ["--input", folders[0], "--image-output", tmp_path / "again", "--detections", recorded]
    place = os.pathsep.join([str(traps), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", FRESH.replace("{banned}", repr(BANNED)), *map(str, options), "--workers", workers, "-q"],
        env={**os.environ, "PYTHONPATH": place},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "0 []\n", done.stderr
    assert not (tmp_path / "sprung").exists()
    assert outputs_in(tmp_path / "again") == outputs_in(recorded)


def test_another_picture_under_the_same_name_is_refused(folders: Folders, recorded: Path) -> None:
    save(folders[0] / "a.png", noise(40, 50, seed=1))
    (reason,) = reasons(replay(folders))
    assert reason is not None
    assert reason.startswith("is another file than its record is of, by their SHA-256")
    assert outputs_in(folders[1].parent / "again") == {}
    (result,) = replay(folders, detections_for="changed")
    assert result.status == "anonymized"
    assert (load(folders[1].parent / "again" / "a.png")[6:14, 6:14] != load(folders[0] / "a.png")[6:14, 6:14]).any()


def test_a_picture_of_another_size_is_refused_in_any_case(folders: Folders, recorded: Path) -> None:
    save(folders[0] / "a.png", noise(80, 100))
    for which in ("same", "changed"):
        reason = "has 100 x 80 pixels, its record is of 50 x 40 pixels"
        assert reasons(replay(folders, detections_for=which)) == [reason]


def test_other_pages_are_refused(folders: Folders, use_detectors: UseDetectors) -> None:
    pages = [noise(40, 50, seed=seed) for seed in range(3)]
    save_moving(folders[0] / "a.tif", *pages)
    use_detectors(FixedDetector(FOUND[0]))
    anonymize(folders)
    save_moving(folders[0] / "a.tif", *pages[:2])
    reason = "has 50 x 40 pixels in 2 frames, its record is of 50 x 40 pixels in 3 frames"
    assert reasons(replay(folders, detections_for="changed")) == [reason]


def test_pictures_without_a_record_fail(folders: Folders, recorded: Path) -> None:
    save(folders[0] / "b.png", noise(40, 50))
    (recorded / "a.json").unlink()
    assert reasons(replay(folders)) == [
        "has no record: a.json is missing",
        "has no record: the run that recorded the others did not come upon it",
    ]
    assert outputs_in(folders[1].parent / "again") == {}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('[{"x_min": 1', "has a damaged record a.json: truncated or not JSON: "),
        ("[{}]", "has a damaged record a.json: entry 1: kind None is not one of "),
        (
            '[{"x_min": 90, "x_max": 99, "y_min": 1, "y_max": 2, "score": 1, "kind": "face"}]',
            "has a damaged record a.json: entry 1: the box lies outside the 50 x 40 pixels of the picture",
        ),
        (
            '[{"x_min": 1, "x_max": 9, "y_min": 1, "y_max": 2, "score": 1, "kind": "face", "frame": 1}]',
            "has a damaged record a.json: entry 1: frame 1 is beyond the 1 frames of the picture",
        ),
    ],
)
def test_damaged_records(folders: Folders, recorded: Path, content: str, reason: str) -> None:
    (recorded / "a.json").write_text(content)
    (told,) = reasons(replay(folders))
    assert told is not None
    assert told.startswith(reason)
    assert outputs_in(folders[1].parent / "again") == {}


def test_a_kind_that_the_report_does_not_list(folders: Folders, recorded: Path) -> None:
    change_report(recorded, kinds=["face"])
    assert reasons(replay(folders)) == ["has a record a.json with the kind 'plate', which its report does not list"]


def test_a_corrected_record_has_its_picture_done_again_and_no_other(folders: Folders, recorded: Path) -> None:
    save(folders[0] / "b.png", noise(40, 50, seed=1))
    anonymize(folders)
    again = (folders[0], folders[1].parent / "again")
    assert redone(again, detections=recorded, workers=0) == ["a.png", "b.png"]
    assert redone(again, detections=recorded, workers=0) == []
    entries = json.loads((recorded / "b.json").read_text())
    (recorded / "b.json").write_text(json.dumps(entries[1:]))
    assert redone(again, detections=recorded, workers=0) == ["b.png"]
    assert (load(again[1] / "b.png")[5:12, 5:12] == load(again[0] / "b.png")[5:12, 5:12]).all()
    entry = next(e for e in json.loads((again[1] / REPORT_NAME).read_text())["files"] if e["file"] == "a.png")
    assert entry["unchanged"]
    assert len(entry["source_sha256"]) == 64


def test_thresholds_can_be_raised(folders: Folders, recorded: Path) -> None:
    (result,) = replay(folders, Settings(detect=DetectSettings(face_threshold=0.5)))
    assert result.counts == {"face": 1, "plate": 1}
    report = json.loads((folders[1].parent / "again" / REPORT_NAME).read_text())
    assert report["settings"]["face-threshold"] == 0.5


def test_kinds_can_be_left_out(folders: Folders, recorded: Path) -> None:
    (result,) = replay(folders, Settings(detect=DetectSettings("plate")))
    assert result.counts == {"plate": 1}
    written, original = load(folders[1].parent / "again" / "a.png"), load(folders[0] / "a.png")
    assert (written[:18] == original[:18]).all()


def test_zones_drop_what_lies_in_them_and_tell(folders: Folders, recorded: Path) -> None:
    (result,) = replay(folders, Settings(detect=DetectSettings(exclude_zone="0,0 1,0 1,0.4 0,0.4")))
    assert result.counts == {"face": 0, "plate": 1}
    assert result.not_counted == 2
    assert "2 faces" in result.warnings[0]


def test_what_the_recording_run_looked_for_counts_for_the_gate(folders: Folders, use_detectors: UseDetectors) -> None:
    save(folders[0] / "a.png", noise(40, 50))
    use_detectors(FixedDetector(*FOUND))
    anonymize_folder(
        *folders,
        Settings(detect=DetectSettings("face", face_threshold=0.25, preset="thorough", exclude_zone="0,0 9,0 9,20")),
        workers=0,
    )
    replay(folders)
    settings = json.loads((folders[1].parent / "again" / REPORT_NAME).read_text())["settings"]
    told = {key: settings[key] for key in ("kinds", "face-threshold", "preset", "exclude-zone")}
    assert told == {
        "kinds": "face",
        "face-threshold": 0.25,
        "preset": "thorough",
        "exclude-zone": [[[0, 0], [9, 0], [9, 20]]],
    }


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (DetectSettings(face_threshold=0.1), "--face-threshold 0.1: nothing below 0.3 was recorded; detect anew"),
        (DetectSettings(plate_threshold=0.1), "--plate-threshold 0.1: nothing below 0.525 was recorded"),
        (DetectSettings(preset="fast"), "--preset fast: with --detections nothing is looked for"),
        (DetectSettings(projection="equirectangular"), "--projection equirectangular: with --detections"),
        (DetectSettings(weights="models"), "--weights: with --detections no model is used"),
        (DetectSettings(exclude_zone="0,0 1,0 1,1"), "--exclude-zone: the records were made with another one"),
    ],
)
def test_what_was_not_looked_for_cannot_be_asked(
    folders: Folders, use_detectors: UseDetectors, settings: DetectSettings, reason: str
) -> None:
    save(folders[0] / "a.png", noise(40, 50))
    use_detectors(FixedDetector(*FOUND, kinds=["face", "plate"]))
    anonymize_folder(
        *folders, Settings(detect=DetectSettings(face_threshold=0.3, exclude_zone="0,0.9 1,0.9 1,1")), workers=0
    )
    with pytest.raises(SettingsError) as caught:
        replay(folders, Settings(detect=settings))
    assert str(caught.value).startswith(reason)
    assert not (folders[1].parent / "again").exists()


def test_kinds_that_were_not_looked_for(folders: Folders, use_detectors: UseDetectors) -> None:
    save(folders[0] / "a.png", noise(40, 50))
    use_detectors(FixedDetector(FOUND[0]))
    anonymize(folders, {"kinds": "face"})
    with pytest.raises(SettingsError, match="--kinds plate: the records are of face only"):
        replay(folders, Settings(detect=DetectSettings("face,plate")))


def test_records_are_never_replaced(folders: Folders, recorded: Path) -> None:
    with pytest.raises(SettingsError, match="its records would be replaced"):
        anonymize_folder(*folders, detections=recorded)


def find_elsewhere(settings: DetectSettings) -> Any:
    raise AssertionError


def test_records_and_another_finder(folders: Folders, recorded: Path) -> None:
    with pytest.raises(SettingsError, match="give one of them"):
        replay(folders, load=find_elsewhere)


def test_records_of_versions_without_checksums(folders: Folders, recorded: Path) -> None:
    change_report(recorded, record_format=0)
    with pytest.raises(SettingsError, match=r"noted no checksums of the pictures: .* --detections-for changed"):
        replay(folders)
    files = json.loads((recorded / REPORT_NAME).read_text())["files"]
    for entry in files:
        del entry["source_sha256"], entry["record"]
    change_report(recorded, files=files)
    assert [result.status for result in replay(folders, detections_for="changed")] == ["anonymized"]


def test_a_report_whose_settings_make_no_sense_is_named(folders: Folders, recorded: Path) -> None:
    change_report(recorded, settings={"preset": "hasty"})
    with pytest.raises(SettingsError, match=r"^the report in .* is damaged, in its settings: --preset: 'hasty' is not"):
        replay(folders)


def test_a_single_entry_without_a_checksum(folders: Folders, recorded: Path) -> None:
    files = json.loads((recorded / REPORT_NAME).read_text())["files"]
    del files[0]["source_sha256"]
    change_report(recorded, files=files)
    assert reasons(replay(folders)) == ["may be another picture than its record is of: that holds no checksum"]


@pytest.mark.slow
def test_a_hundred_thousand_boxes(folders: Folders, recorded: Path) -> None:
    save(folders[0] / "a.png", noise(400, 500))
    places = np.random.default_rng(0).uniform(0, 400, (100_000, 2))
    entries = [
        {"x_min": x, "x_max": x + 2, "y_min": y, "y_max": y + 2, "score": 1, "kind": "face"} for x, y in places.tolist()
    ]
    anonymize(folders)
    (recorded / "a.json").write_text(json.dumps(entries))
    (result,) = replay(folders)
    assert result.counts == {"face": 100_000, "plate": 0}


@pytest.mark.slow
def test_the_same_bytes_as_the_real_models(folders: Folders, originals: Path) -> None:
    settings = Settings(detect=DetectSettings(preset="fast"))
    report = anonymize_folder(originals, folders[1], settings, workers=0)
    assert report.detections()["face"] > 5
    again = folders[1].parent / "again"
    anonymize_folder(originals, again, detections=folders[1], workers=0)
    assert outputs_in(again) == outputs_in(folders[1])
