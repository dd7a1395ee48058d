import json
from pathlib import Path

import pytest

from anonymizer.audit.labels import Label, read_labels
from anonymizer.errors import SettingsError
from anonymizer.geometry import Box

BOX = {"x_min": 1, "y_min": 2, "x_max": 5, "y_max": 9}


def write(folder: Path, entries: object) -> None:
    (folder / "annotations.json").write_text(json.dumps(entries))


def test_labels_say_what_is_where(tmp_path: Path) -> None:
    boxes = [
        {"kind": "plate", **BOX, "text": "AB 1"},
        {"kind": "face", **BOX, "ignore": True},
        {"kind": "unicorn", **BOX},
    ]
    write(tmp_path, [{"image": "a.png", "group": "plates/eu", "boxes": boxes}, {"image": "b.png", "boxes": []}])
    first, second = read_labels(tmp_path)
    assert first.name == "a.png"
    assert first.labels == [Label("plate", Box(y_min=2, x_min=1, y_max=9, x_max=5), "AB 1")]
    assert second.labels == []
    assert [one.name for one in read_labels(tmp_path, "plates")] == ["a.png"]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ("text", "is damaged"),
        ([{"boxes": []}], "is damaged"),
        ([{"image": "a.png", "boxes": [{"kind": "face"}]}], "is damaged"),
        ([], "names no picture"),
    ],
)
def test_damaged_labels_are_refused(tmp_path: Path, entries: object, message: str) -> None:
    write(tmp_path, entries)
    with pytest.raises(SettingsError, match=message):
        read_labels(tmp_path)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"annotations\.json"):
        read_labels(tmp_path)
    write(tmp_path, [{"image": "a.png", "group": "faces", "boxes": []}])
    with pytest.raises(SettingsError, match="of the group plates"):
        read_labels(tmp_path, "plates")
