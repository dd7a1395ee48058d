"""Measures how many words of scenes are hidden, and how much else, as the program looks for text.

    python -m weights.text.evaluate REPOSITORY --first 201 --last 350 [--match]

REPOSITORY is a clone of ocr-algorithm-and-data/ICDAR2015, bare or not: 500 pictures of ICDAR 2015 "Incidental Scene
Text", of which img_351 to img_500 are kept for others. The limits were chosen on img_1 to img_200.

A word is *hidden* if 90 % of it lies in what is found, lines of words or single words, widened by the usual margin.
What is found is *right* if words fill 30 % of it, or one of them overlaps it by 0.5 (intersection over union): it also
goes around the gaps between words. What is filled by words that are illegible in the labels counts neither way.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import TypeAlias

import cv2
import numpy as np
import regex

from anonymizer.detect.detector import Detector
from anonymizer.detect.load import load_detectors
from anonymizer.files.picture import Encoding, Frame, Picture
from anonymizer.geometry import corners_of
from anonymizer.kinds import TRAITS
from anonymizer.outlines import PolygonOutline
from anonymizer.recognise.patterns import NAMED, Patterns
from anonymizer.recognise.text_choice import TextChoice
from anonymizer.recognise.text_reader import load_text_reader
from anonymizer.settings import DetectSettings
from anonymizer.types import Detection, FrameDetections
from weights.data.repository import Repository

ILLEGIBLE = "###"
HIDDEN_FROM = 0.9
"""Share of a word."""
FILLED_FROM = 0.3
"""Share of what is found."""
OVERLAP_FROM = 0.5
THRESHOLDS = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75)
HEIGHTS = (0, 8, 12, 16, 24, 32, 64, 10_000)
SHORTEST_NAME = 4
NAMES_OF = 4
"""One of so many words of the labels is a name."""
FINER = 2
"""Areas are counted on a grid so many times as fine as the pixels."""


@dataclass(frozen=True)
class Word:
    quad: np.ndarray
    """(4, 2) x, y of its corners."""
    text: str

    @property
    def is_legible(self) -> bool:
        return self.text != ILLEGIBLE

    @property
    def height(self) -> float:
        sides = np.linalg.norm(np.roll(self.quad, -1, axis=0) - self.quad, axis=1)
        return float(min(sides[0] + sides[2], sides[1] + sides[3]) / 2)


@dataclass(frozen=True)
class Scene:
    number: int
    pixels: np.ndarray
    """uint8 (H, W, 3), RGB."""
    words: Sequence[Word]


def scenes(folder: Path, first: int, last: int) -> Iterator[Scene]:
    repository, numbers = Repository(folder), range(first, last + 1)
    pictures = repository.read(f"End2End/TestSet/Imgs/img_{number}.jpg" for number in numbers)
    labels = repository.read(f"End2End/TestSet/Gts/gt_img_{number}.txt" for number in numbers)
    for number, (_, picture), (_, text) in zip(numbers, pictures, labels, strict=True):
        pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
        assert pixels is not None, number
        yield Scene(number, np.ascontiguousarray(pixels[:, :, ::-1]), parse_labels(text.decode("utf-8-sig")))


def parse_labels(text: str) -> list[Word]:
    """Lines "x1,y1,x2,y2,x3,y3,x4,y4,text", the text ### where it is illegible."""
    words = []
    for line in filter(None, text.splitlines()):
        *corners, said = line.split(",", 8)
        words.append(Word(np.array(corners, np.float64).reshape(4, 2), said))
    return words


def corners_found(found: Detection) -> np.ndarray:
    outline = found.outline
    assert outline is None or isinstance(outline, PolygonOutline)
    return np.array(corners_of(found.redaction_box) if outline is None else outline.corners)


def widened(quad: np.ndarray) -> np.ndarray:
    """A rectangle with the margin that the program hides beyond it."""
    by = TRAITS["text"].margin * PolygonOutline(tuple((float(x), float(y)) for x, y in quad)).rim_px
    sides = np.roll(quad, -1, axis=0) - quad
    along = sides / np.maximum(np.linalg.norm(sides, axis=1, keepdims=True), 1e-9)
    return np.asarray(quad + by * (np.roll(along, 1, axis=0) - along))


def painted(quads: Sequence[np.ndarray], size: tuple[int, int]) -> np.ndarray:
    """Where any of some polygons lies in a picture of a height and width: bool, on the finer grid."""
    grid = np.zeros((size[0] * FINER, size[1] * FINER), np.uint8)
    for quad in quads:
        cv2.fillPoly(grid, [np.rint(quad * FINER).astype(np.int32)], (1,))
    return grid.astype(bool)


def share_within(quad: np.ndarray, area: np.ndarray) -> float:
    """Which share of a polygon lies in an area of the finer grid."""
    corners = np.rint(quad * FINER).astype(np.int32)
    left, top = np.maximum(corners.min(axis=0), 0)
    right, bottom = np.minimum(corners.max(axis=0) + 1, area.shape[::-1])
    if left >= right or top >= bottom:
        return 0.0
    inside = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillPoly(inside, [corners - (left, top)], (1,))
    return float(area[top:bottom, left:right][inside > 0].mean()) if inside.any() else 0.0


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two convex polygons."""
    shared, _ = cv2.intersectConvexConvex(one.astype(np.float32), other.astype(np.float32))
    union = cv2.contourArea(one.astype(np.float32)) + cv2.contourArea(other.astype(np.float32)) - shared
    return float(shared / union) if union > 0 else 0.0


Seen: TypeAlias = Sequence[tuple[Scene, Sequence[Detection]]]
"""Pictures, each with what is found in it."""


@dataclass
class Tally:
    """What became of words and of what was found."""

    hidden: list[bool]
    """Of each legible word."""
    heights: list[float]
    matched: list[bool]
    """Of each legible word, whether something overlaps it by 0.5, as in the contest."""
    right: int = 0
    wrong: int = 0
    extra: float = 0.0
    """Share of the pictures that is hidden beside all words, the sum over all pictures."""

    @property
    def recall(self) -> float:
        return float(np.mean(self.hidden))

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + self.wrong)


def tally(seen: Seen, threshold: float) -> Tally:
    counts = Tally([], [], [])
    for scene, found in seen:
        size = scene.pixels.shape[:2]
        quads = [corners_found(one) for one in found if one.score >= threshold]
        legible = [word for word in scene.words if word.is_legible]
        hidden, on_words = (
            painted([widened(quad) for quad in quads], size),
            painted([word.quad for word in scene.words], size),
        )
        on_legible = painted([word.quad for word in legible], size)
        counts.extra += float((hidden & ~on_words).mean())
        counts.hidden += [share_within(word.quad, hidden) >= HIDDEN_FROM for word in legible]
        counts.matched += [any(overlap(word.quad, quad) >= OVERLAP_FROM for quad in quads) for word in legible]
        counts.heights += [word.height for word in legible]
        for quad in quads:
            is_one = any(overlap(word.quad, quad) >= OVERLAP_FROM for word in legible)
            if is_one or share_within(quad, on_legible) >= FILLED_FROM:
                counts.right += 1
            elif share_within(quad, on_words) < FILLED_FROM:
                counts.wrong += 1
    return counts


def print_table(seen: Seen, thresholds: Sequence[float]) -> None:
    print("| threshold | words hidden | precision | overlapped by 0.5 | hidden beside words |")
    print("| --- | --- | --- | --- | --- |")
    for threshold in thresholds:
        counts = tally(seen, threshold)
        shares = [f"{share:.3f}" for share in (counts.recall, counts.precision, float(np.mean(counts.matched)))]
        print(f"| {threshold:g} | {' | '.join(shares)} | {counts.extra / len(seen):.2%} |")


def print_heights(counts: Tally) -> None:
    for low, high in pairwise(HEIGHTS):
        of_size = [hidden for hidden, height in zip(counts.hidden, counts.heights, strict=True) if low <= height < high]
        if of_size:
            print(f"words of {low} to {high} pixels: {np.mean(of_size):.3f} of {len(of_size)}")


def print_matching(seen: Seen) -> None:
    """How many of the words that match stay hidden, and how many others become visible, of those that are found.

    The patterns are digits, and names: words drawn from the labels, each with all that contain it.
    """
    words = [word.text for scene, _ in seen for word in scene.words if word.is_legible]
    names = sorted({word for word in words if word.isalpha() and len(word) >= SHORTEST_NAME})
    drawn = Random(0).sample(names, len(names) // NAMES_OF)
    reader = load_text_reader()
    for what, texts in (("number", ["number"]), (f"{len(drawn)} names", drawn)):
        truth = regex.compile("|".join(NAMED.get(text, text) for text in texts), regex.IGNORECASE)
        choice, started = TextChoice(Patterns(texts), reader), time.process_time()
        matching: list[bool] = []
        others: list[bool] = []
        for scene, found in seen:
            before = painted([widened(corners_found(one)) for one in found], scene.pixels.shape[:2])
            chosen = choice.choose(Picture((Frame(scene.pixels),), b"", Encoding("PNG")), [FrameDetections(found)])
            left = [widened(corners_found(one)) for one in chosen.frames[0].detections]
            after = painted(left, scene.pixels.shape[:2])
            for word in scene.words:
                if word.is_legible and share_within(word.quad, before) >= HIDDEN_FROM:
                    group = others if truth.search(word.text) is None else matching
                    group.append(share_within(word.quad, after) >= HIDDEN_FROM)
        taken_s = (time.process_time() - started) / len(seen)
        print(
            f"{what}: {sum(matching)} of {len(matching)} matching words stay hidden, "
            f"{len(others) - sum(others)} of {len(others)} others become visible, {taken_s:.2f} s of CPU time a picture"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--first", type=int, default=201)
    parser.add_argument("--last", type=int, default=350)
    parser.add_argument("--every", type=int, default=1, help="look at one of so many pictures")
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--match", action="store_true", help="measure --text-match, too")
    parser.add_argument("--sweep", action="store_true", help="measure at several thresholds")
    given = parser.parse_args()
    threshold = THRESHOLDS[0] if given.sweep else None
    detectors = load_detectors(DetectSettings(kinds="text", preset=given.preset, text_threshold=threshold))
    (detector,) = detectors
    seen, seconds, megapixels = [], 0.0, 0.0
    for scene in list(scenes(given.repository, given.first, given.last))[:: given.every]:
        started = time.process_time()
        seen.append((scene, detector.detect(scene.pixels)))
        seconds += time.process_time() - started
        megapixels += scene.pixels.shape[0] * scene.pixels.shape[1] / 1e6
    words = sum(word.is_legible for scene, _ in seen for word in scene.words)
    print(f"{len(seen)} pictures, {words} legible words, {seconds / megapixels:.2f} s of CPU time a megapixel")
    least = threshold_of(detector)
    print_table(seen, THRESHOLDS if given.sweep else [least])
    if not given.sweep:
        print_heights(tally(seen, least))

    if given.match:
        print_matching(seen)


def threshold_of(detector: Detector) -> float:
    thresholds = getattr(detector, "thresholds", {})
    return float(thresholds["text"])


if __name__ == "__main__":
    main()
