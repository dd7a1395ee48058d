"""What is exported and imported again stays byte for byte what the run recorded, but for what was corrected."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from check.samples import anonymize, save_moving
from fakes import FixedDetector, Folders, UseDetectors, face, noise, plate, save
from video.film_samples import write_film

from anonymizer import anonymize_folder
from anonymizer.errors import OutputError, SettingsError
from anonymizer.geometry import Box
from anonymizer.kinds import KINDS
from anonymizer.record.detections import from_json
from anonymizer.record.exchange import Import, export_detections, import_detections
from anonymizer.record.exports.formats import EXPORT_FORMATS
from anonymizer.record.report import REPORT_NAME

FOUND = [
    replace(face(5.123, 5.456, 15.789, 15.012, 0.91234), extent=Box(4, 5, 16, 17)),
    face(-2.5, 20, 6.25, 29.5, 0.3),
    plate(30.1, 20.2, 38.3, 24.4, 0.8),
]


@pytest.fixture
def recorded(folders: Folders, use_detectors: UseDetectors) -> Path:
    """The output of a run over pictures of several formats, one of them moving, and one with an alpha channel."""
    for name in ("a.png", "sub/b c.jpg", "sub/d.webp"):
        save(folders[0] / name, noise(40, 50))
    alpha = noise(40, 50, 4)
    alpha[:, 18:, 3] = 255
    save(folders[0] / "alpha.png", alpha)
    save_moving(folders[0] / "moving.gif", noise(40, 50), noise(40, 50, seed=1))
    use_detectors(FixedDetector(*FOUND, kinds=["face", "plate"]))
    return anonymize(folders)


def records_in(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*.json") if path.name != REPORT_NAME)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def outputs_in(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("anonymize-"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def imported(recorded: Path, name: str, path: Path, **kinds: str) -> Import:
    return import_detections(path, name, recorded, recorded.parent / "corrected", kinds)


def correct_coco(recorded: Path, change: Callable[[Any], object]) -> Path:
    """The run as COCO, changed."""
    output = recorded.parent / "coco"
    export_detections(recorded, "coco", output)
    (file,) = output.iterdir()
    content = json.loads(file.read_bytes())
    change(content)
    file.write_text(json.dumps(content))
    return file


def image_id(content: Any, name: str) -> int:
    return next(int(image["id"]) for image in content["images"] if image["file_name"] == name)


@pytest.mark.parametrize("name", EXPORT_FORMATS)
def test_the_circle(name: str, recorded: Path, folders: Folders) -> None:
    """Nothing corrected: the same records, and a replay writes the same pictures."""
    export = export_detections(recorded, name, recorded.parent / "export")
    # Formats with one label file for each picture are fine here, too: all stems differ.
    assert (export.pictures, export.problems) == (5, {})
    assert export.detections == {"face": 10, "plate": 5}
    assert export.in_later_frames == {"moving.gif": len(FOUND)}
    result = imported(recorded, name, recorded.parent / "export")
    assert (result.pictures, result.not_named, result.corrections, result.problems) == (5, 0, {}, {})
    assert records_in(recorded.parent / "corrected") == records_in(recorded)
    again = recorded.parent / "again"
    report = anonymize_folder(folders[0], again, detections=recorded.parent / "corrected", workers=0)
    assert report.exit_code == 0
    assert outputs_in(again) == outputs_in(recorded)


def test_what_is_corrected(recorded: Path, folders: Folders) -> None:
    def change(content: Any) -> None:
        a, alpha = (image_id(content, name) for name in ("a.png", "alpha.png"))
        kept = [each for each in content["annotations"] if each["image_id"] != a or each["category_id"] == 2]
        kept.append({"id": 99, "image_id": alpha, "category_id": 1, "bbox": [1, 2, 3, 4]})
        content["annotations"] = kept

    result = imported(recorded, "coco", correct_coco(recorded, change))
    assert set(result.corrections) == {"a.png", "alpha.png"}
    assert list(result.corrections["a.png"].removed) == FOUND[:2]
    assert list(result.corrections["alpha.png"].added) == [face(1, 2, 4, 6, 1.0)]
    corrected = recorded.parent / "corrected"
    before, after = records_in(recorded), records_in(corrected)
    assert {name for name in before if before[name] != after[name]} == {"a.json", "alpha.json"}
    assert from_json(after["a.json"])[0].detections == FOUND[2:]
    alpha = from_json(after["alpha.json"])[0]
    assert alpha.detections == [*FOUND, face(1, 2, 4, 6, 1.0)]
    old = from_json(before["alpha.json"])[0].in_alpha
    assert old is not None
    assert alpha.in_alpha == [*old, face(1, 2, 4, 6, 1.0)], "what was added is hidden there, too"
    report = json.loads((corrected / REPORT_NAME).read_bytes())
    assert report["imported_from"] == "coco"
    assert report["totals"]["detections"] == {"face": 11, "plate": 6}, "over all frames"
    assert (report["totals"]["pictures"], report["totals"]["detected"], report["totals"]["failed"]) == (5, 5, 0)
    again = recorded.parent / "again"
    anonymize_folder(folders[0], again, detections=corrected, workers=0)
    changed = {name for name, content in outputs_in(again).items() if content != outputs_in(recorded)[name]}
    assert changed == {"a.json", "a.png", "alpha.json", "alpha.png"}


def test_a_correction_of_a_moving_picture_keeps_the_other_frames(recorded: Path) -> None:
    def change(content: Any) -> None:
        moving = image_id(content, "moving.gif")
        content["annotations"] = [each for each in content["annotations"] if each["image_id"] != moving]

    assert set(imported(recorded, "coco", correct_coco(recorded, change)).corrections) == {"moving.gif"}
    frames = from_json((recorded.parent / "corrected" / "moving.json").read_bytes())
    assert list(frames) == [1]
    assert frames[1].detections == FOUND


def test_kinds_that_the_run_did_not_look_for(folders: Folders, use_detectors: UseDetectors, tmp_path: Path) -> None:
    """A replay hides them."""
    save(folders[0] / "a.png", noise(40, 50))
    use_detectors(FixedDetector(FOUND[0]))
    recorded = anonymize(folders, {"kinds": "face"})

    def change(content: Any) -> None:
        content["annotations"].append({"id": 9, "image_id": 1, "category_id": 2, "bbox": [30, 5, 10, 10]})

    imported(recorded, "coco", correct_coco(recorded, change))
    report = anonymize_folder(folders[0], tmp_path / "again", detections=tmp_path / "corrected", workers=0)
    assert report.exit_code == 0
    assert report.detections() == {"face": 1, "plate": 1}


def test_pictures_that_the_file_does_not_name_stay_as_they_are(recorded: Path) -> None:
    def change(content: Any) -> None:
        gone = image_id(content, "a.png")
        content["images"] = [each for each in content["images"] if each["id"] != gone]
        content["annotations"] = [each for each in content["annotations"] if each["image_id"] != gone]

    result = imported(recorded, "coco", correct_coco(recorded, change))
    assert (result.pictures, result.not_named, result.problems) == (5, 1, {})
    assert records_in(recorded.parent / "corrected") == records_in(recorded)


def test_pictures_with_a_problem_have_no_record(recorded: Path, folders: Folders) -> None:
    def change(content: Any) -> None:
        images = {image["file_name"]: image for image in content["images"]}
        images["a.png"]["width"] = 60
        images["alpha.png"]["file_name"] = "x.png"
        content["images"].append({**images["moving.gif"], "id": 77})
        content["categories"].append({"id": 50, "name": "dog"})
        content["annotations"].append(
            {"id": 99, "image_id": images["sub/d.webp"]["id"], "category_id": 50, "bbox": [1, 2, 3, 4]}
        )

    result = imported(recorded, "coco", correct_coco(recorded, change))
    assert result.problems == {
        "a.png": "has 60 x 40 pixels in the file, and 50 x 40 in the record",
        "x.png": "is not one of the pictures of the run",
        "moving.gif": "is named twice",
        "sub/d.webp": f"annotation 99: 'dog' is not one of {', '.join(KINDS)}; --map dog=face says what it is",
    }  # fmt: skip
    corrected = recorded.parent / "corrected"
    assert set(records_in(corrected)) == {"alpha.json", "sub/b c.json"}
    report = anonymize_folder(folders[0], recorded.parent / "again", detections=corrected, workers=0)
    failed = {each.file: each.reason for each in report.results if each.status == "failed"}
    assert set(failed) == {"a.png", "moving.gif", "sub/d.webp"}
    assert failed["moving.gif"] is not None
    assert "is named twice" in failed["moving.gif"]


def test_names_of_kinds_are_mapped(recorded: Path) -> None:
    def change(content: Any) -> None:
        content["categories"][0]["name"] = "person"

    assert imported(recorded, "coco", correct_coco(recorded, change), person="face").corrections == {}


def test_pictures_that_share_a_label_file(folders: Folders, use_detectors: UseDetectors, tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg", "b.png"):
        save(folders[0] / name, noise(40, 50))
    use_detectors(FixedDetector(*FOUND, kinds=["face", "plate"]))
    recorded = anonymize(folders)
    for name, export_format in EXPORT_FORMATS.items():
        export = export_detections(recorded, name, tmp_path / name)
        assert set(export.problems) == ({"a.png", "a.jpg"} if export_format.has_label_files else set())
        assert export.pictures == (1 if export_format.has_label_files else 3)


def test_refused_outputs(recorded: Path) -> None:
    export_detections(recorded, "csv", recorded.parent / "csv")
    for output in (recorded, recorded / "new", recorded.parent / "csv", recorded / REPORT_NAME):
        before = outputs_in(recorded)
        with pytest.raises(OutputError):
            export_detections(recorded, "coco", output)
        with pytest.raises(OutputError):
            import_detections(recorded.parent / "csv", "csv", recorded, output, {})
        assert outputs_in(recorded) == before


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", b"[", "truncated or not JSON"),
        ("a.xml", b"", "holds no file of the format coco"),
        ("b/c.json", b"{}", "holds no list of 'categories'"),
    ],
)
def test_files_of_others(recorded: Path, name: str, content: bytes, message: str) -> None:
    path = recorded.parent / "labels"
    (path / name).parent.mkdir(parents=True)
    (path / name).write_bytes(content)
    with pytest.raises(SettingsError, match=message):
        imported(recorded, "coco", path)
    assert not (recorded.parent / "corrected").exists()


def test_missing_files(recorded: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        imported(recorded, "coco", recorded.parent / "nothing")


@pytest.fixture
def filmed(folders: Folders, use_detectors: UseDetectors) -> Path:
    """The output of a run over a film of four frames, a face and a plate in each, and a picture."""
    write_film(folders[0] / "a.mp4", frames=4)
    save(folders[0] / "b.png", noise(64, 96))
    use_detectors(FixedDetector(face(5, 5, 25, 25, 0.875), plate(40.125, 30, 60, 40), kinds=["face", "plate"]))
    return anonymize(folders, {"preset": "thorough"})


@pytest.mark.parametrize("name", EXPORT_FORMATS)
def test_frames_of_films_are_pictures(name: str, filmed: Path) -> None:
    export = export_detections(filmed, name, filmed.parent / "export")
    assert (export.pictures, export.frames, export.problems) == (5, {"a.mp4": 4}, {})
    assert export.detections == {"face": 5, "plate": 5}
    result = imported(filmed, name, filmed.parent / "export")
    assert (result.pictures, result.not_named, result.film_corrections, result.problems) == (2, 0, {}, {})
    assert records_in(filmed.parent / "corrected") == records_in(filmed)


def test_a_frame_is_corrected(filmed: Path, folders: Folders) -> None:
    def change(content: Any) -> None:
        third = image_id(content, "a.mp4/frame_000002.png")
        kept = [each for each in content["annotations"] if (each["image_id"], each["category_id"]) != (third, 2)]
        kept.append({"id": 99, "image_id": third, "category_id": 1, "bbox": [70, 40, 10, 12]})
        content["annotations"] = kept
        content["images"] = [each for each in content["images"] if not each["file_name"].endswith("03.png")]
        content["annotations"] = [each for each in kept if each["image_id"] in {i["id"] for i in content["images"]}]

    result = imported(filmed, "coco", correct_coco(filmed, change))
    correction = result.film_corrections["a.mp4"]
    assert (correction.added, correction.removed) == ({"face": 1}, {"plate": 1})
    corrected = filmed.parent / "corrected"
    before, after = (json.loads((folder / "a.json").read_bytes()) for folder in (filmed, corrected))
    new = [each for each in after if each not in before]
    assert [(each["frame"], each["time_s"], each.get("track"), each["x_min"]) for each in new] == [(2, 0.08, None, 70)]
    assert [(each["frame"], each["kind"]) for each in before if each not in after] == [(2, "plate")]
    again = filmed.parent / "again"
    report = anonymize_folder(folders[0], again, detections=corrected, workers=0)
    assert report.exit_code == 0
    assert [each for each in json.loads((again / "a.json").read_bytes()) if each["frame"] == 2] == [
        each for each in after if each["frame"] == 2
    ]


def test_a_frame_with_a_problem_leaves_the_film_without_a_record(filmed: Path) -> None:
    def change(content: Any) -> None:
        content["annotations"][0]["bbox"] = [70, 40, -10, 12]

    result = imported(filmed, "coco", correct_coco(filmed, change))
    assert list(result.problems) == ["a.mp4"]
    assert result.problems["a.mp4"].startswith("a.mp4/frame_000000.png: annotation 1: the box has a negative size")
    assert set(records_in(filmed.parent / "corrected")) == {"b.json"}


def test_edits_are_not_lost(recorded: Path, folders: Folders) -> None:
    """Those that wait beside the records are copied; those that were done stay in the report."""
    edits = "edits:\n- file: a.png\n  add: {box: [1, 2, 9, 12]}\n  kind: plate\n  reason: missed\n"
    (recorded / "edits.yaml").write_text(edits)
    export_detections(recorded, "csv", recorded.parent / "csv")
    imported(recorded, "csv", recorded.parent / "csv")
    assert (recorded.parent / "corrected" / "edits.yaml").read_text() == edits
    edited, again = recorded.parent / "edited", recorded.parent / "again"
    anonymize_folder(folders[0], edited, detections=recorded.parent / "corrected", workers=0)
    export_detections(edited, "csv", recorded.parent / "csv of edited")
    import_detections(recorded.parent / "csv of edited", "csv", edited, again, {})
    files = {entry["file"]: entry for entry in json.loads((again / REPORT_NAME).read_bytes())["files"]}
    assert [edit["reason"] for edit in files["a.png"]["edits"]] == ["missed"]
    assert not (again / "edits.yaml").exists()
