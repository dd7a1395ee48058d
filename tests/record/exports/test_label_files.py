import pytest

from anonymizer.record.exports.label_files import by_stem, label_file, picture_of, read_lines, stem_of
from anonymizer.record.exports.values import ReadBox

STEMS = by_stem(["a.jpg", "train/b.png", "c/d.e.jpg", "labels/f.jpg"])


def test_label_file() -> None:
    assert label_file("c/d.e.jpg", ".txt") == "c/d.e.txt"
    assert stem_of("a.jpg") == "a"


def test_pictures_that_share_a_label_file_have_none() -> None:
    assert by_stem(["a.jpg", "a.png", "b/a.png", "b.png"]) == {"b/a": "b/a.png", "b": "b.png"}


@pytest.mark.parametrize(
    ("file", "picture"),
    [
        ("a.txt", "a.jpg"),
        ("labels/a.txt", "a.jpg"),
        ("labels/train/a.txt", "a.jpg"),
        ("export/labels/val/c/d.e.txt", "c/d.e.jpg"),
        ("labels/train/b.txt", "train/b.png"),
        ("labels/train/train/b.txt", "train/b.png"),
        ("labels/train/labels/f.txt", "labels/f.jpg"),
        ("train/b.txt", "train/b.png"),
        ("obj_train_data/a.txt", "a.jpg"),
        ("labels/x.txt", None),
        ("labels/b.txt", None),
    ],
)
def test_picture_of(file: str, picture: str | None) -> None:
    assert picture_of(file, ("labels", "obj_train_data"), STEMS) == picture


def test_a_line_is_an_object_with_or_without_a_score() -> None:
    def to_box(entry: str, fields: list[str]) -> ReadBox:
        return ReadBox(entry, fields[0], (0, 0, 1, 1))

    read = read_lines("a.txt", b"face 1\n\nplate 2 0.5\n", "a.jpg", 2, to_box)
    assert [(box.entry, box.kind, box.score) for box in read.boxes] == [
        ("a.txt, line 1", "face", None),
        ("a.txt, line 3", "plate", 0.5),
    ]
    wrong = read_lines("a.txt", b"face\n", "a.jpg", 2, to_box)
    assert wrong.problem == "a.txt, line 1 has not 2 fields, or 3 with a score"
    assert read_lines("a.txt", b"\xff", "a.jpg", 2, to_box).problem == "a.txt is not text"
    assert read_lines("a.txt", b"", None, 2, to_box).name == "a.txt"
