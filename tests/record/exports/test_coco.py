import json
from dataclasses import replace
from typing import Any

import pytest
from record.exports.exported import PICTURES, read_back

from anonymizer.geometry import Box, polygon_area
from anonymizer.outlines import PolygonOutline
from anonymizer.record.exports.coco import COCO
from anonymizer.record.exports.correction import Correction, compare
from anonymizer.record.exports.csv import CSV
from anonymizer.record.exports.values import ExportedPicture, ExportFormat, ReadBox, ReadPicture
from anonymizer.types import Detection


def content() -> Any:
    return json.loads(COCO.write(PICTURES, "out")["instances_default.json"])


def read(value: object) -> list[ReadPicture]:
    return list(COCO.read({"a.json": json.dumps(value).encode()}, {}))


def test_what_is_written() -> None:
    written = content()
    assert written["info"] == {"description": "Detections in out"}
    assert [category["name"] for category in written["categories"]][:2] == ["face", "plate"]
    assert written["images"][1] == {"id": 2, "file_name": "b.png", "width": 512, "height": 500}
    first, second, third = written["annotations"]
    assert (first["id"], first["image_id"], first["category_id"], first["score"]) == (1, 1, 1, 0.93)
    assert first["bbox"] == [10.5, 20.25, 100.0, 130.5]
    assert first["area"] == 13050
    assert "track_id" not in first
    assert second["track_id"] == 7
    assert second["bbox"][0] == 0, "the part in the picture"
    assert (third["image_id"], third["category_id"]) == (3, 2)


def test_what_others_write() -> None:
    """Ids as texts, no scores, integers, a box with too few numbers."""
    assert read({
        "images": [{"id": "x", "file_name": "a.jpg", "width": 3, "height": "4"}],
        "categories": [{"id": 9, "name": "person"}],
        "annotations": [
            {"image_id": "x", "category_id": 9, "bbox": [1, 2, 3, 4]},
            {"id": 5, "image_id": "x", "category_id": 9, "bbox": [1, 2, -3, 4], "score": 2, "track_id": 1},
        ],
    }) == [
        ReadPicture(
            "a.jpg",
            [
                ReadBox("annotation 1", "person", (1, 2, 4, 6)),
                ReadBox("annotation 5", "person", (1, 2, -2, 6), 2.0, 1),
            ],
            (3, 4),
        )
    ]  # fmt: skip


@pytest.mark.parametrize("bbox", [None, [1, 2, 3], "1 2 3 4", [1, 2, None, 4], {"x": 1}])
def test_a_box_that_is_none(bbox: object) -> None:
    value = content()
    value["annotations"][0]["bbox"] = bbox
    assert any(corner != corner for corner in read(value)[0].boxes[0].corners)


@pytest.mark.parametrize(
    ("key", "changes", "message"),
    [
        ("images", {"id": 2}, "image 'b.png' has the id of another one, or none"),
        ("images", {"id": None}, "has the id of another one, or none"),
        ("images", {"id": [1]}, "has the id of another one, or none"),
        ("categories", {"id": 2}, "category 'plate' has the id of another one, or none"),
        ("categories", {"id": [1]}, "category 'face' has the id of another one, or none"),
        ("annotations", {"image_id": 99}, "annotation 1 is of image 99, which is not among the images"),
        ("annotations", {"image_id": []}, "annotation 1 is of image"),
        ("annotations", {"category_id": 99}, "annotation 1 is of category 99, which is not among the categories"),
        ("annotations", {"category_id": None}, "annotation 1 is of category None"),
    ],
)
def test_what_fits_no_picture(key: str, changes: dict[str, object], message: str) -> None:
    value = content()
    value[key][0].update(changes)
    with pytest.raises(ValueError, match=message):
        read(value)


def test_order_is_kept() -> None:
    assert [box.entry for box in read_back(COCO, PICTURES[0])[0].boxes] == ["annotation 1", "annotation 2"]


SHAPE = [10, 10, 30, 12, 20, 50]


@pytest.mark.parametrize(
    ("segmentation", "bbox", "has_outline", "corners"),
    [
        ([SHAPE], [10, 10, 20, 40], True, (10, 10, 30, 50)),
        ([SHAPE], [9.5, 10, 20.9, 40], True, (10, 10, 30, 50)),
        ([SHAPE], [10, 10, 20, 20], False, (10, 10, 30, 50)),  # the part below the box must not stay visible
        ([SHAPE], [0, 10, 30, 40], False, (0, 10, 30, 50)),
        ([SHAPE, [60, 60, 70, 60, 70, 70]], [10, 10, 20, 40], False, (10, 10, 70, 70)),
        ([[1, 2]], [10, 10, 20, 40], False, (10, 10, 30, 50)),
        ([["x"] * 6], [10, 10, 20, 40], False, (10, 10, 30, 50)),
        ({"counts": [1, 2], "size": [3, 4]}, [10, 10, 20, 40], False, (10, 10, 30, 50)),
        ([SHAPE], [10, 10, -20, 40], False, (10, 10, -10, 50)),
    ],
)
def test_polygons(
    segmentation: object, bbox: list[float], has_outline: bool, corners: tuple[float, float, float, float]
) -> None:
    value = content()
    value["annotations"][0] |= {"segmentation": segmentation, "bbox": bbox}
    box = read(value)[0].boxes[0]
    assert (box.extent or box.corners) == corners
    assert (box.outline is not None) == has_outline


def test_polygons_are_written() -> None:
    shape = Detection.of(PolygonOutline(((10, 10), (30, 12), (20, 50))), "face")
    annotation = json.loads(COCO.write([replace(PICTURES[0], detections=[shape])], "out")["instances_default.json"])[
        "annotations"
    ][0]
    assert annotation["segmentation"] == [SHAPE]
    assert annotation["bbox"] == [10, 10, 20, 40]
    assert annotation["area"] == 390


HAIR = PolygonOutline(((40.5, 10.25), (95, 12), (110, 90), (60, 160), (30, 80)))
PICTURE = ExportedPicture("a.jpg", (400, 300), [Detection(Box(45, 40, 100, 140), 0.75, "face", silhouette=HAIR)])


def test_a_silhouette_is_a_segmentation_beyond_the_box() -> None:
    (annotation,) = json.loads(COCO.write([PICTURE], "out")["instances_default.json"])["annotations"]
    assert annotation["bbox"] == [45, 40, 55, 100]
    assert annotation["segmentation"] == [[40.5, 10.25, 95, 12, 110, 90, 60, 160, 30, 80]]
    assert annotation["area"] == polygon_area(HAIR.corners)


@pytest.mark.parametrize("takes_it_for_the_object", [False, True])
def test_a_silhouette_that_nobody_touched_stays_with_its_box(takes_it_for_the_object: bool) -> None:
    """Also behind programs that compute the box from the segmentation; else the core of the box would be shown."""
    value = json.loads(COCO.write([PICTURE], "out")["instances_default.json"])
    if takes_it_for_the_object:
        value["annotations"][0]["bbox"] = [30, 10.25, 80, 149.75]
    (said,) = read(value)
    assert compare(COCO, PICTURE, said, {}) == Correction([0], [], [])


def test_a_silhouette_that_somebody_moved_hides_both_places() -> None:
    value = json.loads(COCO.write([PICTURE], "out")["instances_default.json"])
    value["annotations"][0]["segmentation"][0][4] = 150
    (said,) = read(value)
    correction = compare(COCO, PICTURE, said, {})
    (added,) = correction.added
    assert (added.redaction_box, correction.kept) == (Box(30, 10.25, 150, 160), [])


@pytest.mark.parametrize("export_format", [COCO, CSV])
def test_a_silhouette_that_a_program_left_out_stays(export_format: ExportFormat) -> None:
    without = replace(PICTURE, detections=[replace(PICTURE.detections[0], silhouette=None)])
    (said,) = export_format.read(export_format.write([without], "out"), {})
    assert compare(export_format, PICTURE, said, {}) == Correction([0], [], [])
