import pytest
from record.exports.exported import COUPLE, PICTURES

from anonymizer.record.exports.values import ReadBox, ReadPicture
from anonymizer.record.exports.voc import VOC

SIZES = {"sub/a.jpg": (200, 100)}


def read(text: str, file: str = "sub/a.xml") -> ReadPicture:
    (picture,) = VOC.read({file: text.encode()}, SIZES)
    return picture


def test_what_is_written() -> None:
    files = VOC.write(PICTURES, "out")
    assert list(files) == [
        "Annotations/a/happy couple.xml", "Annotations/b.xml", "Annotations/cars & <more>/ä.xml",
    ]  # fmt: skip
    text = files["Annotations/a/happy couple.xml"].decode()
    assert "<folder>out</folder>\n  <filename>a/happy couple.jpg</filename>" in text
    assert "<width>800</width>\n    <height>533</height>" in text
    assert COUPLE.detections[1].box.xyxy == (-3.7, 40.123, 80.2, 150.9)
    corners = [line.strip() for line in text.splitlines() if "min" in line or "max" in line][4:]
    assert corners == ["<xmin>0</xmin>", "<ymin>40</ymin>", "<xmax>81</xmax>", "<ymax>151</ymax>"]


def test_what_labelimg_writes() -> None:
    """The name of the file without folders."""
    box = "<bndbox><xmin>1</xmin><ymin>2.5</ymin><xmax>3</xmax><ymax>x</ymax></bndbox>"
    picture = read(
        "<annotation><folder>sub</folder><filename>a.jpg</filename><size><width>200</width><height>100</height></size>"
        f"<object><name>face</name>{box}</object><object/></annotation>"
    )
    assert (picture.name, picture.size) == ("sub/a.jpg", (200, 100))
    assert isinstance(picture.boxes[0], ReadBox)
    assert picture.boxes[0].entry == "sub/a.xml, object 1"
    assert picture.boxes[0].corners[:3] == (1, 2.5, 3)
    assert picture.boxes[0].corners[3] != picture.boxes[0].corners[3]
    assert picture.boxes[1].kind == ""


def test_other_names() -> None:
    assert read("<annotation><filename>b.jpg</filename></annotation>").name == "b.jpg"
    assert read("<annotation/>").name == "sub/a.xml"


@pytest.mark.parametrize("text", ["", "<annotation>", "no"])
def test_damaged(text: str) -> None:
    picture = read(text)
    assert picture.name == "sub/a.jpg"
    assert picture.problem is not None
    assert picture.problem.startswith("sub/a.xml is truncated or not XML")


def test_another_format() -> None:
    assert read("<annotations/>").problem == "sub/a.xml is not of Pascal VOC: its root is not <annotation>"
