"""What holds for every format: what was exported is read back, up to its precision."""

from dataclasses import replace

import pytest
from fakes import face
from hypothesis import assume, given
from record.exports.exported import PICTURES, detections, pictures, read_back

from anonymizer.errors import PictureError
from anonymizer.outlines import EllipseOutline, PolygonOutline, StrokeOutline
from anonymizer.record.exports.correction import check_exportable, compare
from anonymizer.record.exports.formats import EXPORT_FORMATS
from anonymizer.record.exports.values import ExportedPicture
from anonymizer.types import Detection

WITHOUT_SCORES = {"yolo", "voc", "kitti"}
WITH_TRACKS = {"coco", "cvat", "csv"}
WITHOUT_SIZES = {"yolo", "kitti"}
SHAPES: dict[str, tuple[type, ...]] = {
    "coco": (PolygonOutline,),
    "cvat": (PolygonOutline, EllipseOutline),
    "label-studio": (PolygonOutline, EllipseOutline),
    "csv": (PolygonOutline, EllipseOutline, StrokeOutline),
}
STEP_PX = {"yolo": 1e-3, "kitti": 0.0051, "cvat": 0.1, "voc": 1.0}
"""How far a side may lie from that of the record; other formats differ by the error of a float. In CVAT
ellipses also differ by 0.005 degrees."""


def kept_shape(name: str, detection: Detection) -> type:
    """The type of the outline that the format says."""
    return type(detection.outline) if isinstance(detection.outline, SHAPES.get(name, ())) else type(None)


@pytest.mark.parametrize("name", EXPORT_FORMATS)
@given(picture=pictures())
def test_round_trip(name: str, picture: ExportedPicture) -> None:
    export_format = EXPORT_FORMATS[name]
    try:
        check_exportable(export_format, picture, "out")
    except PictureError:
        assume(False)
    (read,) = read_back(export_format, picture)
    assert read.problem is None
    assert read.size == (None if name in WITHOUT_SIZES else picture.size)
    for box, detection in zip(read.boxes, picture.detections, strict=True):
        exported = detection.box if name == "csv" or box.outline is not None else picture.inside(detection.box)
        assert type(box.outline) is kept_shape(name, detection)
        assert box.corners == pytest.approx(exported.xyxy, abs=STEP_PX.get(name, 1e-9))
        assert box.kind == detection.kind
        assert box.score == (None if name in WITHOUT_SCORES else detection.score)
        assert box.track == (detection.track if name in WITH_TRACKS else None)
    correction = compare(export_format, picture, read, {})
    assert list(correction.kept) == list(range(len(picture.detections)))
    assert not correction.added
    assert not correction.removed


HAIR = PolygonOutline(((40.5, 10.25), (95, 12), (110, 90), (60, 160), (30, 80)))
WITH_HAIR = replace(face(45, 40, 100, 140, 0.75), silhouette=HAIR)


@pytest.mark.parametrize("name", EXPORT_FORMATS)
@given(detection=detections())
def test_silhouettes_come_back(name: str, detection: Detection) -> None:
    """From all formats by the record, and from those that can say them also in what is new."""
    assume(detection.kind != "person" and detection.box.iou(WITH_HAIR.box) < 0.5)
    export_format = EXPORT_FORMATS[name]
    picture = ExportedPicture("a.jpg", (400, 300), [WITH_HAIR, detection])
    assume(picture.inside(detection.box).area > 1)
    (read,) = read_back(export_format, picture)
    correction = compare(export_format, picture, read, {})
    assert (list(correction.kept), correction.added) == ([0, 1], [])
    new = compare(export_format, replace(picture, detections=[]), read, {}).added[0]
    assert new.silhouette == (HAIR if name in ("coco", "csv") else None)


@pytest.mark.parametrize("name", EXPORT_FORMATS)
@given(one=detections(), other=detections())
def test_a_removed_and_an_added_detection(name: str, one: Detection, other: Detection) -> None:
    """The export of another set of detections, compared with the record, tells the difference."""
    export_format = EXPORT_FORMATS[name]
    before = ExportedPicture("a.jpg", (400, 300), [one])
    after = ExportedPicture("a.jpg", (400, 300), [other, one])
    assume(after.inside(other.box).area > 1)
    assume(max(abs(a - b) for a, b in zip(one.box.xyxy, other.box.xyxy, strict=True)) > 2 or one.kind != other.kind)
    (read,) = read_back(export_format, after)
    correction = compare(export_format, before, read, {})
    assume(correction.kept == [0])  # else the part of both in the picture is the same
    (added,) = correction.added
    assert added.kind == other.kind
    assert added.box.xyxy == pytest.approx(
        (other.box if name == "csv" or added.outline else after.inside(other.box)).xyxy, abs=STEP_PX.get(name, 1e-9)
    )
    back = compare(export_format, after, read_back(export_format, before)[0], {})
    assert list(back.removed) == [other]
    assert not back.added


@pytest.mark.parametrize("name", EXPORT_FORMATS)
def test_all_pictures_are_listed(name: str) -> None:
    read = read_back(EXPORT_FORMATS[name], *PICTURES)
    assert [(picture.name, len(picture.boxes)) for picture in read] == [
        (picture.name, len(picture.detections)) for picture in PICTURES
    ]


@pytest.mark.parametrize("name", EXPORT_FORMATS)
def test_no_pictures(name: str) -> None:
    export_format = EXPORT_FORMATS[name]
    assert all(file.endswith(export_format.suffixes) for file in export_format.write([], "out"))


@pytest.mark.parametrize("name", EXPORT_FORMATS)
@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"[[[", b"<a", b"null", b"[1]", b"{}", b"<a/>", b"[" * 10**5]
)
def test_damaged_files(name: str, content: bytes) -> None:
    """Damage is an error or a problem of a picture; it never means that nothing is there."""
    export_format = EXPORT_FORMATS[name]
    files = dict(export_format.write(PICTURES[:1], "out"))
    file = list(files)[-1 if export_format.has_label_files else 0]
    sizes = {PICTURES[0].name: PICTURES[0].size}
    try:
        read = export_format.read({**files, file: content}, sizes)
    except ValueError:
        return
    assert not content or all(picture.problem for picture in read)


@pytest.mark.parametrize("name", ["coco", "cvat", "label-studio", "voc"])
def test_a_truncated_file_is_never_taken_for_a_whole_one(name: str) -> None:
    export_format = EXPORT_FORMATS[name]
    files = dict(export_format.write(PICTURES[:1], "out"))
    file = list(files)[-1 if export_format.has_label_files else 0]
    cut = files[file][: len(files[file]) * 3 // 4]
    try:
        (read,) = export_format.read({**files, file: cut}, {PICTURES[0].name: PICTURES[0].size})
        compare(export_format, PICTURES[0], read, {})
    except (ValueError, PictureError):
        return
    pytest.fail("the truncated file was accepted")
