"""Faces that were labelled by hand become a pack; the pictures of the tests are empty files."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from weights.face import data, scut_faces

HEADS = [[0, 0, 20, 24], [30, 0, 50, 24], [60, 0, 80, 24]]


def an_entry(image: str = "images/a.jpg") -> dict[str, object]:
    sides = ("x_min", "y_min", "x_max", "y_max")
    boxes = [{"kind": "head", **dict(zip(sides, head, strict=True)), "ignore": False} for head in HEADS]
    entry = {"image": image, "width": 100, "height": 50, "group": "scut_head/part_b", "boxes": boxes}
    return {**entry, "annotated": ["head"], "exhaustive": True, "part": "held_out"}


def write_pack(folder: Path, images: tuple[str, ...]) -> Path:
    for image in images:
        (folder / image).parent.mkdir(parents=True, exist_ok=True)
        (folder / image).write_bytes(image.encode())
    (folder / "annotations.json").write_text(json.dumps([an_entry(image) for image in images]))
    (folder / "LICENCE.txt").write_text("research")
    return folder


def test_labelled_heads_become_a_pack_of_faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = {"images/b.jpg": {"heads": "-?f", "faces": [[62, 5, 78, 22]], "ignore": [[90, 0, 99, 9]]}}
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    monkeypatch.setattr(scut_faces, "LABELS", tmp_path / "labels.json")
    pack = write_pack(tmp_path / "pack", ("images/a.jpg", "images/b.jpg"))

    result = CliRunner().invoke(scut_faces.main, [str(pack), str(tmp_path / "out")], catch_exceptions=False)

    assert result.output == "1 pictures, 1 faces\n"
    assert (tmp_path / "out" / "images" / "b.jpg").read_bytes() == b"images/b.jpg"
    assert not (tmp_path / "out" / "images" / "a.jpg").exists()
    assert (tmp_path / "out" / "LICENCE.txt").read_text() == "research"
    (row,) = data.read_faces(tmp_path / "out", "held_out")
    assert row.boxes.tolist() == [[62, 5, 78, 22], HEADS[1], [90, 0, 99, 9]]
    assert row.ignore.tolist() == [False, True, True]
    (entry,) = json.loads((tmp_path / "out" / "annotations.json").read_text())
    assert entry["annotated"] == ["face"]
    assert entry["group"] == scut_faces.GROUP
    assert entry["exhaustive"]


@pytest.mark.parametrize(("heads", "faces"), [("f-", 1), ("f--", 0), ("x--", 0)])
def test_a_label_of_other_heads_is_refused(heads: str, faces: int) -> None:
    with pytest.raises(ValueError, match=r"images/a\.jpg"):
        scut_faces.labelled(an_entry(), {"heads": heads, "faces": [[0, 0, 9, 9]] * faces})


def test_a_pack_without_a_labelled_picture_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        scut_faces.main, [str(write_pack(tmp_path / "pack", ("images/a.jpg",))), str(tmp_path / "out")]
    )
    assert result.exit_code == 1
    assert "are not in the pack" in result.output
    assert not (tmp_path / "out").exists()


def test_the_labels_are_whole() -> None:
    labels = json.loads(scut_faces.LABELS.read_text())
    for image, label in labels.items():
        assert image.startswith("images/scut_head/part_b/"), image
        assert label["heads"].count(scut_faces.SEEN) == len(label["faces"]), image
        assert not set(label["heads"]) - {scut_faces.SEEN, scut_faces.HIDDEN, scut_faces.UNCLEAR}, image
        for x_min, y_min, x_max, y_max in label["faces"] + label.get("ignore", []):
            assert min(x_max - x_min, y_max - y_min) > 0, image
