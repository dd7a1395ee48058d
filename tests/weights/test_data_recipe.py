"""Packs are made out of repositories that the tests draw: what is read, what is held back, what is left out."""

import io
import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import scipy.io
from click.testing import CliRunner
from PIL import Image

from weights.data import (
    celeba_mask,
    ealpr,
    fasseg,
    open_plates,
    prepare,
    scut_head,
    shanghaitech,
    squeezed,
    wider_train,
)
from weights.data.labels import BACKGROUND, BODY, FACE, HEAD, IGNORED, Labels
from weights.data.repository import Repository
from weights.data.sources import SOURCES
from weights.plate import data as plate_data

Files = Mapping[str, bytes]


def picture(seed: int, width: int = 96, height: int = 64, noise: int = 0) -> bytes:
    """A JPEG file: coarse cells of random colours, and some noise on them."""
    cells = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    pixels = cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC).astype(int)
    pixels += np.random.default_rng([seed, noise]).integers(-noise, noise + 1, pixels.shape)
    done, code = cv2.imencode(".jpg", pixels.clip(0, 255).astype(np.uint8))
    assert done
    return code.tobytes()


def voc(*objects: tuple[str, int, int, int, int]) -> bytes:
    boxes = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{x0}</xmin><xmax>{x1}</xmax><ymin>{y0}</ymin><ymax>{y1}</ymax>"
        "</bndbox></object>"
        for name, x0, y0, x1, y1 in objects
    )
    return f"<annotation><size><width>0</width></size>{boxes}</annotation>".encode()


def mat(**variables: Any) -> bytes:
    file = io.BytesIO()
    scipy.io.savemat(file, variables)
    return file.getvalue()


def points(*places: tuple[float, float]) -> bytes:
    heads = np.empty((1, 1), object)
    heads[0, 0] = {"location": np.array(places, float), "number": len(places)}
    return mat(image_info=heads)


@pytest.fixture
def repository(tmp_path: Path) -> Callable[[Files], Repository]:
    def make(files: Files) -> Repository:
        work = tmp_path / "work"
        for name, content in files.items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_bytes(content)
        bare = tmp_path / "bare.git"
        author = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
        for command in (
            ["git", "init", "-q", str(work)],
            ["git", "-C", str(work), "add", "-A"],
            ["git", "-C", str(work), *author, "commit", "-q", "-m", "files"],
            ["git", "clone", "-q", "--bare", str(work), str(bare)],
        ):
            subprocess.run(command, check=True)
        return Repository(bare)

    return make


def test_a_repository_is_read_without_a_checkout(repository: Callable[[Files], Repository]) -> None:
    read = repository({"a/b c.txt": b"one\n", "a/é.bin": bytes(range(256)), "d": b""})
    assert read.paths() == ["a/b c.txt", "a/é.bin", "d"]
    assert read.paths("a") == ["a/b c.txt", "a/é.bin"]
    assert list(read.read(["a/é.bin", "d"])) == [("a/é.bin", bytes(range(256))), ("d", b"")]
    with pytest.raises(FileNotFoundError, match=r"a/x is not in"):
        read.content("a/x")


def test_scut_head(repository: Callable[[Files], Repository]) -> None:
    boxes = voc(("head", 9, 8, 30, 20), ("hsad", 1, 1, 5, 5), ("head", 7, 7, 7, 9))
    names = ["PartA_02100", "PartB_02004", "PartB_02005", "PartB_02404", "PartB_02405"]
    files = {f"JPEGImages/{name}.jpg": b"" for name in names} | {f"Annotations/{name}.xml": boxes for name in names}
    found = list(scut_head.read(repository({**files, "JPEGImages/PartA_00001.jpg": b"", "README.md": b""})))
    assert [labels.name for labels in found] == ["PartA_02100.jpg", "PartB_02004.jpg", "PartB_02405.jpg"]
    assert [labels.group for labels in found] == ["scut_head/part_a", "scut_head/part_b", "scut_head/part_b"]
    assert found[0].boxes == [{"kind": "head", "x_min": 9, "y_min": 8, "x_max": 30, "y_max": 20, "ignore": False}]


def test_shanghaitech(repository: Callable[[Files], Repository]) -> None:
    files = {
        "part_A/train_data/images/IMG_1.jpg": b"",
        "part_A/train_data/ground-truth/GT_IMG_1.mat": points((1.5, 2), (30, 4)),
        "part_A/test_data/images/IMG_2.jpg": b"",
        "part_A/test_data/ground-truth/GT_IMG_2.mat": b"held back: whoever opens it fails",
        "part_B/train_data/images/IMG_2.jpg": b"",
        "part_B/train_data/ground-truth/GT_IMG_2.mat": points((5, 6)),
        "part_B/train_data/images/Thumbs.db": b"",
    }
    found = list(shanghaitech.read(repository(files)))
    assert [(labels.name, labels.group) for labels in found] == [
        ("A_IMG_1.jpg", "shanghaitech/part_a"),
        ("B_IMG_2.jpg", "shanghaitech/part_b"),
    ]
    assert found[0].head_points == [(1.5, 2), (30, 4)]


def test_wider_train(repository: Callable[[Files], Repository]) -> None:
    def cell(*values: Any) -> np.ndarray:
        column = np.empty((len(values), 1), object)
        column[:, 0] = values
        return column

    faces = np.array([[4, 5, 20, 30], [1, 1, 9, 30], [1, 1, 0, 3], [2, 2, 12, 12]])
    flags = {f"{flag}_label_list": cell(cell(np.zeros((4, 1), int))) for flag in ("blur", "occlusion", "pose")}
    table = mat(
        event_list=cell("4--Dancing"),
        file_list=cell(cell("4_Dancing_1")),
        face_bbx_list=cell(cell(faces)),
        invalid_label_list=cell(cell(np.array([[0], [0], [0], [1]]))),
        **flags,
    )
    files = {
        wider_train.LABELS: table,
        "data/WIDER_train/images/4--Dancing/4_Dancing_1.jpg": b"",
        "data/WIDER_val/images/4--Dancing/4_Dancing_2.jpg": b"",
    }
    (found,) = wider_train.read(repository(files))
    assert [(box["x_max"], box["y_max"], box["ignore"]) for box in found.boxes] == [
        (24, 35, False),
        (10, 31, True),
        (14, 14, True),
    ]


def test_open_plates(repository: Callable[[Files], Repository]) -> None:
    stems = [f"street{i}" for i in range(40)]
    files: dict[str, bytes] = {"LP_Detection/train/unlabelled.jpg": b""}
    for i, stem in enumerate(stems):
        folder = "valid" if i % 2 else "train"
        files[f"LP_Detection/{folder}/{stem}.jpg"] = b""
        files[f"LP_Detection/train/{stem}.jpg"] = b""
        files[f"LP_Detection/{folder}labels/{stem}.xml"] = voc(("0", 3, 4, 40, 20))
    found = list(open_plates.read(repository(files)))
    held_back = {stem for stem in stems if open_plates.is_held_back(stem)}
    assert held_back
    assert sorted(labels.name for labels in found) == sorted(f"{stem}.jpg" for stem in set(stems) - held_back)
    assert all(len(labels.boxes) == 1 for labels in found)


def test_ealpr(repository: Callable[[Files], Repository]) -> None:
    pictures, labels = "EALPR Vechicles dataset/Vehicles", ealpr.LABELS
    files = {f"{pictures}/{name}": picture(1, width=100, height=50) for name in ("0001.jpg", "0002.JPG", "0003.jpeg")}
    files |= {f"{labels}/0001.txt": b"0 0.5 0.4 0.2 0.1\n1 0.1 0.1 0.1 0.1\n", f"{labels}/0002.txt": b""}
    files |= {f"{labels}/0003.txt": b"0 0.5 0.5 1.0 1.0", f"{labels}/classes.txt": b"plate"}
    found = list(ealpr.read(repository({**files, f"{pictures}/0004.jpg": b"", f"{labels}/0004.txt": b"damaged"})))
    assert [read.name for read in found] == ["0001.jpg", "0003.jpeg"]
    assert not found[0].exhaustive
    corners = [[box[side] for side in ("x_min", "y_min", "x_max", "y_max")] for box in found[0].boxes]
    assert np.allclose(corners, [[40, 17.5, 60, 22.5], [5, 2.5, 15, 7.5]])


def test_squeezed_copies(tmp_path: Path) -> None:
    pack, out = tmp_path / "pack", tmp_path / "out"
    pack.mkdir()
    entries = []
    for i in range(12):
        (pack / f"{i}.jpg").write_bytes(picture(i, width=96, height=64))
        box = {"kind": "plate", "x_min": 24, "y_min": 16, "x_max": 72, "y_max": 32, "ignore": False}
        speck = {"kind": "plate", "x_min": 1, "y_min": 1, "x_max": 20, "y_max": 6, "ignore": False}
        entries.append({"image": f"{i}.jpg", "width": 96, "height": 64, "boxes": [box, speck], "group": "g"})
    entries[0]["part"] = "held_out"
    (pack / "annotations.json").write_text(json.dumps(entries))
    result = CliRunner().invoke(squeezed.main, [str(pack), str(out), "--side", "32", "--side", "48"])
    assert result.exit_code == 0, result.output
    copies, originals = plate_data.read_pack(out), plate_data.read_pack(pack)
    assert len(copies) == 24
    assert copies[0].boxes.tolist() == [[8, 8, 24, 16], [pytest.approx(1 / 3), 0.5, pytest.approx(20 / 3), 3]]
    assert copies[0].ignore.tolist() == [False, True]
    assert [plate_data.decode(copy.path).shape for copy in copies[:2]] == [(32, 32, 3), (48, 48, 3)]
    parts = [plate_data.is_held_out(row) for row in originals]
    assert parts[0]
    assert [plate_data.is_held_out(copy) for copy in copies] == [part for part in parts for _ in range(2)]


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_celeba_mask(repository: Callable[[Files], Repository]) -> None:
    stems = [f"{i:032x}" for i in range(40)]
    files = {f"{celeba_mask.FOLDER}/images/{stem}.jpg": b"" for stem in stems}
    files |= {f"{celeba_mask.FOLDER}/masks/{stem}.png": b"" for stem in stems[1:]}
    other = "CelebAMask_Face_Parsing/test-public"
    found = list(celeba_mask.read(repository({**files, f"{other}/images/a.jpg": b"", f"{other}/masks/a.png": b""})))
    held_back = {stem for stem in stems if celeba_mask.is_held_back(f"{stem}.jpg")}
    assert held_back
    assert {Path(labels.name).stem for labels in found} == set(stems[1:]) - held_back
    assert found[0].mask == f"{celeba_mask.FOLDER}/masks/{Path(found[0].name).stem}.png"


def test_masks_of_celeba_mask() -> None:
    classes = Image.fromarray(np.array([[0, 1, 7, 8, 12], [13, 14, 15, 17, 18]], np.uint8), "L")
    classes = classes.convert("P")
    file = io.BytesIO()
    classes.save(file, "PNG")
    expected = [[BACKGROUND, FACE, FACE, HEAD, FACE], [HEAD, HEAD, IGNORED, BODY, BODY]]
    assert celeba_mask.to_mask(file.getvalue()).tolist() == expected


def test_fasseg(repository: Callable[[Files], Repository]) -> None:
    files = {
        **{
            "V2/Train_RGB/1.bmp": b"",
            "V2/Train_Labels/1.bmp": b"",
            "V2/Test_RGB/1.bmp": b"",
            "V2/Test_Labels/1.bmp": b"",
        },
        **{f"V3/Train_RGB/{way}/personne04148{way}.bmp": b"" for way in ("+15", "-90", "0")},
        **{f"V3/Train_labels/{way}/personne04148{way}.bmp": b"" for way in ("+15", "-90")},
        **{"V1/Train_RGB/1.bmp": b"", "V1/Train_Labels/1.bmp": b""},
    }
    found = list(fasseg.read(repository(files)))
    assert [labels.name for labels in found] == [
        "V2_1.png",
        "V3_+15_personne04148+15.png",
        "V3_-90_personne04148-90.png",
    ]
    assert [labels.scene for labels in found] == ["V2/1", "V3/04", "V3/04"]


def test_masks_of_fasseg_do_not_know_the_neck() -> None:
    red, brown, yellow, blue, green = fasseg.COLOURS[[0, 1, 2, 3, 5]]
    column = [red, brown, yellow, blue, yellow, yellow, yellow, green, yellow, yellow, yellow, yellow]
    pixels = np.repeat(np.array(column, np.uint8)[:, np.newaxis], 3, axis=1)
    mask = fasseg.to_mask(png(pixels + np.uint8(1) * (pixels < 255)))
    assert mask[:, 0].tolist() == [BACKGROUND, HEAD, *[FACE] * 7, *[IGNORED] * 3]


def test_a_pack_has_the_masks_of_its_source(tmp_path: Path, repository: Callable[[Files], Repository]) -> None:
    stems = [stem for stem in (f"{i:032x}" for i in range(6)) if not celeba_mask.is_held_back(stem)]
    mask = png(np.full((64, 96), 1, np.uint8))
    files = {f"{celeba_mask.FOLDER}/images/{stem}.jpg": picture(i) for i, stem in enumerate(stems)}
    files |= {f"{celeba_mask.FOLDER}/masks/{stem}.png": mask for stem in stems}
    read = repository(files)
    entries = prepare.prepare(
        "celeba_mask", SOURCES["celeba_mask"], read, tmp_path / "pack", np.zeros((0, 256), bool), prepare.Counts()
    )
    assert len(entries) == len(stems)
    for entry in entries:
        with Image.open(tmp_path / "pack" / entry["mask"]) as stored:
            assert (np.asarray(stored) == FACE).all()


def test_boxes_are_cut_at_the_edges_of_the_picture() -> None:
    boxes = [
        {"kind": "head", "x_min": -4, "y_min": 2, "x_max": 10, "y_max": 99, "ignore": False},
        {"kind": "head", "x_min": 80, "y_min": 2, "x_max": 90, "y_max": 9, "ignore": False},
    ]
    labels = Labels("a.jpg", "a.jpg", "g", ("head",), boxes, head_points=[(3, 4), (-1, 4)])
    entry = prepare.entry_of(labels, 80, 60, SOURCES["scut_head"])
    assert [list(box.values())[1:5] for box in entry["boxes"]] == [[0, 2, 10, 60]]
    assert entry["head_points"] == [[3, 4]]


def test_scenes_are_chains() -> None:
    marks = np.zeros((5, 256), bool)
    marks[1, :200] = True
    marks[2, :70] = True  # near the first
    marks[3, :135] = True  # near the third and the second: all are one
    marks[4, 100:256] = True
    assert prepare.scenes(marks) == [0, 0, 0, 0, 4]


def test_the_command_makes_a_pack(tmp_path: Path, repository: Callable[[Files], Repository]) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "judge.jpg").write_bytes(picture(3, width=40, height=40))  # squeezed
    files: dict[str, bytes] = {}
    for i in range(24):
        files[f"JPEGImages/PartB_{i:05}.jpg"] = picture(i)
    files["JPEGImages/PartB_00030.jpg"] = picture(7, noise=3)
    files["JPEGImages/PartB_00031.jpg"] = b"damaged"
    for name in [path.replace("JPEGImages", "Annotations").replace("jpg", "xml") for path in files]:
        files[name] = voc(("head", 10, 8, 30, 20))
    source = f"scut_head={repository(files).folder}"
    out = tmp_path / "out"
    result = CliRunner().invoke(prepare.main, [str(out), "--source", source, "--exclude", str(tests)])
    assert result.exit_code == 0, result.output
    counts = json.loads(result.output.splitlines()[-1].removeprefix("scut_head: "))
    assert (counts["read"], counts["unreadable"], counts["like_tests"], counts["repeated"]) == (26, 1, 1, 1)

    pack = out / "scut_head"
    entries = json.loads((pack / "annotations.json").read_text())
    assert len(entries) == counts["kept"] == 23
    assert not [entry for entry in entries if entry["image"].endswith(("00003.jpg", "00030.jpg"))]
    assert {entry["part"] for entry in entries} == {"train", "held_out"}
    for entry in entries:
        assert (entry["width"], entry["height"]) == (96, 64)
        assert (pack / entry["image"]).read_bytes() == files[f"JPEGImages/{entry['image'].rsplit('/')[-1]}"]
    assert "academic" in (pack / "LICENCE.txt").read_text()


def test_an_unknown_source_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(prepare.main, [str(tmp_path / "out"), "--source", f"faces={tmp_path}"])
    assert result.exit_code == 2
    assert "scut_head" in result.output
