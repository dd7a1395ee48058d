"""One file at a time: whatever is wrong with it is a finding, and whatever the models see is judged frame by frame."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from check.samples import anonymize, check, kinds_of, save_moving, texts_of
from fakes import (
    CrashingDetector,
    FixedDetector,
    Folders,
    KeenDetector,
    UseDetectors,
    face,
    load,
    load_nothing,
    noise,
    plate,
    save,
    smooth,
)
from files.orientation_samples import CARRIERS, sample
from PIL import Image

from anonymizer.addresses import Place
from anonymizer.check.file_check import CheckedFile, FileCheck
from anonymizer.check.finding import Finding
from anonymizer.check.inputs import InputFile
from anonymizer.check.plan import make_check_plan
from anonymizer.errors import ModelError, OutputError
from anonymizer.files.heic import can_read_heic
from anonymizer.files.read import read_picture
from anonymizer.formats import FORMATS
from anonymizer.geometry import Box
from anonymizer.types import Detection, Pixels8

FACE = face(20, 20, 60, 60)


def task_for(folder: Place, **options: object) -> FileCheck:
    return FileCheck(make_check_plan([folder], {key.replace("_", "-"): value for key, value in options.items()}))


def check_file(file: InputFile, **options: object) -> CheckedFile:
    return task_for(file.root, **options).begin()((0, file))


def file_in(path: Path) -> InputFile:
    return InputFile(path.parent, path.name, path.name)


def flat(height: int, width: int, level: int) -> Pixels8:
    return np.full((height, width, 3), level, np.uint8)


@pytest.fixture
def redacted(folders: Folders, use_detectors: UseDetectors) -> Path:
    """An anonymized folder with two pictures, each of a face."""
    for index, name in enumerate(["a.png", "sub/b.png"]):
        save(folders[0] / name, noise(100, 100, seed=index))
    use_detectors(KeenDetector(FACE))
    return anonymize(folders)


def test_what_a_file_holds_beside_its_picture(tmp_path: Path, use_detectors: UseDetectors) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 7.0)})
    path = save(tmp_path / "in" / "a.jpg", smooth(40, 40), exif=exif)
    path.write_bytes(path.read_bytes() + b"behind")
    use_detectors(FixedDetector())
    found = check_file(file_in(path)).findings
    assert kinds_of(found) == [("a.jpg", "gps"), ("a.jpg", "trailing")]
    assert "GPS data in the EXIF data" in found[0].text


@pytest.mark.parametrize(
    ("content", "text"),
    [(b"", "is empty"), (b"no picture", "picture in JPEG, PNG"), (b"GIF89a", ""), (b"\xff\xd8\xff", "")],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, use_detectors: UseDetectors, content: bytes, text: str) -> None:
    path = tmp_path / "in" / "a.jpg"
    path.parent.mkdir()
    path.write_bytes(content)
    use_detectors(FixedDetector(FACE))
    checked = check_file(file_in(path), html=tmp_path / "page.html")
    (finding,) = checked.findings
    assert (finding.file, finding.kind, finding.level) == ("a.jpg", "unreadable", "finding")
    assert finding.text.startswith("cannot be checked: ")
    assert text in finding.text
    assert str(tmp_path) not in finding.text
    assert checked.card is not None
    assert checked.card.thumbnail is None


def test_a_file_that_is_gone(tmp_path: Path, use_detectors: UseDetectors) -> None:
    path = save(tmp_path / "in" / "a.png", smooth(40, 40))
    use_detectors(FixedDetector())
    work = task_for(path.parent).begin()
    path.unlink()
    assert kinds_of(work((0, file_in(path))).findings) == [("a.png", "unreadable")]


def test_an_unexpected_error_is_a_finding_without_the_place_of_the_file(
    tmp_path: Path, use_detectors: UseDetectors
) -> None:
    red = noise(40, 40)
    red[0, 0] = (255, 0, 0)
    path = save(tmp_path / "in" / "a.png", red)
    use_detectors(CrashingDetector(RuntimeError(f"boom in {path}")))
    assert check_file(file_in(path)).findings == [
        Finding("a.png", "unreadable", "cannot be checked: unexpected RuntimeError: boom in folder/a.png")
    ]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ('[{"kind": "face"}]', "entry 1: "), ("{}", "list of detections"), ("", ""),
        ("\udcff", ""), ("[" * 100_000, ""),
    ],
)  # fmt: skip
def test_a_damaged_record_is_a_finding_and_explains_nothing(
    redacted: Path, use_detectors: UseDetectors, content: str, text: str
) -> None:
    (redacted / "a.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    use_detectors(FixedDetector(FACE))
    record, seen = check_file(file_in(redacted / "a.png")).findings
    assert (record.kind, record.level) == ("record", "finding")
    assert record.text.startswith("a.json beside it is damaged: ")
    assert text in record.text
    assert (seen.kind, seen.level, seen.text) == ("face", "finding", "not redacted")


def test_what_is_seen_again_is_noted(redacted: Path, use_detectors: UseDetectors) -> None:
    use_detectors(FixedDetector(FACE))
    (finding,) = check_file(file_in(redacted / "a.png")).findings
    assert (finding.level, finding.text) == ("noted", "seen again in a redacted area")


def test_a_picture_in_the_place_of_its_redacted_twin(folders: Folders, redacted: Path) -> None:
    shutil.copy(folders[0] / "a.png", redacted / "a.png")
    assert texts_of(check_file(file_in(redacted / "a.png")).findings) == [
        "recorded as redacted, but the pixels show detail"
    ]


def test_an_original_that_cannot_be_read(folders: Folders, redacted: Path) -> None:
    (folders[0] / "a.png").write_bytes(b"broken")
    (finding,) = check(redacted, against=folders[0])
    assert (finding.file, finding.kind) == ("a.png", "unreadable")
    assert finding.text.startswith("its original is no")


@pytest.mark.parametrize("brightness", [0, 200])
def test_faint_pictures(folders: Folders, use_detectors: UseDetectors, brightness: int) -> None:
    """Detectors see them with all their contrast, whether they were redacted or not."""
    save(folders[0] / "a.png", noise(100, 100) // 6 + np.uint8(brightness))
    use_detectors(KeenDetector(FACE))
    output = anonymize(folders)
    assert check(output, against=folders[0]) == []
    shutil.copy(folders[0] / "a.png", output)
    texts = texts_of(check(output, against=folders[0]))
    assert "recorded as redacted, but the pixels show detail" in texts
    assert "face of the original is not hidden" in texts


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp"])
def test_animations(folders: Folders, tmp_path: Path, use_detectors: UseDetectors, name: str) -> None:
    """The face is found in the second frame alone: the first and the third are hidden there too, the fourth is not."""
    squares = np.kron(np.array([[0, 255], [255, 0]])[:, :, np.newaxis], np.ones((50, 50, 1)))
    drawn: Pixels8 = squares.repeat(3, axis=2).astype(np.uint8)
    stripes = drawn.copy()
    stripes[20:60, 20:60:2] = (255, 0, 0)
    save_moving(folders[0] / name, drawn, stripes, drawn - drawn // 4, drawn - drawn // 3)
    use_detectors(KeenDetector(FACE))
    output = anonymize(folders)
    assert check(output, against=folders[0]) == []
    use_detectors(FixedDetector(FACE))
    found = check(output, html=tmp_path / "found.html")
    assert [(finding.level, finding.frame) for finding in found] == [
        ("noted", 0), ("noted", 1), ("noted", 2), ("finding", 3),
    ]  # fmt: skip
    shutil.copy(folders[0] / name, output / name)
    kinds, texts = zip(*[(each.kind, each.text) for each in check(output, against=folders[0])], strict=True)
    assert "changed" not in kinds
    assert "face of the original is not hidden" in texts


ZONES = {"redact-zone": {"*": "0.1,0.1 0.9,0.1 0.9,0.4"}}


@pytest.mark.parametrize(
    ("options", "with_record"),
    [
        *(
            ({"method": method}, is_recorded)
            for method in ("gaussian", "solid", "image")
            for is_recorded in (True, False)
        ),
        ({"method": "inpaint"}, True),  # what it continues depends on all that is hidden, which the record says
    ],
)
def test_zones(folders: Folders, use_detectors: UseDetectors, options: dict[str, object], with_record: bool) -> None:
    """By the record, by the settings in the report where there is no record, and by the pixels of the original."""
    save(folders[0] / "a.png", noise(100, 200))
    use_detectors(KeenDetector(FACE))
    output = anonymize(folders, {**ZONES, **options, "write-detections": with_record})
    levels = {finding.level for finding in check(output, against=folders[0])}
    assert levels <= {"noted"}  # the surroundings that inpaint continues have as much detail as the face
    shutil.copy(folders[0] / "a.png", output)
    found = check(output)
    assert ("area", "recorded as redacted, but the pixels show detail") in [(one.kind, one.text) for one in found]
    assert "area of the original is not hidden" in texts_of(check(output, against=folders[0]))


def test_zones_that_only_the_gate_is_told_of(folders: Folders, redacted: Path) -> None:
    (finding, other) = check(redacted, **{"redact-zone": "0.5,0 1,0 1,1"})
    assert (finding.kind, finding.level, finding.box) == ("area", "finding", Box(50, 0, 100, 100))
    assert other.file == "sub/b.png"


def test_zones_in_animations_and_alpha_channels(folders: Folders, use_detectors: UseDetectors) -> None:
    first, second = (np.dstack([noise(60, 80, seed=seed), noise(60, 80, 1, seed + 5)]) for seed in (0, 1))
    save_moving(folders[0] / "a.png", first, second)
    save(folders[0] / "b.png", first)
    use_detectors(KeenDetector())
    output = anonymize(folders, {**ZONES, "method": "solid"})
    assert check(output, against=folders[0]) == []
    after = read_picture(output / "b.png")
    assert after.alpha is not None
    assert np.ptp(after.alpha[7:10, 30:70]) == 0
    save(output / "b.png", np.dstack([after.pixels, first[..., 3]]))
    assert "area of the original is not hidden" in texts_of(check(output, against=folders[0]))


def test_pages(folders: Folders, use_detectors: UseDetectors) -> None:
    """Nothing is hidden in the pages beside that with a face."""
    save_moving(folders[0] / "a.tif", noise(100, 100), flat(100, 100, 90), flat(80, 90, 50))
    use_detectors(KeenDetector(FACE))
    output = anonymize(folders)
    assert check(output, against=folders[0]) == []
    save_moving(output / "a.tif", noise(100, 100), flat(100, 100, 90))
    assert "another number of frames than its original" in texts_of(check(output, against=folders[0]))


def test_what_the_run_left_visible(folders: Folders, use_detectors: UseDetectors) -> None:
    save(folders[0] / "a.png", noise(100, 100))
    use_detectors(KeenDetector(FACE), KeenDetector(plate(70, 70, 90, 80), kinds=["plate"]))
    output = anonymize(folders, {"plate-method": "none", "exclude-zone": "0,0 1,0 1,0.1 0,0.1"})
    (finding,) = check(output)
    assert (finding.label, finding.box) == ("plate 0.90", plate(70, 70, 90, 80).box)
    assert finding.text == "recorded as redacted, but the pixels show detail"


@pytest.mark.parametrize(
    ("method", "names"),
    [
        *((method, ("a.png", "b.jpg")) for method in ("mosaic", "solid", "image")),
        ("inpaint", ("a.png", "b.png")),  # noise that JPEG changes would be continued in another way
    ],
)
def test_other_methods(folders: Folders, use_detectors: UseDetectors, method: str, names: tuple[str, ...]) -> None:
    for name in names:
        save(folders[0] / name, smooth(100, 100) // 2 + noise(100, 100) // 2)
    use_detectors(KeenDetector(FACE))
    output = anonymize(folders, {"method": method})
    use_detectors(FixedDetector(FACE))
    assert [finding.level for finding in check(output)] == ["noted", "noted"]


def test_a_baseline_is_written_of_what_can_be_accepted(folders: Folders, redacted: Path, tmp_path: Path) -> None:
    options = {"baseline": tmp_path / "known.json", "write_baseline": True}
    checked = check_file(file_in(folders[0] / "a.png"), html=tmp_path / "page.html", **options)
    assert checked.card is None  # nobody needs to look at what is accepted
    assert [finding.level for finding in checked.findings] == ["accepted"]
    assert [(entry.file, entry.kind) for entry in checked.accepted] == [("a.png", "face")]
    (folders[0] / "broken.png").write_bytes(b"broken")
    broken = check_file(file_in(folders[0] / "broken.png"), **options)
    assert [finding.level for finding in broken.findings] == ["finding"]
    assert broken.accepted == []


def test_annotated_copies_lie_where_the_files_lie(folders: Folders, redacted: Path, tmp_path: Path) -> None:
    check(folders[0], annotate=tmp_path / "marked")
    assert {path.relative_to(tmp_path / "marked").as_posix() for path in (tmp_path / "marked").rglob("*.jpg")} == {
        "a.png.jpg", "sub/b.png.jpg",
    }  # fmt: skip
    marked = load(tmp_path / "marked" / "sub" / "b.png.jpg")
    assert marked.shape == (100, 100, 3)
    assert np.abs(marked[30:50, 20].astype(int) - (255, 40, 40)).mean() < 60


def test_what_has_no_place_is_not_annotated(tmp_path: Path, use_detectors: UseDetectors) -> None:
    path = save(tmp_path / "in" / "a.jpg", smooth(40, 40))
    path.write_bytes(path.read_bytes() + b"behind")
    use_detectors(FixedDetector())
    assert kinds_of(check(path.parent, annotate=tmp_path / "marked")) == [("a.jpg", "trailing")]
    assert list((tmp_path / "marked").iterdir()) == []


@pytest.mark.parametrize("name", ["../up/a.png", "/up/a.png", "../../up/../a.png"])
def test_annotated_copies_never_lie_elsewhere(tmp_path: Path, use_detectors: UseDetectors, name: str) -> None:
    path = save(tmp_path / "in" / "a.png", noise(100, 100))
    use_detectors(FixedDetector(FACE))
    task = task_for(path.parent, annotate=tmp_path / "work" / "marked")
    task.begin()((0, InputFile(path.parent, path.name, name)))
    (copy,) = [each for each in tmp_path.rglob("*") if each.is_file() and each != path]
    assert copy.is_relative_to(tmp_path / "work" / "marked")
    assert copy.name == "a.png.jpg"


def test_an_annotated_copy_that_cannot_be_written(tmp_path: Path, use_detectors: UseDetectors) -> None:
    path = save(tmp_path / "in" / "a.png", noise(100, 100))
    use_detectors(FixedDetector(FACE))
    work = task_for(path.parent, annotate=tmp_path / "marked").begin()
    (tmp_path / "marked").touch()
    with pytest.raises(OutputError, match=r"a\.png\.jpg cannot be written"):
        work((0, file_in(path)))


@pytest.fixture
def some_task(tmp_path: Path) -> FileCheck:
    save(tmp_path / "in" / "a.png", smooth(8, 8))
    return task_for(tmp_path / "in", annotate=tmp_path / "marked", html=tmp_path / "page.html")


def test_a_file_that_is_given_up_is_unreadable(some_task: FileCheck, tmp_path: Path) -> None:
    file = InputFile(tmp_path / "in", "a.png", "a.png")
    checked = some_task.give_up((0, file), "took too long")
    assert checked.findings == [Finding("a.png", "unreadable", "cannot be checked: took too long")]
    assert checked.card is not None
    assert checked.card.findings == checked.findings
    assert task_for(tmp_path / "in").give_up((0, file), "took too long").card is None


def test_unfinished_copies_are_swept_and_nothing_else(
    some_task: FileCheck, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, use_detectors: UseDetectors
) -> None:
    def die(old: Path, new: Path) -> None:
        raise KeyboardInterrupt

    file = InputFile(tmp_path / "in", "a.png", "a.png")
    use_detectors(FixedDetector(face(1, 1, 5, 5)))
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", die)
        patch.setattr(Path, "unlink", lambda path, missing_ok=False: None)  # as if the process were gone
        with pytest.raises(KeyboardInterrupt):
            some_task.begin()((0, file))
    (partial,) = (tmp_path / "marked").iterdir()
    assert partial.suffix == ".partial"
    (tmp_path / "marked" / "a.png.jpg").touch()
    some_task.sweep((0, InputFile(tmp_path / "in", "b.png", "b.png")))
    assert partial.exists()
    some_task.sweep((0, file))
    assert [path.name for path in (tmp_path / "marked").iterdir()] == ["a.png.jpg"]


def test_without_a_model_no_work_begins(some_task: FileCheck, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anonymizer.check.thresholds.load_finder", load_nothing)
    with pytest.raises(ModelError, match="model net is damaged"):
        some_task.begin()


def test_the_task_and_its_answers_can_be_sent_to_other_processes(some_task: FileCheck, tmp_path: Path) -> None:
    answer = some_task.give_up((0, InputFile(tmp_path / "in", "a.png", "a.png")), "took too long")
    assert pickle.loads(pickle.dumps(some_task)) == some_task
    assert pickle.loads(pickle.dumps(answer)) == answer


def test_a_record_that_holds_nothing_covers_nothing(folders: Folders, redacted: Path) -> None:
    shutil.copy(folders[0] / "a.png", redacted / "a.png")
    (redacted / "a.json").write_text(json.dumps([]))
    assert texts_of(check_file(file_in(redacted / "a.png")).findings) == ["not redacted"]


class TallDetector:
    """Finds a face in pictures that are higher than wide, where the picture is not flat."""

    kinds = frozenset(["face"])

    def detect(self, picture: Pixels8) -> list[Detection]:
        is_seen = picture.shape[0] > picture.shape[1] and np.ptp(picture[10:30, 20:40]) > 150
        return [face(20, 10, 40, 30)] if is_seen else []


@pytest.mark.parametrize("stated", [None, 1, 6])
def test_what_is_seen_only_the_way_that_xmp_says_is_found(
    tmp_path: Path, use_detectors: UseDetectors, stated: int | None
) -> None:
    use_detectors(TallDetector())
    path = tmp_path / "in" / "a.jpg"
    path.parent.mkdir()
    path.write_bytes(sample("JPEG", noise(60, 90), xmp=stated))
    boxes = [finding.box for finding in check_file(file_in(path)).findings if finding.kind == "face"]
    assert boxes == ([Box(10, 20, 30, 40)] if stated == 6 else [])


@pytest.mark.parametrize("policy", ["strip", "keep"])
def test_outputs_agree_with_originals_in_doubt(folders: Folders, use_detectors: UseDetectors, policy: str) -> None:
    """Whatever states which orientation: outputs hide what is seen in any way, and nothing else differs."""
    can_read_heic()
    use_detectors(TallDetector())
    for file_format, carriers in CARRIERS.items():
        for carrier in carriers:
            if file_format != "HEIF" or "HEIF" in Image.SAVE:
                content = sample(file_format, smooth(64, 96), **{carrier: 6})
                (folders[0] / f"{file_format}-{carrier}.{FORMATS[file_format].extensions[0]}").write_bytes(content)
    output = anonymize(folders, {"metadata": policy})
    assert kinds_of(check(output, against=folders[0])) == []
