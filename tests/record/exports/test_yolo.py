import pytest
from record.exports.exported import COUPLE, PICTURES

from anonymizer.record.exports.values import ReadPicture
from anonymizer.record.exports.yolo import YOLO

SIZES = {"a.jpg": (200, 100), "b.jpg": (200, 100)}
CONFIG = b"names: [person, plate]\n"


def read(**files: bytes) -> list[ReadPicture]:
    names = {"yaml": "data.yaml", "names": "obj.names", "list": "train.txt", "a": "labels/train/a.txt", "b": "b.txt"}
    return list(YOLO.read({names[key]: content for key, content in files.items()}, SIZES))


def test_what_is_written() -> None:
    files = YOLO.write(PICTURES, "out")
    assert list(files) == [
        "data.yaml", "labels/train/a/happy couple.txt", "labels/train/b.txt", "labels/train/cars & <more>/ä.txt",
    ]  # fmt: skip
    config = files["data.yaml"].decode()
    assert config.startswith("path: .\ntrain: images/train\nval: images/train\nnames:\n  0: face\n  1: plate\n")
    first = files["labels/train/a/happy couple.txt"].decode().splitlines()[0]
    assert first == "0 0.075625 0.160413 0.125000 0.244841"
    assert files["labels/train/b.txt"] == b""
    assert COUPLE.size == (800, 533)


def test_what_others_write() -> None:
    """A list of names, scores, blank lines, and a file of pictures."""
    (picture,) = read(yaml=CONFIG, a=b"\n0 0.5 0.5 0.25 0.5 0.7\r\n\n1 .5 .5 .1 .1", list=b"data/a.jpg\n")
    assert [(box.entry, box.kind, box.score) for box in picture.boxes] == [
        ("labels/train/a.txt, line 2", "person", 0.7),
        ("labels/train/a.txt, line 4", "plate", None),
    ]
    assert picture.boxes[0].corners == pytest.approx((75, 25, 125, 75))


def test_names_in_a_list() -> None:
    assert read(names=b"cat\nface\n", b=b"1 .5 .5 .1 .1")[0].boxes[0].kind == "face"


def test_unknown_classes() -> None:
    assert read(yaml=CONFIG, a=b"7 .5 .5 .1 .1")[0].boxes[0].kind == "class 7"


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"a": b"0 .5 .5 .1"}, "labels/train/a.txt, line 1 has not 5 fields, or 6 with a score"),
        ({"a": b"0 .1 .1 .2 .2 .3 .3"}, "labels/train/a.txt, line 1 has not 5 fields, or 6 with a score"),
        ({"a": b"\xff\xfe"}, "labels/train/a.txt is not text"),
    ],
)
def test_problems(files: dict[str, bytes], problem: str) -> None:
    assert read(yaml=CONFIG, **files) == [ReadPicture("a.jpg", problem=problem)]


def test_a_file_of_no_picture() -> None:
    files = {"data.yaml": CONFIG, "labels/train/x.txt": b""}
    assert YOLO.read(files, SIZES)[0].problem == "it is not named after one of the pictures"


@pytest.mark.parametrize("content", [b"", b"[]", b"a: [", b"1"])
def test_damaged_configuration(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"data.yaml is not the YAML of a data set"):
        read(yaml=content, a=b"")


def test_no_names() -> None:
    with pytest.raises(ValueError, match="which name the classes"):
        read(a=b"0 .5 .5 .1 .1")
