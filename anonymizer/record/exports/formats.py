"""The table of formats, by the name that the command line gives them."""

from __future__ import annotations

from collections.abc import Mapping

from anonymizer.record.exports.coco import COCO
from anonymizer.record.exports.csv import CSV
from anonymizer.record.exports.cvat import CVAT
from anonymizer.record.exports.cvat_video import CVAT_VIDEO
from anonymizer.record.exports.films import FilmFormat
from anonymizer.record.exports.kitti import KITTI
from anonymizer.record.exports.label_studio import LABEL_STUDIO
from anonymizer.record.exports.mot import MOT
from anonymizer.record.exports.values import ExportFormat
from anonymizer.record.exports.voc import VOC
from anonymizer.record.exports.yolo import YOLO

EXPORT_FORMATS: Mapping[str, ExportFormat] = {
    "coco": COCO,
    "yolo": YOLO,
    "cvat": CVAT,
    "label-studio": LABEL_STUDIO,
    "voc": VOC,
    "kitti": KITTI,
    "csv": CSV,
}
"""Of pictures."""
FILM_FORMATS: Mapping[str, FilmFormat] = {"cvat-video": CVAT_VIDEO, "mot": MOT}
