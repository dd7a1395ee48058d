import pytest
from record.exports.exported import PICTURES

from anonymizer.record.exports.kitti import KITTI
from anonymizer.record.exports.values import ReadBox, ReadPicture

SIZES = {"a.jpg": (200, 100)}
REST = b"-1 -1 -1 -1000 -1000 -1000 -10"


def test_what_is_written() -> None:
    files = KITTI.write(PICTURES, "out")
    assert list(files) == ["label_2/a/happy couple.txt", "label_2/b.txt", "label_2/cars & <more>/ä.txt"]
    assert files["label_2/a/happy couple.txt"].decode().splitlines() == [
        "face -1 -1 -10 10.50 20.25 110.50 150.75 -1 -1 -1 -1000 -1000 -1000 -10",
        "face -1 -1 -10 0.00 40.12 80.20 150.90 -1 -1 -1 -1000 -1000 -1000 -10",
    ]
    assert files["label_2/b.txt"] == b""


def test_results_have_a_score() -> None:
    lines = b"Car 0.00 0 -1.5 1 2 3 4 " + REST + b" 0.7\n\n"
    assert KITTI.read({"a.txt": lines}, SIZES) == [
        ReadPicture("a.jpg", [ReadBox("a.txt, line 1", "Car", (1, 2, 3, 4), 0.7)])
    ]


@pytest.mark.parametrize(
    ("file", "content", "name", "problem"),
    [
        ("a.txt", b"face 1 2 3 4", "a.jpg", "a.txt, line 1 has not 15 fields, or 16 with a score"),
        ("a.txt", b"my face 0 0 0 1 2 3 4 0.5 " + REST, "a.jpg", "a.txt, line 1 has not 15 fields, or 16 with a score"),
        ("a.txt", b"\xff", "a.jpg", "a.txt is not text"),
        ("x.txt", b"", "x.txt", "it is not named after one of the pictures"),
    ],
)
def test_problems(file: str, content: bytes, name: str, problem: str) -> None:
    assert KITTI.read({file: content}, SIZES) == [ReadPicture(name, problem=problem)]
