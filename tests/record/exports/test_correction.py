from dataclasses import replace

import pytest
from fakes import face, plate
from record.exports.exported import COUPLE

from anonymizer.errors import PictureError
from anonymizer.geometry import Box
from anonymizer.outlines import EllipseOutline, PolygonOutline
from anonymizer.record.exports.coco import COCO
from anonymizer.record.exports.correction import check_exportable, compare
from anonymizer.record.exports.csv import CSV
from anonymizer.record.exports.cvat import CVAT
from anonymizer.record.exports.values import ExportedPicture, ReadBox, ReadPicture
from anonymizer.record.exports.voc import VOC
from anonymizer.types import DRAWN_SCORE, Detection

PICTURE = ExportedPicture("a.jpg", (200, 100), [face(10.2, 10.4, 20.6, 30.8, 0.7), plate(50, 50, 90, 70, 0.6)])


def said(*boxes: ReadBox, size: tuple[float, float] | None = None) -> ReadPicture:
    return ReadPicture("a.jpg", boxes, size)


def error_of(box: ReadBox) -> str:
    with pytest.raises(PictureError) as caught:
        compare(COCO, PICTURE, said(box), {})
    return str(caught.value)


def test_order_does_not_matter() -> None:
    plate_box = ReadBox("1", "plate", (50, 50, 90, 70), 0.6)
    face_box = ReadBox("2", "face", (10.2, 10.4, 20.6, 30.8), 0.7)
    assert compare(COCO, PICTURE, said(plate_box, face_box), {}).kept == [0, 1]


def test_unchanged_within_the_precision() -> None:
    assert compare(VOC, PICTURE, said(ReadBox("1", "face", (10, 10, 21, 31))), {}).kept == [0]
    assert compare(VOC, PICTURE, said(ReadBox("1", "face", (10, 10, 22, 31))), {}).kept == []
    assert compare(CVAT, PICTURE, said(ReadBox("1", "face", (10.2, 10.4, 20.6, 30.8))), {}).kept == [0]
    assert compare(CVAT, PICTURE, said(ReadBox("1", "face", (10.21, 10.4, 20.6, 30.8))), {}).kept == []


def test_changed() -> None:
    """What a person drew is sure, what a file says has its score; the extent of the old box is gone."""
    recorded = replace(PICTURE, detections=[replace(PICTURE.detections[0], extent=Box(0, 0, 40, 40))])
    correction = compare(COCO, recorded, said(ReadBox("1", "face", (9, 10, 21, 31))), {})
    assert correction.removed == recorded.detections
    assert correction.added == [face(9, 10, 21, 31, 1.0)]
    correction = compare(COCO, recorded, said(ReadBox("1", "face", (9, 10, 21, 31), 0.4, 3)), {})
    assert correction.added == [replace(face(9, 10, 21, 31, 0.4), track=3)]


@pytest.mark.parametrize(
    "changed",
    [
        ReadBox("1", "plate", (10.2, 10.4, 20.6, 30.8), 0.7),
        ReadBox("1", "face", (10.2, 10.4, 20.6, 30.8), 0.71),
        ReadBox("1", "face", (10.2, 10.4, 20.6, 30.8), 0.7, track=1),
        ReadBox("1", "face", (10.2, 10.4, 20.6, 30.8), 0.7, extent=(1, 1, 50, 50)),
    ],
)
def test_what_counts_as_changed(changed: ReadBox) -> None:
    correction = compare(COCO, PICTURE, said(changed), {})
    assert not correction.kept
    assert len(correction.added) == 1


def test_extents_that_a_format_holds() -> None:
    extent = (1.0, 1.0, 50.0, 50.0)
    correction = compare(CSV, PICTURE, said(ReadBox("1", "face", (10, 10, 20, 30), extent=extent)), {})
    assert correction.added[0].extent == Box(1, 1, 50, 50)


def test_the_same_box_twice() -> None:
    """Each recorded detection is used once."""
    box = ReadBox("1", "face", (10.2, 10.4, 20.6, 30.8), 0.7)
    correction = compare(COCO, PICTURE, said(box, box), {})
    assert correction.kept == [0]
    assert correction.added == [PICTURE.detections[0]]
    twins = replace(PICTURE, detections=[PICTURE.detections[0]] * 2)
    assert compare(COCO, twins, said(box, box), {}).kept == [0, 1]
    assert len(compare(COCO, twins, said(box), {}).removed) == 1


def test_a_recorded_box_outside_the_picture_is_no_error() -> None:
    recorded = replace(PICTURE, detections=[face(-30, -30, -1, 5)])
    unchanged = said(ReadBox("1", "face", (0, 0, 0, 5), 0.9))
    assert compare(COCO, recorded, unchanged, {}).kept == [0]


def test_other_names_of_kinds() -> None:
    box = ReadBox("annotation 3", "cyclist", (1, 2, 3, 4))
    assert compare(COCO, PICTURE, said(box), {"cyclist": "face"}).added == [face(1, 2, 3, 4, 1.0)]
    assert error_of(box).startswith("annotation 3: 'cyclist' is not one of face, plate")
    assert error_of(box).endswith("; --map cyclist=face says what it is")
    assert "--map 'a b=face'" in error_of(replace(box, kind="a b"))


NAN, INF = float("nan"), float("inf")
FAR = "line 3: a side of the box is not a number, or beyond all pictures"
OUTSIDE = "line 3: the box lies outside the 200 x 100 pixels of the picture"


@pytest.mark.parametrize(
    ("box", "message"),
    [
        (ReadBox("line 3", "face", (NAN, 2, 3, 4)), FAR),
        (ReadBox("line 3", "face", (1, 2, INF, 4)), FAR),
        (ReadBox("line 3", "face", (1, 2, 1e9, 4)), FAR),
        (ReadBox("line 3", "face", (1, 2, 0, 4)), "line 3: the box has a negative size"),
        (ReadBox("line 3", "face", (1, 2, 3, 2)), "line 3: the box has no area"),
        (ReadBox("line 3", "face", (-9, 2, -3, 4)), OUTSIDE),
        (ReadBox("line 3", "face", (1, 100, 3, 104)), OUTSIDE),
        (ReadBox("line 3", "face", (1, 2, 3, 4), 1.5), "line 3: the score 1.5 is not between 0 and 1"),
        (ReadBox("line 3", "face", (1, 2, 3, 4), NAN), "line 3: the score nan is not between 0 and 1"),
        (ReadBox("line 3", "face", (1, 2, 3, 4), extent=(5, 2, 3, 4)), "line 3: the box has a negative size"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_detection(box: ReadBox, message: str) -> None:
    assert error_of(box) == message


def test_another_picture() -> None:
    with pytest.raises(PictureError, match="has 200 x 101 pixels in the file, and 200 x 100 in the record"):
        compare(COCO, PICTURE, said(size=(200, 101)), {})
    with pytest.raises(PictureError, match="task 1 is odd"):
        compare(COCO, PICTURE, ReadPicture("a.jpg", problem="task 1 is odd"), {})


def test_many_boxes() -> None:
    """20,000 boxes take no quadratic time."""
    many = [face(x, y, x + 1, y + 1) for x in range(100) for y in range(200)]
    picture = ExportedPicture("a.jpg", (500, 300), many)
    boxes = [ReadBox("1", "face", detection.box.xyxy) for detection in reversed(many)]
    assert len(compare(CVAT, picture, ReadPicture("a.jpg", boxes), {}).kept) == len(many)


def test_names_that_a_format_cannot_hold() -> None:
    check_exportable(CVAT, COUPLE, "out")
    for name in ("a\x01.jpg", "a\udcff.jpg"):
        with pytest.raises(PictureError, match="has a name that this format cannot hold"):
            check_exportable(CVAT, replace(COUPLE, name=name), "out")
    check_exportable(COCO, replace(COUPLE, name="a\udcff.jpg"), "out")


POLYGON = PolygonOutline(((1, 2), (30, 2), (5, 40)))


def test_outlines() -> None:
    """They are compared number by number, and replace the box."""
    recorded = replace(PICTURE, detections=[Detection.of(POLYGON, "face", 0.5)])
    corners = POLYGON.box.xyxy
    unchanged = ReadBox("1", "face", corners, 0.5, outline=POLYGON)
    assert compare(COCO, recorded, said(unchanged), {}).kept == [0]
    moved = PolygonOutline(((1, 2), (30, 2), (6, 40)))
    correction = compare(COCO, recorded, said(replace(unchanged, outline=moved)), {})
    assert correction.added == [Detection.of(moved, "face", 0.5)]
    for other in (None, EllipseOutline((15.5, 21), (14.5, 19), 0), PolygonOutline((*POLYGON.corners, (1, 2)))):
        assert len(compare(COCO, recorded, said(replace(unchanged, outline=other)), {}).added) == 1
    # A format without outlines says the box alone: what is unchanged keeps its shape.
    assert compare(VOC, recorded, said(ReadBox("1", "face", corners)), {}).kept == [0]


def test_an_outline_with_another_box() -> None:
    box = ReadBox("line 3", "face", (1, 2, 30, 41), outline=POLYGON)
    assert error_of(box) == "line 3: the outline has another box"


def test_a_person_whose_box_was_moved_is_hidden_by_the_box() -> None:
    """With a score below 1 a network would draw the outline anew, and leave parts of the box visible."""
    correction = compare(COCO, PICTURE, said(ReadBox("1", "person", (30, 30, 60, 90), 0.6)), {})
    assert correction.added == [Detection(Box(30, 30, 60, 90), DRAWN_SCORE, "person")]
