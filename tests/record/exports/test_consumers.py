"""The programs that these formats are made for read what is exported."""

import io
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
from check.samples import anonymize
from fakes import FixedDetector, Folders, UseDetectors, face, noise, save
from labelformat.formats.coco import COCOObjectDetectionInput
from labelformat.formats.cvat import CVATObjectDetectionInput
from labelformat.formats.kitti import KittiObjectDetectionInput
from labelformat.formats.pascalvoc import PascalVOCObjectDetectionInput
from labelformat.formats.yolov8 import YOLOv8ObjectDetectionInput
from labelformat.model.object_detection import ObjectDetectionInput
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from record.exports.exported import PICTURES
from video.film_samples import write_film

from anonymizer.kinds import KINDS
from anonymizer.record.exchange import export_detections
from anonymizer.record.exports.formats import EXPORT_FORMATS
from anonymizer.video.source import open_film, to_rgb

KIND_LIST = ",".join(KINDS)


def write(name: str, folder: Path) -> None:
    for file, content in EXPORT_FORMATS[name].write(PICTURES, "out").items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(content)


def save_pictures(folder: Path) -> None:
    for picture in PICTURES:
        (folder / picture.name).parent.mkdir(parents=True, exist_ok=True)
        save(folder / picture.name, noise(picture.size[1], picture.size[0]))


def assert_all_is_there(labels: ObjectDetectionInput, within_px: float, has_scores: bool = False) -> None:
    read = {label.image.filename: label for label in labels.get_labels()}
    assert set(read) == {picture.name for picture in PICTURES}
    for picture in PICTURES:
        label = read[picture.name]
        assert (label.image.width, label.image.height) == picture.size
        for seen, detection in zip(label.objects, picture.detections, strict=True):
            assert seen.category.name == detection.kind
            corners = (seen.box.xmin, seen.box.ymin, seen.box.xmax, seen.box.ymax)
            assert corners == pytest.approx(picture.inside(detection.box).xyxy, abs=within_px)
            assert seen.confidence == (detection.score if has_scores else None)


def test_labelformat_reads_coco(tmp_path: Path) -> None:
    write("coco", tmp_path)
    assert_all_is_there(COCOObjectDetectionInput(tmp_path / "instances_default.json"), 1e-9, has_scores=True)


def test_labelformat_reads_yolo(tmp_path: Path) -> None:
    write("yolo", tmp_path)
    save_pictures(tmp_path / "images/train")
    assert_all_is_there(YOLOv8ObjectDetectionInput(tmp_path / "data.yaml", "train"), 1e-3)


def test_labelformat_reads_cvat(tmp_path: Path) -> None:
    write("cvat", tmp_path)
    assert_all_is_there(CVATObjectDetectionInput(tmp_path / "annotations.xml"), 0.0051)


def test_labelformat_reads_kitti(tmp_path: Path) -> None:
    write("kitti", tmp_path)
    save_pictures(tmp_path / "images")
    assert_all_is_there(KittiObjectDetectionInput(tmp_path / "label_2", KIND_LIST), 0.0051)


def test_labelformat_reads_voc(tmp_path: Path) -> None:
    write("voc", tmp_path)
    # It does not look into subfolders.
    for file in (tmp_path / "Annotations").rglob("*.xml"):
        file.rename(tmp_path / "Annotations" / file.name)
    assert_all_is_there(PascalVOCObjectDetectionInput(tmp_path / "Annotations", KIND_LIST), 1.0)


def test_pycocotools_evaluates_coco(tmp_path: Path) -> None:
    """The export as truth, and its annotations as results: everything is found, in each kind."""
    write("coco", tmp_path)
    with redirect_stdout(io.StringIO()) as said:
        truth = COCO(str(tmp_path / "instances_default.json"))
        found = truth.loadRes(truth.dataset["annotations"])
        evaluation = COCOeval(truth, found, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    assert "Average Precision" in said.getvalue()
    assert len(truth.getImgIds()) == len(PICTURES)
    assert [category["name"] for category in truth.loadCats(truth.getCatIds())] == list(KINDS)
    assert evaluation.stats[0] == pytest.approx(1.0)
    precision = evaluation.eval["precision"]
    assert np.all(precision[:, :, [KINDS.index("face"), KINDS.index("plate")], 0, 2] > 0.99)


def test_frames_of_a_film_are_read_as_pictures(folders: Folders, use_detectors: UseDetectors, tmp_path: Path) -> None:
    write_film(folders[0] / "film.mp4", frames=3)
    use_detectors(FixedDetector(face(5, 5, 25, 25)))
    anonymize(folders, {"preset": "thorough"})
    for name in ("coco", "yolo"):
        export_detections(folders[1], name, tmp_path / name)
    with redirect_stdout(io.StringIO()):
        coco = COCO(str(tmp_path / "coco" / "instances_default.json"))
    frames = {image["file_name"]: len(coco.getAnnIds(image["id"])) for image in coco.loadImgs(coco.getImgIds())}
    assert frames == {f"film.mp4/frame_{index:06d}.png": 1 for index in range(3)}
    shown = tmp_path / "yolo" / "images" / "train" / "film.mp4"
    shown.mkdir(parents=True)
    for frame in open_film(folders[1] / "film.mp4").frames():
        save(shown / f"frame_{frame.index:06d}.png", to_rgb(frame.picture))
    labels = list(YOLOv8ObjectDetectionInput(tmp_path / "yolo" / "data.yaml", "train").get_labels())
    assert {label.image.filename: len(label.objects) for label in labels} == frames
