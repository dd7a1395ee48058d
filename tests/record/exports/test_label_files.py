import pytest

from anonymizer.record.exports.label_files import by_stem, label_file, picture_of, stem_of

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
