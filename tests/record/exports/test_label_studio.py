import json
from typing import Any

import pytest
from record.exports.exported import PICTURES

from anonymizer.outlines import EllipseOutline, PolygonOutline
from anonymizer.record.exports.label_studio import LABEL_STUDIO
from anonymizer.record.exports.values import ExportedPicture, ReadPicture
from anonymizer.types import Detection

SIZES = {"sub/a b.jpg": (200, 100)}
BOX: dict[str, Any] = {"x": 10, "y": 20, "width": 30, "height": 40, "rectanglelabels": ["face"]}

ELLIPSE: dict[str, Any] = {"x": 50, "y": 50, "radiusX": 10, "radiusY": 20, "ellipselabels": ["face"]}


def region(kind: str = "rectanglelabels", **value: Any) -> dict[str, Any]:
    return {"type": kind, "original_width": 200, "original_height": 100, "value": value}


def task(*regions: dict[str, Any], **keys: object) -> dict[str, Any]:
    return {"id": 4, "data": {"name": "sub/a b.jpg"}, "annotations": [{"result": list(regions)}], **keys}


def read(*tasks: object) -> list[ReadPicture]:
    return list(LABEL_STUDIO.read({"a.json": json.dumps(tasks).encode()}, SIZES))


def problem_of(*regions: dict[str, Any], **keys: object) -> str | None:
    return read(task(*regions, **keys))[0].problem


def test_what_is_written() -> None:
    files = LABEL_STUDIO.write(PICTURES, "out")
    assert '<Label value="face" background="red"/>' in files["labels.xml"].decode()
    first, second, third = json.loads(files["tasks.json"])
    assert first["data"] == {
        "image": "/data/local-files/?d=out/a/happy%20couple.jpg",
        "name": "a/happy couple.jpg",
        "width": 800,
        "height": 533,
    }
    assert third["data"]["image"] == "/data/local-files/?d=out/cars%20%26%20%3Cmore%3E/%C3%A4.jpg"
    (prediction,) = first["predictions"]
    assert prediction["score"] == 0.5, "the lowest, by which tasks can be sorted"
    value = prediction["result"][0]["value"]
    assert value.pop("rectanglelabels") == ["face"]
    assert value == pytest.approx({"x": 1.3125, "y": 3.79925, "width": 12.5, "height": 24.48405, "rotation": 0}, 1e-5)
    assert second["predictions"] == [{"model_version": "anonymize", "result": []}]


@pytest.mark.parametrize(
    ("kind", "value", "corners"),
    [
        ("rectanglelabels", BOX, (20, 20, 80, 60)),
        ("rectanglelabels", {**BOX, "rotation": 90}, (-20, 20, 20, 80)),
        ("ellipselabels", ELLIPSE, (80, 30, 120, 70)),
        ("polygonlabels", {"points": [[0, 0], [10, 20], [5, 30]], "polygonlabels": ["face"]}, (0, 0, 20, 30)),
    ],
)  # fmt: skip
def test_shapes(kind: str, value: dict[str, Any], corners: tuple[float, ...]) -> None:
    """Polygons and ellipses keep their shape, turned boxes are taken for the upright box around them."""
    (picture,) = read(task(region(kind, **value)))
    assert picture.size == (200, 100)
    (box,) = picture.boxes
    assert (box.entry, box.kind, box.score) == ("task 4, region 1", "face", None)
    assert box.corners == pytest.approx(corners)
    assert (box.outline is not None) == (kind != "rectanglelabels")


def test_annotations_come_before_predictions() -> None:
    predictions = [{"result": [region(**BOX), region(**BOX)]}]
    assert [len(picture.boxes) for picture in read(task(region(**BOX), predictions=predictions))] == [1]
    assert [len(picture.boxes) for picture in read(task(predictions=predictions))] == [0]
    assert [len(picture.boxes) for picture in read(task(annotations=[], predictions=predictions))] == [2]


def test_skipped_and_untouched_tasks_say_nothing() -> None:
    skipped = [{"was_cancelled": True, "result": []}]
    assert read(task(annotations=skipped, predictions=[{"result": []}]), task(annotations=[])) == []
    assert len(read(task(annotations=[*skipped, {"result": [region(**BOX)]}]))[0].boxes) == 1


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"image": "/data/local-files/?d=out/sub/a%20b.jpg"}, "sub/a b.jpg"),
        ({"image": "https://example.org/sub/a b.jpg"}, "sub/a b.jpg"),
        ({"image": "/data/upload/1/0123-c.jpg"}, "/data/upload/1/0123-c.jpg"),
        ({}, "task 4"),
        (None, "task 4"),
    ],
)
def test_names_by_address(data: object, name: str) -> None:
    assert read(task(data=data))[0].name == name


def test_problems() -> None:
    assert problem_of(annotations=[{"result": []}] * 2) == "task 4 has 2 annotations; leave one of them"
    assert problem_of(annotations=[{"result": None}]) == "task 4 holds no list of regions"
    assert problem_of(region("brushlabels")) == "task 4, region 1: 'brushlabels' cannot be hidden"
    assert problem_of({"type": "rectanglelabels"}) == "task 4, region 1: 'rectanglelabels' cannot be hidden"
    other = {**region(**BOX), "original_width": 300}
    assert problem_of(region(**BOX), other) == "task 4 names different sizes of the picture"


@pytest.mark.parametrize("labels", [[], ["face", "plate"], None, "face"])
def test_kinds_that_are_not_one(labels: object) -> None:
    (box,) = read(task(region(**{**BOX, "rectanglelabels": labels})))[0].boxes
    assert box.kind not in ("face", "plate") or labels == "face"


@pytest.mark.parametrize("points", [None, [1], [["a", 2]], []])
def test_points_that_are_none(points: object) -> None:
    (box,) = read(task(region("polygonlabels", points=points, polygonlabels=["face"])))[0].boxes
    assert any(corner != corner for corner in box.corners)


@pytest.mark.parametrize("content", [b"{}", b"[1]", b'"x"'])
def test_other_files(content: bytes) -> None:
    with pytest.raises(ValueError, match="is not a list of tasks"):
        LABEL_STUDIO.read({"a.json": content}, {})


def test_outlines_are_written() -> None:
    """The project asks for the tools that are needed, in the order of the table."""
    shapes = [
        Detection.of(PolygonOutline(((1, 2), (30, 2), (5, 40))), "face", 0.5),
        Detection.of(EllipseOutline((50, 40), (10, 20), 30), "plate"),
    ]
    files = LABEL_STUDIO.write([ExportedPicture("a.jpg", (200, 100), shapes)], "out")
    config = files["labels.xml"].decode()
    assert config.index("<RectangleLabels") < config.index('<PolygonLabels name="polygon"') < config.index("<Ellipse")
    first, second = json.loads(files["tasks.json"])[0]["predictions"][0]["result"]
    assert (first["type"], first["from_name"]) == ("polygonlabels", "polygon")
    assert first["value"] == {"points": [[0.5, 2], [15, 2], [2.5, 40]], "closed": True, "polygonlabels": ["face"]}
    assert (second["type"], second["from_name"]) == ("ellipselabels", "ellipse")
    assert second["value"] == {
        "x": 25, "y": 40, "radiusX": 5, "radiusY": 20, "rotation": 30, "ellipselabels": ["plate"],
    }  # fmt: skip
