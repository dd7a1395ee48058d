import csv
import io

import pytest
from record.exports.exported import PICTURES

from anonymizer.errors import PictureError
from anonymizer.outlines import PolygonOutline
from anonymizer.record.exports.correction import compare
from anonymizer.record.exports.csv import CSV
from anonymizer.record.exports.values import ExportedPicture, ReadBox, ReadPicture
from anonymizer.types import Detection


def read(text: str) -> list[ReadPicture]:
    return list(CSV.read({"a.csv": text.encode()}, {}))


def test_what_is_written() -> None:
    lines = CSV.write(PICTURES, "out")["detections.csv"].decode().split("\r\n")
    assert lines[1:] == [
        "a/happy couple.jpg,800,533,face,0.93,10.5,20.25,110.5,150.75,,,,,,,",
        "a/happy couple.jpg,800,533,face,0.5,-3.7,40.123,80.2,150.9,7,-5,39,82,153,,",
        "b.png,512,500,,,,,,,,,,,,,",
        "cars & <more>/ä.jpg,960,640,plate,0.8,400.1,500.2,520.3,540.4,,,,,,,",
        "",
    ]


def test_what_others_write() -> None:
    """Excel's mark, few columns in another order, and a column of theirs."""
    assert read("\ufeffname,x_min,x_max,y_min,y_max,kind,mine\na.jpg,1,3,2,4,face,x\nb.jpg,,,,,,\n") == [
        ReadPicture("a.jpg", [ReadBox("line 2", "face", (1, 2, 3, 4))]),
        ReadPicture("b.jpg", []),
    ]


def test_missing_values() -> None:
    (picture,) = read("name,kind,x_min,y_min,x_max,y_max,score\na.jpg,face,1,2,3\na.jpg\n")
    assert picture.boxes[0].corners[3] != picture.boxes[0].corners[3]
    assert picture.boxes[1].kind == ""


def test_differing_sizes() -> None:
    head = "name,width,height,kind,x_min,y_min,x_max,y_max\n"
    (picture,) = read(f"{head}a.jpg,5,5,face,1,2,3,4\na.jpg,5,6,face,1,2,3,4\n")
    assert picture.problem == "its lines, from line 2 on, differ in width and height"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no column 'name'"),
        (b"name,kind\n", "has no column 'x_min'"),
        (b'name,kind,x_min,y_min,x_max,y_max\n"a', "is not CSV"),
        (b"\xff\xfe", "is not text in UTF-8"),
    ],
)
def test_other_files(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CSV.read({"a.csv": content}, {})
    with pytest.raises(ValueError, match="one CSV file is expected, not 2"):
        CSV.read({"a.csv": content, "b.csv": content}, {})


def test_outlines() -> None:
    shape = Detection.of(PolygonOutline(((1, 2), (30, 2), (5, 40))), "face", 0.5)
    text = CSV.write([ExportedPicture("a.jpg", (80, 60), [shape])], "out")["detections.csv"].decode()
    assert '"{""polygon"": [[1, 2], [30, 2], [5, 40]]}"' in text
    assert read(text)[0].boxes[0].outline == shape.outline
    for damaged in ("{}", "[", '{""polygon"": [[1, 2]]}'):
        (box,) = read(text.replace('{""polygon"": [[1, 2], [30, 2], [5, 40]]}', damaged))[0].boxes
        assert box.outline is None
        assert box.corners[0] != box.corners[0]


@pytest.mark.parametrize("silhouette", ["[", "{}", '{"ellipse": {"center": [1, 1], "semi_axes": [2, 2]}}'])
def test_a_damaged_silhouette_is_no_detection(silhouette: str) -> None:
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["name", "kind", "x_min", "y_min", "x_max", "y_max", "silhouette"])
    table.writerow(["a.jpg", "face", 1, 2, 3, 4, silhouette])
    (read,) = CSV.read({"a.csv": text.getvalue().encode()}, {})
    with pytest.raises(PictureError, match="not a number"):
        compare(CSV, ExportedPicture("a.jpg", (9, 9), []), read, {})
