"""Lets annotation tools with large requirements read the exports of a run, and says whether all of it arrives.

    python -m tests.benchmarks.annotation_tools FOLDER [--label-studio PYTHON] [--datumaro PYTHON]

FOLDER is the output folder of a run, with its pictures. PYTHON is the interpreter of an environment in which
label-studio-sdk or datumaro is installed: they do not install beside our OpenCV, and take 0.5 GB each. Datumaro's
reader of YOLO (1.13) knows no subfolders.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from anonymizer.kinds import KINDS
from anonymizer.record.exchange import Export, export_detections

LABEL_STUDIO_SDK = """
import copy, json, sys
from label_studio_sdk.label_interface import LabelInterface
folder = sys.argv[1]
project = LabelInterface(open(f"{folder}/labels.xml").read())
project.validate()
tasks = json.load(open(f"{folder}/tasks.json"))
errors = [error for task in tasks for error in project.validate_prediction(task["predictions"][0], return_errors=True)]
for region in (region for task in tasks for region in task["predictions"][0]["result"]):
    wrong = copy.deepcopy(region)
    wrong["value"][wrong["type"]] = ["cat"]
    if project.validate_prediction({"result": [wrong]}):
        errors.append("a wrong label is accepted")
print(json.dumps([len(tasks), sum(len(task["predictions"][0]["result"]) for task in tasks), errors]))
"""
DATUMARO = """
import json, sys
import datumaro
items = list(datumaro.Dataset.import_from(sys.argv[1], sys.argv[2]))
print(json.dumps([len(items), sum(len(item.annotations) for item in items), []]))
"""


def _arrange_coco(labels: Path, target: Path, pictures: Path) -> None:
    shutil.copytree(labels, target / "annotations")
    _copy_pictures(pictures, target / "images" / "default")


def _arrange_cvat(labels: Path, target: Path, pictures: Path) -> None:
    target.mkdir()
    shutil.copy(labels / "annotations.xml", target / "train.xml")
    _copy_pictures(pictures, target / "images")


def _arrange_yolo(labels: Path, target: Path, pictures: Path) -> None:
    shutil.copytree(labels, target)
    _copy_pictures(pictures, target / "images" / "train")


def _arrange_kitti(labels: Path, target: Path, pictures: Path) -> None:
    shutil.copytree(labels, target)
    _copy_pictures(pictures, target / "image_2")


def _arrange_voc(labels: Path, target: Path, pictures: Path) -> None:
    """With the list of pictures and that of classes, which Pascal VOC fixes and others bring along."""
    shutil.copytree(labels, target)
    _copy_pictures(pictures, target / "JPEGImages")
    (target / "labelmap.txt").write_text("".join(f"{kind}:::\n" for kind in ("background", *KINDS)))
    names = [
        file.relative_to(labels / "Annotations").with_suffix("") for file in (labels / "Annotations").rglob("*.xml")
    ]
    (target / "ImageSets" / "Main").mkdir(parents=True)
    (target / "ImageSets" / "Main" / "default.txt").write_text("".join(f"{name}\n" for name in names))


def _copy_pictures(pictures: Path, target: Path) -> None:
    shutil.copytree(pictures, target, ignore=shutil.ignore_patterns("*.json", "*.sqlite"))


ARRANGED: dict[str, tuple[str, Callable[[Path, Path, Path], None]]] = {
    "coco": ("coco", _arrange_coco),
    "cvat": ("cvat", _arrange_cvat),
    "yolo": ("yolo", _arrange_yolo),
    "kitti": ("kitti_detection", _arrange_kitti),
    "voc": ("voc", _arrange_voc),
}
"""What Datumaro calls our formats, and where it wants the pictures."""


def _tell(name: str, export: Export, command: list[str]) -> bool:
    """Whether everything arrives; prints it."""
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        print(f"{name}: cannot read it: {ended.stderr.strip().splitlines()[-1]}")
        return False
    pictures, objects, errors = json.loads(ended.stdout.splitlines()[-1])
    expected = export.pictures, export.detections.total()
    print(f"{name}: {pictures} of {expected[0]} pictures, {objects} of {expected[1]} objects, {len(errors)} errors")
    for error in errors[:3]:
        print(f"  {error}")
    return (pictures, objects) == expected and not errors


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--label-studio", metavar="PYTHON")
    parser.add_argument("--datumaro", metavar="PYTHON")
    given = parser.parse_args()
    is_fine = True
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        if given.label_studio:
            export = export_detections(given.folder, "label-studio", work / "label-studio")
            command = [given.label_studio, "-c", LABEL_STUDIO_SDK, str(work / "label-studio")]
            is_fine &= _tell("Label Studio", export, command)
        for our_name, (their_name, arrange) in ARRANGED.items() if given.datumaro else ():
            export = export_detections(given.folder, our_name, work / our_name)
            arrange(work / our_name, work / f"{our_name}-arranged", given.folder)
            command = [given.datumaro, "-c", DATUMARO, str(work / f"{our_name}-arranged"), their_name]
            is_fine &= _tell(f"Datumaro, {our_name}", export, command)
    return 0 if is_fine else 1


if __name__ == "__main__":
    sys.exit(main())
