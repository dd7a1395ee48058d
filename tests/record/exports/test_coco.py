import json
from typing import Any

import pytest
from record.exports.exported import PICTURES, read_back

from anonymizer.record.exports.coco import COCO
from anonymizer.record.exports.values import ReadBox, ReadPicture


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
