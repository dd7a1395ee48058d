import pytest
from record.exports.exported import PICTURES

from anonymizer.outlines import EllipseOutline, PolygonOutline, StrokeOutline
from anonymizer.record.exports.cvat import CVAT
from anonymizer.record.exports.values import ExportedPicture, ReadBox, ReadPicture
from anonymizer.types import Detection


def read(shapes: str) -> ReadPicture:
    text = f'<annotations><image id="0" name="a.jpg" width="200" height="100">{shapes}</image></annotations>'
    (picture,) = CVAT.read({"a.xml": text.encode()}, {})
    return picture


def test_what_is_written() -> None:
    text = CVAT.write(PICTURES, "out")["annotations.xml"].decode()
    assert "<version>1.1</version>" in text
    assert '<image id="1" name="b.png" width="512" height="500" />' in text
    assert 'name="cars &amp; &lt;more&gt;/ä.jpg"' in text
    assert (
        '<box label="face" source="auto" occluded="0" xtl="0.00" ytl="40.12" xbr="80.20" ybr="150.90" z_order="0">\n'
        '      <attribute name="score">0.5</attribute>\n      <attribute name="track">7</attribute>\n' in text
    )


@pytest.mark.parametrize(
    ("shape", "corners"),
    [
        ('<box label="face" xtl="1" ytl="2" xbr="30.5" ybr="40.25" occluded="0"/>', (1, 2, 30.5, 40.25)),
        ('<box label="face" xtl="0" ytl="0" xbr="40" ybr="20" rotation="90"/>', (10, -10, 30, 30)),
        ('<ellipse label="face" cx="50" cy="40" rx="10" ry="20"/>', (40, 20, 60, 60)),
        ('<ellipse label="face" cx="50" cy="40" rx="10" ry="20" rotation="90.0"/>', (30, 30, 70, 50)),
        ('<polygon label="face" points="1.5,2;3,9.25;0.5,4"/>', (0.5, 2, 3, 9.25)),
        ('<mask label="face" rle="1, 2" left="3" top="4" width="10" height="20"/>', (3, 4, 13, 24)),
    ],
)
def test_shapes(shape: str, corners: tuple[float, ...]) -> None:
    """Polygons and ellipses keep their shape, anything else is taken for the upright box around it."""
    (box,) = read(shape).boxes
    assert (box.outline is not None) == shape.startswith(("<polygon", "<ellipse"))
    assert box.kind == "face"
    assert box.corners == pytest.approx(corners)


def test_attributes() -> None:
    box = '<box label="face" xtl="1" ytl="2" xbr="3" ybr="4">'
    texts = [("0.5", "7"), ("", ""), ("x", "-1")]
    shapes = "".join(
        f'{box}<attribute name="score">{score}</attribute><attribute name="track">{track}</attribute></box>'
        for score, track in texts
    )
    first, second, third = read(shapes).boxes
    assert first == ReadBox("object 1", "face", (1, 2, 3, 4), 0.5, 7)
    assert (second.score, second.track) == (None, None)
    assert third.score is not None
    assert third.score != third.score
    assert third.track is None


@pytest.mark.parametrize("tag", ["polyline", "points", "skeleton", "cuboid", "tag"])
def test_what_cannot_be_hidden(tag: str) -> None:
    problem = f"object 2: a <{tag}> cannot be hidden"
    assert read(f'<box label="face" xtl="1" ytl="2" xbr="3" ybr="4"/><{tag} label="face"/>').problem == problem


@pytest.mark.parametrize(
    "shape",
    [
        '<box label="face" xtl="1"/>',
        '<polygon label="face"/>',
        '<polygon label="face" points="1,2;3,4"/>',
        '<ellipse label="face" cx="1" cy="1" rx="0" ry="1"/>',
        '<mask label="face"/>',
    ],
)
def test_missing_numbers(shape: str) -> None:
    (box,) = read(shape).boxes
    assert any(corner != corner for corner in box.corners)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "one XML file is expected, not 0"),
        ({"a": b"<annotation/>"}, "is not of CVAT"),
        ({"a": b"<annotations><track/></annotations>"}, "is of a film"),
        ({"a": b"<annotations>"}, "truncated or not XML"),
    ],
)
def test_other_files(files: dict[str, bytes], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CVAT.read(files, {})


def test_outlines_are_written() -> None:
    shapes = [
        Detection.of(PolygonOutline(((1.111, 2), (30, 2), (5, 40))), "face", 0.5),
        Detection.of(EllipseOutline((50, 40), (10, 20), -30), "plate"),
        Detection.of(StrokeOutline(((5, 5), (9, 9)), 4), "face"),
    ]
    text = CVAT.write([ExportedPicture("a.jpg", (200, 100), shapes)], "out")["annotations.xml"].decode()
    assert '<polygon label="face" source="auto" occluded="0" points="1.11,2.00;30.00,2.00;5.00,40.00" z_order' in text
    assert 'cx="50.00" cy="40.00" rx="10.00" ry="20.00" rotation="330.00"' in text
    assert 'xtl="3.00" ytl="3.00" xbr="11.00" ybr="11.00"' in text, "a stroke is written as its box"
