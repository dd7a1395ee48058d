"""Measuring face models on held-out pictures, as they are, turned, smaller and made worse.

    python -m weights.face.evaluate FOLDER --faces PACK --negatives FOLDER --preset own --preset balanced

FOLDER holds a model and its model.yaml. The network of CenterFace has seen the pictures that are held out here, as they
are; it has not seen them turned or made worse.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from anonymizer.detect.catalogue import find_models
from anonymizer.detect.load import load_model
from anonymizer.detect.merge import merge_detections
from anonymizer.detect.signature import SignatureDetector
from anonymizer.detect.tflite import to_signed
from weights.head.data import Row, decode

from . import data
from .augment import Find

SIZE_MULTIPLE = 32
SCORE_FLOOR = 0.05
OVERLAP = 0.4
"""Intersection over union from which on a detection finds a face."""
HEIGHTS = (0.0, 16.0, 32.0, 64.0, np.inf)
SMALLEST = 6.0
"""Faces with a shorter side count neither way. Pixels of what is searched."""
COVERED, WIDENED = 0.9, 0.2
"""A face is covered if this share of it lies in a detection that is widened on each side by that share of its size."""
FALSE_ALARMS = 0.3
"""Per picture: where the share of covered faces is read."""
Change = Callable[[np.ndarray, np.ndarray, str], tuple[np.ndarray, np.ndarray]]
"""From pixels, uint8 RGB (H, W, 3), boxes, float32 (n, 4), and a picture's name to the changed ones."""


def turned(quarters: int) -> Change:
    """Turned to the left by quarters."""

    def change(pixels: np.ndarray, boxes: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
        for _ in range(quarters):
            width = pixels.shape[1]
            pixels = np.rot90(pixels)
            x_min, y_min, x_max, y_max = boxes.T
            boxes = np.stack([y_min, width - x_max, y_max, width - x_min], axis=1)
        return np.ascontiguousarray(pixels), boxes

    return change


def halved(pixels: np.ndarray, boxes: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Half as large."""
    return cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), boxes / 2


def worse(pixels: np.ndarray, boxes: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Dark with noise, blurred, compressed, or of little contrast; which of these the name decides."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    kind = rng.integers(4)
    if kind == 0:
        noisy = pixels * rng.uniform(0.15, 0.4) + rng.normal(0, 6, pixels.shape)
        return noisy.clip(0, 255).astype(np.uint8), boxes
    if kind == 1:
        return cv2.GaussianBlur(pixels, (0, 0), rng.uniform(1.0, 2.5)), boxes
    if kind == 2:
        _, code = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(8, 20))])
        return np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR)), boxes
    gray = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return (gray * 0.3 + rng.uniform(20, 150)).astype(np.uint8), boxes


CHANGES: dict[str, Change] = {
    "as it is": turned(0),
    "half": halved,
    "worse": worse,
    "by 90": turned(1),
    "by 180": turned(2),
}


def once(file: Path, floor: float = SCORE_FLOOR) -> Find:
    """What the network finds in a single view of the picture's own size."""
    interpreter = Interpreter(model_path=str(file), num_threads=1)
    serve = interpreter.get_signature_runner("serving_default")
    is_signed = interpreter.get_input_details()[0]["dtype"] == np.int8

    def find(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        height, width = pixels.shape[:2]
        padded = np.pad(pixels, ((0, -height % SIZE_MULTIPLE), (0, -width % SIZE_MULTIPLE), (0, 0)))
        answer = serve(input_tensor=(to_signed(padded) if is_signed else padded)[np.newaxis])
        scores = answer["detection_scores"][0]
        y_min, x_min, y_max, x_max = (answer["detection_boxes"][0] * np.tile(padded.shape[:2], 2)).T
        boxes = np.stack([x_min, y_min, x_max, y_max], axis=1)
        return boxes[scores >= floor], scores[scores >= floor]

    return find


def finder(folder: Path, preset: str, floor: float = SCORE_FLOOR) -> Find:
    """What the model in a folder finds with a preset, or `own`, from a score on."""
    if preset == "own":
        return once(next(folder.glob("*.tflite")), floor)
    (model,) = find_models(folder)
    detector = SignatureDetector(model, load_model(model), preset, dict.fromkeys(model.found_kinds, floor))

    def find(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = merge_detections(detector.detect(pixels))
        boxes = [(d.box.x_min, d.box.y_min, d.box.x_max, d.box.y_max) for d in found]
        return np.asarray(boxes, np.float32).reshape(-1, 4), np.asarray([d.score for d in found], np.float32)

    return find


def overlaps(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Areas that boxes share, (n, m)."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    return np.asarray((high - low).clip(0).prod(axis=2))


def area(boxes: np.ndarray) -> np.ndarray:
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).prod(axis=1))


def match(
    boxes: np.ndarray, scores: np.ndarray, faces: np.ndarray, ignore: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Which detections, best first, find a face that none before found, and which count at all; bool (n,) each."""
    shared = overlaps(boxes, faces)
    iou = shared / (area(boxes)[:, None] + area(faces)[None] - shared).clip(1e-6)
    free = ~ignore
    hit = np.zeros(len(boxes), bool)
    counts = np.ones(len(boxes), bool)
    for index in np.argsort(-scores, kind="stable"):
        best = int(np.where(free, iou[index], -1).argmax()) if len(faces) else -1
        if best >= 0 and free[best] and iou[index, best] >= OVERLAP:
            hit[index], free[best] = True, False
        elif (shared[index, ignore] >= 0.5 * area(boxes[index : index + 1])).any():
            counts[index] = False
    return hit, counts


def best_cover(boxes: np.ndarray, scores: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """The highest score of a detection that covers a face, or 0; float (m,)."""
    grow = WIDENED * (boxes[:, 2:] - boxes[:, :2])
    wide = np.concatenate([boxes[:, :2] - grow, boxes[:, 2:] + grow], axis=1)
    covers = overlaps(wide, faces) >= COVERED * area(faces)[None]
    return np.asarray(np.where(covers, scores[:, None], 0).max(axis=0, initial=0))


def average_precision(hit: np.ndarray, scores: np.ndarray, faces: int) -> float:
    """Area under the curve of precision over recall."""
    hit = hit[np.argsort(-scores, kind="stable")]
    found = np.cumsum(hit)
    precision = found / np.arange(1, len(hit) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(envelope[hit].sum() / max(faces, 1))


def measure(rows: Sequence[Row], find: Find, change: Change) -> tuple[float, float, list[float], float, int]:
    """Average precision; the threshold with `FALSE_ALARMS` a picture; shares covered there, by height and in all;
    false alarms per picture without faces there."""
    hits, all_scores, covers, heights, empty, faces_number = [], [], [], [], [], 0
    for row in rows:
        pixels, faces = change(decode(row.path), row.boxes, row.name)
        sides = faces[:, 2:] - faces[:, :2]
        ignore = row.ignore | (sides.min(axis=1) < SMALLEST)
        boxes, scores = find(pixels)
        hit, counts = match(boxes, scores, faces, ignore)
        hits.append(hit[counts])
        all_scores.append(scores[counts])
        covers.append(best_cover(boxes, scores, faces)[~ignore])
        heights.append(sides.max(axis=1)[~ignore])
        faces_number += int((~ignore).sum())
        if not len(row.boxes):
            empty.append(scores)
    hit, score = np.concatenate(hits), np.concatenate(all_scores)
    wrong = np.sort(score[~hit])[::-1]
    allowed = int(FALSE_ALARMS * len(rows))
    threshold = float(wrong[allowed]) if len(wrong) > allowed else SCORE_FLOOR
    cover, height = np.concatenate(covers) > threshold, np.concatenate(heights)
    bands = [(height >= low) & (height < high) for low, high in itertools.pairwise(HEIGHTS)]
    shares = [float(cover[band].mean()) if band.any() else float("nan") for band in bands] + [float(cover.mean())]
    alarms = sum(int((scores > threshold).sum()) for scores in empty) / max(len(empty), 1)
    return average_precision(hit, score, faces_number), threshold, shares, alarms, faces_number


_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("folders", nargs=-1, type=_FOLDER)
@click.option("--faces", multiple=True, required=True, type=_FOLDER, help="Pack made by weights.data.prepare.")
@click.option("--negatives", multiple=True, type=_FOLDER, help="Pictures without faces.")
@click.option("--preset", "presets", multiple=True, default=["own"], help="own: one view of the picture's own size.")
@click.option("--change", "changes", multiple=True, type=click.Choice(list(CHANGES)), default=list(CHANGES))
@click.option("--every", default=1, show_default=True, help="Look at one of so many pictures.")
def main(
    folders: tuple[Path, ...],
    faces: tuple[Path, ...],
    negatives: tuple[Path, ...],
    presets: tuple[str, ...],
    changes: tuple[str, ...],
    every: int,
) -> None:
    """Print average precision and covered faces by height, of the models in FOLDERS."""
    cv2.setNumThreads(1)
    rows = [row for pack in faces for row in data.read_faces(pack, "held_out")]
    rows += [row for folder in negatives for row in data.read_negatives(folder, "held_out")]
    rows = rows[::every]
    click.echo(f"{len(rows)} pictures; covered: < 16, 16-32, 32-64, from 64, all; at {FALSE_ALARMS} false alarms each")
    for preset in presets:
        for change in changes:
            for folder in folders:
                precision, threshold, shares, alarms, number = measure(rows, finder(folder, preset), CHANGES[change])
                covered = " ".join(f"{share:.3f}" for share in shares)
                click.echo(
                    f"{preset:8} {change:8} {folder.name:12} AP {precision:.4f}  at {threshold:.3f}: {covered}  "
                    f"negatives {alarms:.2f}  ({number} faces)"
                )


if __name__ == "__main__":
    main()
