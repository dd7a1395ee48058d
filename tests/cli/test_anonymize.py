"""The main job: exit codes, messages, files."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from fakes import CrashingDetector, FixedDetector, Folders, UseDetectors, face, load, noise, plate, save
from tiny_models import save_graph_def

from anonymizer.cli.main import run
from anonymizer.geometry import Box
from anonymizer.types import Detection

Call: TypeAlias = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(folders: Folders, capsys: pytest.CaptureFixture[str]) -> Call:
    """call(*options) runs the main job on the two folders and returns exit code, stdout, stderr."""

    def call(*options: object) -> tuple[int, str, str]:
        code = run(["--input", str(folders[0]), "--image-output", str(folders[1]), *map(str, options)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def files_in(folder: Path) -> list[str]:
    """All but the manifest, which is in every output folder."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "anonymize-manifest.sqlite")
    return sorted(path.relative_to(folder).as_posix() for path in files)


def fill(source: Path, number: int = 2) -> None:
    for index in range(number):
        save(source / f"{index}.png", noise(30, 30, seed=index))


def test_all_done(call: Call, folders: Folders, use_detectors: UseDetectors) -> None:
    fill(folders[0])
    save(folders[0] / "twins" / "a.JPG", noise(30, 30))
    save(folders[0] / "twins" / "a.png", noise(30, 30))
    (folders[0] / "notes.txt").touch()
    use_detectors(FixedDetector(face(5, 5, 15, 15)))
    code, out, err = call()
    assert code == 0
    assert "4 of 4 pictures anonymized (4 faces, 0 plates)" in out
    assert "skipped 1 file with other extensions: .txt (1)" in out
    assert "failed" not in err
    assert files_in(folders[1]) == [
        "0.json", "0.png", "1.json", "1.png", "anonymize-report.json",
        "twins/a.JPG", "twins/a.JPG.json", "twins/a.png", "twins/a.png.json",
    ]  # fmt: skip


@pytest.mark.slow
def test_real_model(call: Call, folders: Folders, originals: Path) -> None:
    (folders[0] / "astronaut.png").symlink_to(originals / "astronaut.png")
    code, out, _ = call("--kinds", "face")
    assert code == 0
    assert "(1 face)" in out
    report = json.loads((folders[1] / "anonymize-report.json").read_text())
    assert report["complete"] is True
    assert [model["name"] for model in report["models"]] == ["centerface"]
    assert report["files"][0]["fidelity"] == "lossless"


def test_one_bad_picture_never_stops_the_others(call: Call, folders: Folders, use_detectors: UseDetectors) -> None:
    fill(folders[0])
    (folders[0] / "0a.jpg").write_bytes(b"no picture")
    red = noise(30, 30)
    red[0, 0] = (255, 0, 0)
    save(folders[0] / "0b.png", red)
    use_detectors(CrashingDetector(RuntimeError("boom")))
    code, out, err = call()
    assert code == 1
    assert "2 of 4 pictures anonymized (0 faces, 0 plates), 2 failed" in out
    assert "failed: 0a.jpg: is no picture in JPEG" in err
    assert "failed: 0b.png: unexpected RuntimeError: boom" in err
    assert files_in(folders[1]) == ["0.json", "0.png", "1.json", "1.png", "anonymize-report.json"]
    report = json.loads((folders[1] / "anonymize-report.json").read_text())
    assert [(entry["file"], entry["status"]) for entry in report["files"]] == [
        ("0.png", "anonymized"), ("0a.jpg", "failed"), ("0b.png", "failed"), ("1.png", "anonymized"),
    ]  # fmt: skip


def test_quiet_and_verbose(call: Call, folders: Folders, use_detectors: UseDetectors) -> None:
    fill(folders[0])
    use_detectors(FixedDetector(face(5, 5, 15, 15)))
    _, out, err = call("-v")
    assert "anonymized: 1.png: 1 face" in err
    code, out, err = call("-q", "--overwrite", "--kinds", "face")
    assert (code, out, err) == (0, "", "")


def test_limit(call: Call, folders: Folders, use_detectors: UseDetectors) -> None:
    fill(folders[0], 3)
    use_detectors(FixedDetector())
    code, out, _ = call("--limit", 1)
    assert code == 0
    assert "1 of 3 pictures anonymized (0 faces, 0 plates), 2 skipped" in out
    assert files_in(folders[1]) == ["0.json", "0.png", "anonymize-report.json"]


def test_dry_run_writes_nothing(call: Call, folders: Folders) -> None:
    fill(folders[0])
    code, out, _ = call("--dry-run", "--limit", 1)
    assert code == 0
    assert "0.png -> " in out
    assert "would look for face" in out
    assert "in 1 pictures; nothing written" in out
    assert "skipped: 1.png: beyond --limit 1" in out
    assert not folders[1].exists()


def test_a_quiet_dry_run_tells_errors_only(
    call: Call, folders: Folders, monkeypatch: pytest.MonkeyPatch, use_detectors: UseDetectors
) -> None:
    fill(folders[0])
    (folders[0] / "notes.txt").touch()
    (folders[0] / "link").symlink_to(".")
    assert call("--dry-run", "-q", "--limit", 1) == (0, "", "")
    monkeypatch.setattr("anonymizer.files.find._leads_into", lambda path, output: path.name == "link")
    assert call("--dry-run", "-q") == (1, "", "anonymize: failed: link/: leads into the output folder\n")


def test_a_kept_output_is_named_and_counted(call: Call, folders: Folders, use_detectors: UseDetectors) -> None:
    fill(folders[0])
    use_detectors(FixedDetector(face(5, 5, 15, 15)))
    call()
    (folders[1] / "1.png").write_bytes(b"edited")
    code, out, err = call()
    assert code == 0
    assert (
        "1 of 2 pictures anonymized (2 faces, 0 plates), 1 of them by an earlier run, 1 kept as changed by hand" in out
    )
    assert "anonymize: kept: 1.png: the output was changed by hand since an earlier run" in err
    assert "kept: 1.png" in call("-q")[2]
    report = json.loads((folders[1] / "anonymize-report.json").read_text())
    assert (report["totals"]["kept"], report["files"][1]["status"]) == (1, "kept")


def test_no_pictures(call: Call, folders: Folders) -> None:
    (folders[0] / "notes.txt").touch()
    code, _, err = call()
    assert code == 2
    assert "holds no picture (jpg, jpeg, " in err
    assert not folders[1].exists()
    assert call("--allow-empty")[0] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--face-threshold", "2"], "--face-threshold: 2 is not in the range"),
        (["--kinds", "dog"], "--kinds: 'dog' is not one of face, plate"),
        (["--obfuscation-kernel", "21"], "neither auto nor kernel_size,sigma,box_kernel_size"),
        (["--method", "blur"], "--method: 'blur' is not one of gaussian, mosaic, solid, image, inpaint, none"),
        (["--plate-method", "tape"], "--plate-method: 'tape' is not one of"),
        (["--cells", "17"], "--cells: 17 is not a whole number in the range 0..16"),
        (["--color", "blackish"], "--color: 'blackish' is neither mean, the name of a colour"),
        (["--color", "#11223344"], "--color: '#11223344' is neither mean"),
        (["--shape", "star"], "--shape: 'star' is not one of ellipse, box, silhouette"),
        (
            ["--plate-shape", "silhouette"],
            "--plate-shape silhouette: a network draws those of faces and heads and people",
        ),
        (["--method", "image", "--overlay", "nowhere.png"], "--overlay: nowhere.png does not exist"),
        (["--method", "image", "--overlay", __file__], "is not a PNG picture"),
        (["--overlay", __file__], "--overlay is only used with --method image"),
        (["--drawing", "heart"], "--drawing is only used with --method image"),
        (
            ["--drawing", "fist", "--method", "image", "--overlay", "images/originals/astronaut.png"],
            "--overlay takes the place of --drawing",
        ),
        (
            ["--method", "solid", "--obfuscation-kernel", "21,2,9"],
            "--obfuscation-kernel is only used with --method gaussian",
        ),
        (["--method", "none", "--no-write-detections"], "with --method none there is nothing else to write"),
        (["--config", "nowhere.yaml"], "configuration file nowhere.yaml: No such file"),
        (["--input", "nowhere"], "input folder nowhere: No such file"),
        (["--nonsense"], "No such option"),
        (["argument"], "'argument' is not a command"),
        (["--limit", "inf"], "--limit: 'inf' is not a whole number"),
        (["models"], "options come after the command: anonymize models"),
    ],
)
def test_usage_errors(call: Call, folders: Folders, options: list[str], message: str) -> None:
    fill(folders[0])
    code, _, err = call(*options)
    assert code == 2
    assert message in err
    assert not folders[1].exists()


@pytest.mark.parametrize(("arguments", "missing"), [([], "--input"), (["--input", "."], "--image-output")])
def test_missing_folders(capsys: pytest.CaptureFixture[str], arguments: list[str], missing: str) -> None:
    assert run(arguments) == 2
    assert f"missing {missing}" in capsys.readouterr().err


def test_config_file_and_command_line(
    call: Call, folders: Folders, use_detectors: UseDetectors, tmp_path: Path
) -> None:
    fill(folders[0])
    config = tmp_path / "anonymize.yaml"
    config.write_text("limit: 1\nwrite-detections: false\nface-threshold: 0.5\n")
    use_detectors(FixedDetector())
    call("--config", config, "--face-threshold", 0.7)
    assert files_in(folders[1]) == ["0.png", "anonymize-report.json"]
    report = json.loads((folders[1] / "anonymize-report.json").read_text())
    assert report["settings"]["face-threshold"] == 0.7
    assert report["models"][0]["thresholds"] == {"face": 0.7}


def test_unknown_keys_are_refused_with_the_nearest_name(call: Call, tmp_path: Path) -> None:
    config = tmp_path / "anonymize.yaml"
    config.write_text("face-treshold: 0.5\n")
    code, _, err = call("--config", config)
    assert code == 2
    assert "unknown key 'face-treshold'; did you mean 'face-threshold'?" in err


@pytest.mark.slow
def test_models_that_do_not_work(call: Call, folders: Folders, tmp_path: Path) -> None:
    fill(folders[0])
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "weights_face_v1.0.0.pb").write_text("a text file")
    code, _, err = call("--weights", weights)
    assert code == 3
    assert "weights_face_v1.0.0.pb is damaged, or no frozen graph" in err
    assert not folders[1].exists()


@pytest.mark.slow
def test_models_of_the_user(call: Call, folders: Folders, tmp_path: Path) -> None:
    fill(folders[0], 1)
    weights = tmp_path / "weights"
    weights.mkdir()
    save_graph_def(weights / "weights_face_v1.0.0.pb")
    save_graph_def(weights / "weights_plate_v1.0.0.pb")
    code, out, _ = call("--weights", weights, "--face-threshold", 0.001, "--plate-threshold", 0.001)
    assert code == 0
    assert "(2 faces, 2 plates)" in out


@pytest.mark.slow
def test_a_kind_without_a_model(call: Call, folders: Folders, tmp_path: Path) -> None:
    fill(folders[0])
    weights = tmp_path / "weights"
    weights.mkdir()
    save_graph_def(weights / "weights_face_v1.0.0.pb")
    code, _, err = call("--weights", weights, "--kinds", "face,plate")
    assert code == 3
    assert "finds the kind 'plate'; name a folder with such a model by --weights" in err
    code, _, err = call("--weights", weights)
    assert code == 0
    assert "warning: no model for plate: looking for face only" in err


def test_outputs_that_are_refused(call: Call, folders: Folders) -> None:
    fill(folders[0])
    assert call("--image-output", folders[0] / "sub")[0] == 4
    folders[1].mkdir()
    (folders[1] / "precious").touch()
    code, _, err = call()
    assert code == 4
    assert "is not empty; add --overwrite" in err
    assert files_in(folders[1]) == ["precious"]


def test_overwriting_keeps_what_is_not_ours(call: Call, folders: Folders, use_detectors: UseDetectors) -> None:
    fill(folders[0], 1)
    folders[1].mkdir()
    (folders[1] / "precious").touch()
    (folders[1] / "0.png").write_bytes(b"old")
    use_detectors(FixedDetector())
    assert call("--overwrite")[0] == 0
    assert files_in(folders[1]) == ["0.json", "0.png", "anonymize-report.json", "precious"]
    assert (folders[1] / "0.png").read_bytes() != b"old"


def test_report_elsewhere(call: Call, folders: Folders, use_detectors: UseDetectors, tmp_path: Path) -> None:
    fill(folders[0], 1)
    use_detectors(FixedDetector())
    assert call("--report", tmp_path / "reports" / "r.json")[0] == 0
    assert (tmp_path / "reports" / "r.json").is_file()
    assert files_in(folders[1]) == ["0.json", "0.png"]


@pytest.mark.parametrize(
    "place", ["in/report.json", "out/0.json", "out/0.png", "out/../out/0.png", "folder", "precious"]
)
def test_reports_in_the_place_of_something_else(call: Call, folders: Folders, tmp_path: Path, place: str) -> None:
    fill(folders[0], 1)
    (tmp_path / "folder").mkdir()
    (tmp_path / "precious").touch()
    code, _, err = call("--report", tmp_path / place)
    assert code == 4
    assert "report" in err
    assert files_in(folders[0]) == ["0.png"]
    assert not folders[1].exists()


@pytest.mark.parametrize(
    "place", ["in/0.png", "in/trace.json", "out/0.json", "out/anonymize-manifest.sqlite", "folder", "precious"]
)
def test_profiles_in_the_place_of_something_else(call: Call, folders: Folders, tmp_path: Path, place: str) -> None:
    fill(folders[0], 1)
    original = (folders[0] / "0.png").read_bytes()
    (tmp_path / "folder").mkdir()
    (tmp_path / "precious").write_text("precious")
    code, _, err = call("--profile", tmp_path / place)
    assert code == 4
    assert "choose another place with --profile" in err or "is not a profile" in err
    assert (folders[0] / "0.png").read_bytes() == original
    assert (tmp_path / "precious").read_text() == "precious"
    assert not folders[1].exists()


def test_a_profile(call: Call, folders: Folders, use_detectors: UseDetectors, tmp_path: Path) -> None:
    fill(folders[0], 2)
    use_detectors(FixedDetector())
    for _ in range(2):
        assert call("--profile", tmp_path / "trace.json", "--overwrite")[0] == 0
        events = json.loads((tmp_path / "trace.json").read_text())
        assert {"0.png", "1.png", "read", "detect", "redact", "write"} == {event["name"] for event in events}


def test_what_zones_leave_visible_is_told(call: Call, folders: Folders, use_detectors: UseDetectors) -> None:
    fill(folders[0], 1)
    use_detectors(FixedDetector(face(5, 5, 15, 15)))
    _, _, err = call("--exclude-zone", "0,0 1,0 1,1 0,1")
    assert "1 faces or plates or heads" in err


def test_a_preset_for_a_kind_that_is_not_looked_for(call: Call, folders: Folders, use_detectors: UseDetectors) -> None:
    save(folders[0] / "a.png", noise(30, 30))
    use_detectors(FixedDetector(face(5, 5, 20, 20)))
    code, _, err = call("--preset", "crowd", "--kinds", "face", "--quiet")
    assert code == 0
    assert "warning: --preset crowd is there to look for heads, which --kinds does not name" in err


def test_crowds(call: Call, folders: Folders, use_detectors: UseDetectors) -> None:
    fill(folders[0])
    head = replace(face(5, 5, 15, 15), kind="head")
    use_detectors(FixedDetector(head, replace(head, box=Box(20, 20, 28, 28)), kinds=("face", "plate", "head")))
    code, out, _ = call("--preset", "crowd", "--method", "image", "--drawing", "fist")
    assert (code, "2 of 2 pictures anonymized (0 faces, 0 plates, 4 heads)" in out) == (0, True)
    assert "people, estimated: 4, 2.0 a picture" in out
    before, after = noise(30, 30, seed=0), load(folders[1] / "0.png")
    assert (after != before)[8:12, 8:12].any(axis=-1).all()


def test_people_by_their_outlines(
    call: Call, folders: Folders, use_detectors: UseDetectors, originals: Path, tmp_path: Path
) -> None:
    """In picture, record, a replay without models, gate and exports; without the option the box is hidden."""
    save(folders[0] / "a.png", load(originals / "astronaut.png"))
    person = Detection(Box(30, 5, 470, 512), 0.7, "person")
    use_detectors(FixedDetector(person, kinds=("person",)))
    wanted = ("--kinds", "person", "--workers", 0)
    assert call(*wanted, "--person-shape", "silhouette")[0] == 0
    before, after = load(folders[0] / "a.png"), load(folders[1] / "a.png")
    assert (after != before)[60:170, 190:260].any(axis=2).mean() > 0.95
    assert (after == before)[:120, 420:460].all()
    (entry,) = json.loads((folders[1] / "a.json").read_text())
    assert len(entry["outline"]["polygon"]) > 20

    again = tmp_path / "again"
    replay: list[object] = ["--input", folders[0], "--image-output", again, "--detections", folders[1], "--workers", 0]
    assert run([*map(str, replay), "--person-shape", "silhouette"]) == 0
    assert (again / "a.png").read_bytes() == (folders[1] / "a.png").read_bytes()
    assert run(["check", str(folders[1]), "--against", str(folders[0]), "--workers", "0", "--kinds", "person"]) == 0

    # A box that a person draws or moves is hidden as it is, whatever the network sees there.
    edits, edited = tmp_path / "edits.yaml", tmp_path / "edited"
    box = [entry[side] for side in ("x_min", "y_min", "x_max", "y_max")]
    to = "to: {box: [40, 10, 460, 510]}"
    edits.write_text(f"edits: [{{file: a.png, resize: {{box: {box}}}, kind: person, {to}}}]\n")
    replay[3] = edited
    assert run([*map(str, replay), "--person-shape", "silhouette", "--edits", str(edits)]) == 0
    after = load(edited / "a.png")
    assert (after != before)[10:510, 40:460].any(axis=2).mean() > 0.98
    (settled,) = json.loads((edited / "a.json").read_text())
    assert (settled["score"], "outline" in settled) == (1, False)
    replay[3], replay[5] = tmp_path / "once more", edited
    assert run([*map(str, replay), "--person-shape", "silhouette"]) == 0
    assert (load(tmp_path / "once more" / "a.png") == after).all()

    assert run(["detections", "export", str(folders[1]), "--format", "coco", "--output", str(tmp_path / "coco")]) == 0
    (exported,) = json.loads(next((tmp_path / "coco").glob("*.json")).read_text())["annotations"]
    assert len(exported["segmentation"][0]) == 2 * len(entry["outline"]["polygon"])

    assert call(*wanted, "--overwrite")[0] == 0
    assert (load(folders[1] / "a.png") != before)[:120, 420:460].any()


def test_zones_of_cameras(call: Call, folders: Folders, use_detectors: UseDetectors, tmp_path: Path) -> None:
    use_detectors(FixedDetector())
    for name in ("cam1/a.png", "cam2/a.png"):
        save(folders[0] / name, noise(40, 40))
    (tmp_path / "zones.yaml").write_text('redact-zone: {"cam1/*": "0,0 0.5,0 0.5,0.5 0,0.5"}\nfeather: 0\n')
    code, out, _ = call("--config", tmp_path / "zones.yaml")
    assert (code, "2 of 2 pictures anonymized (0 faces, 0 plates, 1 area)" in out) == (0, True)
    before, after = noise(40, 40), load(folders[1] / "cam1" / "a.png")
    assert (after[:20, :20] != before[:20, :20]).mean() > 0.9
    assert (after[20:] == before[20:]).all()
    assert (load(folders[1] / "cam2" / "a.png") == before).all()
    report = json.loads((folders[1] / "anonymize-report.json").read_text())
    assert report["settings"]["redact-zone"] == {"cam1/*": [[[0, 0], [0.5, 0], [0.5, 0.5], [0, 0.5]]]}
    assert [entry["detections"]["area"] for entry in report["files"]] == [1, 0]


def test_masks(call: Call, folders: Folders, use_detectors: UseDetectors, tmp_path: Path) -> None:
    use_detectors(FixedDetector(face(5, 5, 15, 15)))
    for name in ("a.jpg", "sub/b.jpg", "sub/b.png"):
        save(folders[0] / name, noise(30, 40))
    masks, style = tmp_path / "masks", ("--face-shape", "box", "--face-margin", 0, "--feather", 0)
    code, _, _ = call("--mask-output", masks, *style)
    assert (code, files_in(masks)) == (0, ["a.png", "sub/b.jpg.png", "sub/b.png.png"])
    expected = np.zeros((30, 40), np.uint8)
    expected[5:15, 5:15] = 255
    for name in files_in(masks):
        assert np.array_equal(load(masks / name), expected)
    report = json.loads((folders[1] / "anonymize-report.json").read_text())
    assert [entry["mask"] for entry in report["files"]] == files_in(masks)
    assert "3 of them by an earlier run" in call("--mask-output", masks, *style)[1]
    (masks / "a.png").unlink()
    assert "2 of them by an earlier run" in call("--mask-output", masks, *style)[1]
    assert files_in(masks) == ["a.png", "sub/b.jpg.png", "sub/b.png.png"]


def test_masks_of_what_would_be_hidden(
    call: Call, folders: Folders, use_detectors: UseDetectors, tmp_path: Path
) -> None:
    use_detectors(FixedDetector(face(5, 5, 15, 15)))
    fill(folders[0], 1)
    for method, masks in (("none", tmp_path / "one"), ("gaussian", tmp_path / "other")):
        assert call("--method", method, "--mask-output", masks, "--overwrite")[0] == 0
    assert load(tmp_path / "one" / "0.png").max() == 255
    assert np.array_equal(load(tmp_path / "one" / "0.png"), load(tmp_path / "other" / "0.png"))


def test_masks_of_others_stay_and_those_of_failed_pictures_go(
    call: Call, folders: Folders, use_detectors: UseDetectors, tmp_path: Path
) -> None:
    use_detectors(FixedDetector(face(5, 5, 15, 15)))
    fill(folders[0])
    masks = tmp_path / "masks"
    assert call("--mask-output", masks)[0] == 0
    (masks / "0.png").write_bytes(b"drawn by hand")
    save(folders[0] / "new.png", noise(30, 30))
    (masks / "new.png").write_bytes(b"of others")
    (folders[0] / "1.png").write_bytes(b"broken")
    code, out, err = call("--mask-output", masks)
    assert code == 1
    assert "new.png in the folder of masks is not known to be written by this program; it stays" in err
    assert "1 kept as changed by hand" in out
    assert [(masks / name).read_bytes() for name in files_in(masks)] == [b"drawn by hand", b"of others"]
    assert "new.png" not in files_in(folders[1])


@pytest.mark.parametrize(
    ("masks", "message"), [("in", "is the input folder"), ("out/masks", "lies in or around the output folder")]
)
def test_masks_in_the_place_of_something_else(call: Call, folders: Folders, masks: str, message: str) -> None:
    fill(folders[0])
    code, _, err = call("--mask-output", folders[0].parent / masks)
    assert (code, message in err) == (4, True)


def test_a_pattern_without_a_picture_is_an_error(call: Call, folders: Folders, tmp_path: Path) -> None:
    fill(folders[0])
    (tmp_path / "zones.yaml").write_text('redact-zone: {"0.*": "0,0 1,0 1,1", "cam3/*": "0,0 1,0 1,1"}\n')
    code, _, err = call("--config", tmp_path / "zones.yaml")
    assert (code, "--redact-zone" in err, "holds no picture with a name like 'cam3/*'" in err) == (2, True, True)
    assert files_in(folders[1]) == []


def test_zones_alone_need_no_model(call: Call, folders: Folders) -> None:
    fill(folders[0])
    _, out, _ = call("--kinds", "area", "--redact-zone", "0,0 1,0 1,1", "--dry-run")
    assert "would hide zones in 2 pictures" in out
    assert "would look for face and plate and hide zones" in call("--redact-zone", "0,0 1,0 1,1", "--dry-run")[1]
    code, out, _ = call("--kinds", "area", "--redact-zone", "0,0 1,0 1,1", "--workers", "0")
    assert (code, "2 of 2 pictures anonymized (2 areas)" in out) == (0, True)
    code, _, err = call("--kinds", "area", "--overwrite")
    assert (code, "--kinds area: no model looks for that; add face or plate or head" in err) == (
        2,
        True,
    )


def test_a_report_that_cannot_be_written_is_told_before_the_first_picture(
    call: Call, folders: Folders, tmp_path: Path
) -> None:
    fill(folders[0], 1)
    (tmp_path / "file").touch()
    code, _, err = call("--report", tmp_path / "file" / "report.json")
    assert code == 4
    assert "report.json cannot be written: " in err
    assert files_in(folders[1]) == []


def test_an_output_that_cannot_be_made_is_told_before_the_first_picture(
    call: Call, folders: Folders, tmp_path: Path, use_detectors: UseDetectors
) -> None:
    fill(folders[0], 1)
    (tmp_path / "file").touch()
    use_detectors(CrashingDetector(AssertionError("must not be asked")))
    code, _, err = call("--image-output", tmp_path / "file" / "out")
    assert code == 4
    assert "out" in err


def test_a_run_that_is_killed_leaves_a_report_that_says_so(
    call: Call, folders: Folders, use_detectors: UseDetectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(folders[0], 1)
    use_detectors(FixedDetector())
    call()
    seen: list[bool] = []

    def look(*arguments: object) -> None:
        seen.append(json.loads((folders[1] / "anonymize-report.json").read_text())["complete"])
        raise KeyboardInterrupt

    monkeypatch.setattr("anonymizer.pipeline.PictureProcess.__call__", look)
    assert call("--overwrite")[0] == 130
    assert seen == [False]


def test_folders_that_cannot_be_listed_make_the_run_fail(
    call: Call, folders: Folders, use_detectors: UseDetectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(folders[0], 1)
    (folders[0] / "closed").mkdir()
    use_detectors(FixedDetector())
    scandir = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert call("--dry-run")[0] == 1
    code, _, err = call()
    assert code == 1
    assert "failed: closed/: folder cannot be listed: Permission denied" in err


def test_links_to_folders_that_came_up_before_are_told(
    call: Call, folders: Folders, use_detectors: UseDetectors
) -> None:
    save(folders[0] / "sub" / "0.png", noise(30, 30))
    (folders[0] / "again").symlink_to("sub")
    use_detectors(FixedDetector())
    code, _, err = call("-v")
    assert code == 0
    assert "skipped: again/: the same folder as sub/" in err


@pytest.mark.slow
def test_the_work_goes_on_when_nobody_listens(folders: Folders) -> None:
    """Closed and full streams: all pictures are done, and the exit code says so."""
    fill(folders[0], 2)
    command = f"{sys.executable} -m anonymizer --kinds face -v --input {folders[0]} --image-output {folders[1]}"
    for redirection in (
        "2>&-",
        ">&- 2>&-",
        "<&- >&- 2>&-",
        "2>/dev/full",
        ">/dev/full",
        "2>&1 | true; exit ${PIPESTATUS[0]}",
    ):
        done = subprocess.run(["bash", "-c", f"{command} --overwrite {redirection}"], check=False)
        assert done.returncode == 0, redirection
        assert files_in(folders[1]) == ["0.json", "0.png", "1.json", "1.png", "anonymize-report.json"]
        (folders[1] / "1.png").unlink()


def test_a_weak_kernel_is_warned_of_once(call: Call, folders: Folders, use_detectors: UseDetectors) -> None:
    fill(folders[0])
    use_detectors(FixedDetector(face(0, 0, 30, 30)))
    code, _, err = call("--obfuscation-kernel", "3,2,1")
    assert code == 0
    assert err.count("is too weak for 1 of 1 objects") == 1


def test_method_none_writes_detections_and_no_picture(
    call: Call, folders: Folders, use_detectors: UseDetectors
) -> None:
    """A picture with its faces would be taken for an anonymized one. An older output, which is one, stays."""
    fill(folders[0])
    use_detectors(FixedDetector(face(5, 5, 15, 15)))
    assert call()[0] == 0
    code, out, _ = call("--method", "none", "--overwrite")
    assert code == 0
    assert files_in(folders[1]) == ["0.json", "0.png", "1.json", "1.png", "anonymize-report.json"]
    assert "0 of 2 pictures anonymized (2 faces, 0 plates), 2 detected" in out
    report = json.loads((folders[1] / "anonymize-report.json").read_text())
    assert report["totals"]["detected"] == 2
    assert [file["status"] for file in report["files"]] == ["detected", "detected"]


def test_method_none_for_all_that_is_looked_for_is_enough(
    call: Call, folders: Folders, use_detectors: UseDetectors
) -> None:
    fill(folders[0])
    use_detectors(FixedDetector(face(5, 5, 15, 15)))
    assert call("--kinds", "face", "--face-method", "none", "--dry-run")[1].startswith(
        f"0.png -> {folders[1] / '0.json'}"
    )
    assert call("--kinds", "face", "--face-method", "none")[0] == 0
    assert files_in(folders[1]) == ["0.json", "1.json", "anonymize-report.json"]


def test_what_stays_visible_beside_what_is_hidden_is_warned_of(
    call: Call, folders: Folders, use_detectors: UseDetectors
) -> None:
    fill(folders[0], 1)
    use_detectors(FixedDetector(face(5, 5, 15, 15), plate(20, 20, 28, 24), kinds=("face", "plate")))
    code, _, err = call("--face-method", "none")
    assert code == 0
    assert "warning: 0.png: face objects that stay visible, since their method is none: 1" in err
    assert (load(folders[1] / "0.png")[5:15, 5:15] == load(folders[0] / "0.png")[5:15, 5:15]).all()
    assert (load(folders[1] / "0.png")[20:24, 20:28] != load(folders[0] / "0.png")[20:24, 20:28]).any()


def test_the_report_names_what_was_used(
    call: Call, folders: Folders, use_detectors: UseDetectors, tmp_path: Path
) -> None:
    """The overlay by its content, never by its place."""
    fill(folders[0], 1)
    use_detectors(FixedDetector(face(5, 5, 15, 15)))
    overlay = save(tmp_path / "private" / "overlay.png", noise(8, 8, 4))
    options = ("--face-method", "image", "--overlay", overlay, "--color", "RED", "--shape", "box")
    assert call(*options)[0] == 0
    text = (folders[1] / "anonymize-report.json").read_text()
    settings = json.loads(text)["settings"]
    assert settings["overlay"] == hashlib.sha256(overlay.read_bytes()).hexdigest()
    assert (settings["face-method"], settings["color"], settings["shape"]) == ("image", "#ff0000", "box")
    assert "private" not in text


def test_a_full_disk_ends_with_4_and_a_report_that_says_so(
    call: Call, folders: Folders, use_detectors: UseDetectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(folders[0], 3)
    use_detectors(FixedDetector())
    replace = os.replace

    def fill_up(old: Path, new: Path) -> None:
        if "1.png" in str(new):
            raise OSError(28, "No space left on device")
        replace(old, new)

    monkeypatch.setattr(os, "replace", fill_up)
    code, _, err = call()
    assert code == 4
    assert "No space left on device; nothing more can be written" in err
    report = json.loads((folders[1] / "anonymize-report.json").read_text())
    assert report["complete"] is False
    assert [(entry["file"], entry["status"]) for entry in report["files"]] == [
        ("0.png", "anonymized"), ("1.png", "failed"),
    ]  # fmt: skip
    assert str(folders[1]) not in json.dumps(report)


def test_an_interrupt_ends_with_130(call: Call, folders: Folders, use_detectors: UseDetectors) -> None:
    red = noise(30, 30)
    red[0, 0] = (255, 0, 0)
    save(folders[0] / "0.png", noise(30, 30))
    save(folders[0] / "1.png", red)
    use_detectors(CrashingDetector(KeyboardInterrupt()))
    code, _, err = call()
    assert code == 130
    assert "interrupted" in err
    assert files_in(folders[1]) == ["0.json", "0.png", "anonymize-report.json"]


def test_names_cannot_command_the_terminal(call: Call, folders: Folders, use_detectors: UseDetectors) -> None:
    name = "a\n\x1b[2J\udce9.jpg"
    (folders[0] / name).write_bytes(b"no picture")
    use_detectors(FixedDetector())
    code, _, err = call()
    assert code == 1
    assert "failed: a\\n\\x1b[2J\\udce9.jpg: is no picture" in err


def test_progress_is_told_line_by_line_where_there_is_no_terminal(
    call: Call, folders: Folders, use_detectors: UseDetectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(folders[0])
    use_detectors(FixedDetector())
    monkeypatch.setattr("anonymizer.cli.progress.SECONDS_BETWEEN_LINES", 0.0)
    _, _, err = call()
    assert "1 of 2 pictures, " in err
    assert "\r" not in err


def test_records_and_edits(call: Call, folders: Folders, use_detectors: UseDetectors) -> None:
    fill(folders[0])
    use_detectors(FixedDetector(face(5, 5, 15, 15)))
    call()
    again = ["--image-output", folders[1].parent / "again", "--detections", folders[1]]
    assert call(*again)[0] == 0
    edit = {"file": "0.png", "remove": {"box": [5, 5, 15, 15]}, "kind": "face"}
    (folders[1] / "edits.json").write_text(json.dumps({"edits": [edit]}))
    code, out, _ = call(*again)
    assert (code, "2 of 2 pictures anonymized (1 face, 0 plates), 1 of them by an earlier run" in out) == (0, True)
    code, _, err = call(*again, "--require-reason")
    assert (code, err) == (2, "anonymize: edits edits.json: entry 1 gives no reason, as --require-reason asks\n")
    save(folders[0] / "1.png", noise(30, 30, seed=9))
    code, _, err = call(*again)
    assert code == 1
    assert "anonymize: failed: 1.png: is another file than its record is of, by their SHA-256" in err
    assert files_in(folders[1].parent / "again") == ["0.json", "0.png", "anonymize-report.json"]
    code, out, _ = call(*again, "--dry-run")
    assert "would redact what is recorded of face and plate in 2 pictures; nothing written" in out
    (folders[1] / "anonymize-report.json").unlink()
    code, _, err = call(*again)
    assert (code, "holds no report of a run" in err) == (2, True)
