"""Finds QR, bar and other codes by zxing-cpp, without a network: those that can be read, and those that cannot.

What a code says leaves neither this module nor the library: of each code only the place is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from math import ceil, hypot
from types import ModuleType
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.detect.code_patterns import is_plausible
from anonymizer.detect.description import ModelDescription, ViewSpec
from anonymizer.detect.views import scaled_views
from anonymizer.errors import ModelError
from anonymizer.kinds import Kind
from anonymizer.outlines import PolygonOutline
from anonymizer.types import Detection, Pixels8

CODE: Kind = "code"
PACKAGE = "zxing-cpp"

READ, DAMAGED, SEEN, DOUBTFUL = 1.0, 0.5, 0.4, 0.2
"""Scores: of a code that can be read, of one that is found but cannot be read, of what looks like bars, and of what
cannot be read and lacks the shape or the patterns of a code."""
SIDE_PX = 4096
"""Longest side of what is looked at in one piece: larger pictures are looked at piece by piece."""
SHARED_PX = 1024
"""What neighbouring pieces share. A code up to this size lies wholly in one of them; larger ones are found in the same
picture shrunk by half."""
BARS_PX, BARS_SHARED_PX = 512, 192
"""The same for bars: OpenCV shrinks what is larger."""
ROW_BY_ROW = ("PDF417",)
"""Formats that are not found where they lie aslant. Bars are found at any angle."""
TURNS = (22.5, 45.0, 67.5)
"""By which they are looked for again, in degrees; they are found up to some 15 degrees from that."""
FEWEST_EDGES = 20
"""Short bar codes that cannot be read still have more; letters, folds and fences mostly have less."""
FEWEST_PX, MOST_SAMPLES = 8, 256
"""Shorter groups of bars are taken as they are; of longer ones rows are compared in so many samples."""
REACH = 1.5
"""So far above and below a part of them bars are followed, as a share of its width."""
ALIKE, MISSED_ROWS = 0.5, 3
"""Correlation from which on rows show the same bars, and how many rows in between need not."""
MOST_AT_ONCE = 255
"""So many codes the library returns at most. A piece with as many is looked at in halves."""
SMALLEST_PIECE_PX = 64
ROUNDING_PX = 1.0
"""The library gives corners in whole pixels."""
SAME = 0.5
"""Two findings are of the same code if they share this much of the smaller one."""

_NO_MAP: Any = None
Gray: TypeAlias = npt.NDArray[np.uint8]
Corners: TypeAlias = npt.NDArray[np.float32]
"""(N, 2): x, y."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A code as it was found in one look."""

    corners: Corners
    """Of a convex polygon around it, in pixels of the picture."""
    score: float


class CodeDetector:
    """A `Detector` of codes."""

    def __init__(self, views: Sequence[ViewSpec], threshold: float) -> None:
        self._views = views
        self._threshold = threshold

    @property
    def kinds(self) -> frozenset[Kind]:
        return frozenset([CODE])

    def detect(self, picture: Pixels8) -> list[Detection]:
        """See `Detector`. Each code has an outline."""
        gray = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
        scales = [view.scale for view in scaled_views(self._views, *gray.shape)]
        usual = min(1.0, max(scales))
        looks = [
            *_looks(gray, _read, [*scales, *_halved(min(scales), gray, SIDE_PX)], SIDE_PX, SHARED_PX),
            *_looks(gray, _read_aslant, scales, SIDE_PX, SHARED_PX),
            *_looks(gray, bars, [usual, *_halved(usual, gray, BARS_PX)], BARS_PX, BARS_SHARED_PX),
        ]
        return [
            Detection.of(PolygonOutline(tuple((float(x), float(y)) for x, y in one.corners)), CODE, one.score)
            for one in united([one for one in looks if one.score >= self._threshold])
        ]


def to_detector(model: ModelDescription, preset: str, thresholds: Mapping[Kind, float]) -> CodeDetector:
    """
    Raises:
        ModelError: the library is missing.
    """
    runtime()
    return CodeDetector(model.views[preset], thresholds[CODE])


def runtime() -> str:
    """The library, with its version.

    Raises:
        ModelError: it is missing.
    """
    _library()
    return f"{PACKAGE} {version(PACKAGE)}"


def _library() -> ModuleType:
    try:
        import zxingcpp
    except ImportError as error:
        raise ModelError(f"codes are found by the package {PACKAGE}: pip install {PACKAGE} ({error})") from None
    return zxingcpp


def _halved(scale: float, gray: Gray, side: int) -> Iterator[float]:
    """Halves of a scale, until the picture fits into one piece."""
    while scale * max(gray.shape) > side:
        scale /= 2
        yield scale


def _looks(
    gray: Gray, find: Callable[[Gray], Sequence[Sighting]], scales: Sequence[float], side: int, shared: int
) -> Iterator[Sighting]:
    """What is found in a picture at some scales, piece by piece.

    Args:
        find: in pixels of what it is shown.
        side: of a piece, in those pixels.
        shared: what neighbouring pieces share.
    """
    for scale in scales:
        for rows in _pieces(gray.shape[0], side / scale, shared / scale):
            for columns in _pieces(gray.shape[1], side / scale, shared / scale):
                piece = _scaled(gray[rows, columns], scale)
                by = np.divide(piece.shape[::-1], (columns.stop - columns.start, rows.stop - rows.start))
                for one in find(piece):
                    yield Sighting((one.corners / by + (columns.start, rows.start)).astype(np.float32), one.score)


def _pieces(length: int, side: float, shared: float) -> Iterator[slice]:
    """The pieces along a side, evenly spread, each at most so long."""
    count = max(1, ceil((length - shared) / (side - shared)))
    piece = ceil((length + (count - 1) * shared) / count)
    for number in range(count):
        start = round(number * (length - piece) / max(1, count - 1))
        yield slice(start, start + piece)


def _scaled(gray: Gray, scale: float) -> Gray:
    if scale == 1:
        return np.ascontiguousarray(gray)
    height, width = (max(1, round(length * scale)) for length in gray.shape)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(gray, (width, height), interpolation=how), np.uint8)


def _read(gray: Gray, formats: Sequence[str] = ()) -> list[Sighting]:
    """What the library finds, in pixels of what it is shown.

    Args:
        formats: of codes, by the names of the library; all if there are none.
    """
    library = _library()
    chosen = {"formats": [getattr(library.BarcodeFormat, name) for name in formats]} if formats else {}
    barcodes = library.read_barcodes(gray, return_errors=True, **chosen)
    if len(barcodes) >= MOST_AT_ONCE and max(gray.shape) > SMALLEST_PIECE_PX:
        return [one for part, offset in _halves(gray) for one in _moved(_read(part, formats), offset)]
    sightings = (_to_sighting(gray, one, library) for one in barcodes)
    return [one for one in sightings if one is not None]


def _halves(gray: Gray) -> list[tuple[Gray, tuple[int, int]]]:
    """Two parts that share a quarter of the longer side, with the column and row where each begins."""
    height, width = gray.shape
    if width >= height:
        cut = -(-width * 5 // 8)
        return [(gray[:, :cut], (0, 0)), (gray[:, width - cut :], (width - cut, 0))]
    cut = -(-height * 5 // 8)
    return [(gray[:cut], (0, 0)), (gray[height - cut :], (0, height - cut))]


def _moved(sightings: Sequence[Sighting], offset: tuple[int, int]) -> list[Sighting]:
    return [Sighting(one.corners + np.array(offset, np.float32), one.score) for one in sightings]


def _read_aslant(gray: Gray) -> list[Sighting]:
    """What of the formats that are read row by row is found when the picture is turned."""
    return [one for degrees in TURNS for one in _read_turned(gray, degrees)]


def _read_turned(gray: Gray, degrees: float) -> Iterator[Sighting]:
    height, width = gray.shape
    side = ceil(hypot(height, width))
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    turn[:, 2] += (side - width) / 2, (side - height) / 2
    turned = np.asarray(cv2.warpAffine(gray, turn, (side, side)), np.uint8)
    back = cv2.invertAffineTransform(turn).astype(np.float32)
    for one in _read(turned, ROW_BY_ROW):
        yield Sighting(one.corners @ back[:, :2].T + back[:, 2], one.score)


def _to_sighting(gray: Gray, barcode: Any, library: Any) -> Sighting | None:
    """None if the library does not know where the code lies: then it cannot be read either."""
    place = barcode.position
    points = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
    # Of what it cannot read the library may know two corners alone; the others lie in a corner of the picture then.
    height, width = gray.shape
    nowhere = {(x, y) for x in (0, width - 1) for y in (0, height - 1)}
    is_read = barcode.error is None
    known = [(point.x, point.y) for point in points if is_read or (point.x, point.y) not in nowhere]
    if not known:
        return None
    corners = np.array(known, np.float32)
    if barcode.format in library.BarcodeFormats(library.BarcodeFormat.AllLinear):
        if len(known) == 4:
            is_half = barcode.format in library.BarcodeFormats(library.BarcodeFormat.DataBar)
            corners = whole_bars(gray, _widened(corners) if is_half else corners)
    elif not is_read and barcode.format not in library.BarcodeFormats(library.BarcodeFormat.PDF417):
        whole = np.array([(point.x, point.y) for point in points], np.float32)
        return Sighting(_grown(corners), DAMAGED if is_plausible(gray, whole, barcode.format.name) else DOUBTFUL)
    return Sighting(_grown(corners), READ if is_read else DAMAGED)


def _widened(corners: Corners) -> Corners:
    """With as much again on the left and on the right: of DataBar the library names one of two halves."""
    along = np.array(
        [corners[0] - corners[1], corners[1] - corners[0], corners[2] - corners[3], corners[3] - corners[2]]
    )
    return np.asarray(corners + along, np.float32)


def bars(gray: Gray) -> list[Sighting]:
    """Groups of bars that lie side by side at any angle, whether they can be read or not."""
    has_found, quads = cv2.barcode.BarcodeDetector().detectMulti(gray)
    found = []
    for quad in np.asarray(quads, np.float32).reshape(-1, 4, 2) if has_found else ():
        upright, corners = _upright(gray, quad)
        read = _read(upright, ["AllLinear"])
        if read or _edges(upright) >= FEWEST_EDGES:
            found.append(Sighting(_grown(whole_bars(gray, corners)), max((one.score for one in read), default=SEEN)))
    return found


def _upright(gray: Gray, quad: Corners) -> tuple[Gray, Corners]:
    """What a rectangle holds, enlarged and turned so that its bars stand upright, and its corners in that order."""
    one, other = (_straightened(gray, np.roll(quad, by, axis=0)) for by in (0, 1))

    def contrast_along_rows(pixels: Gray) -> float:
        values = pixels.astype(np.float32)
        return float(np.abs(np.diff(values, axis=1)).mean() - np.abs(np.diff(values, axis=0)).mean())

    if contrast_along_rows(one) >= contrast_along_rows(other):
        return one, quad
    return other, np.roll(quad, 1, axis=0)


def _edges(upright: Gray) -> int:
    """How often bars and gaps take turns from left to right, by a quarter of the contrast at least."""
    profile = upright.mean(axis=0)
    step = 0.25 * float(np.percentile(profile, 90) - np.percentile(profile, 10))
    turns, rises, last = 0, True, float(profile[0])
    for value in profile.tolist():
        if (value > last) == rises:
            last = value
        elif abs(value - last) > step:
            turns, rises, last = turns + 1, not rises, value
    return turns


def _straightened(gray: Gray, quad: Corners) -> Gray:
    """Twice as large as in the picture, with room on either side."""
    width, height = (max(4, round(2 * float(np.linalg.norm(quad[i] - quad[0])))) for i in (1, 3))
    room = max(8, width // 6)
    there = np.array([(room, 0), (room + width, 0), (room + width, height), (room, height)], np.float32)
    matrix = cv2.getPerspectiveTransform(quad, there)
    shown = cv2.warpPerspective(gray, matrix, (width + 2 * room, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(shown, np.uint8)


def whole_bars(gray: Gray, corners: Corners) -> Corners:
    """What bars cover that go on above and below a part of them, where rows look like those in its middle.

    Args:
        corners: (4, 2) of the part, its upper side first.
    """
    left, right = (corners[0] + corners[3]) / 2, (corners[1] + corners[2]) / 2
    length = float(np.linalg.norm(right - left))
    if length < FEWEST_PX:
        return corners
    step_px = max(1.0, length / MOST_SAMPLES)
    along = (right - left) * (step_px / length)
    across = np.array((-along[1], along[0]))
    count = int(length / step_px)
    columns = np.arange(-1, count + 1)[:, np.newaxis] * along

    def row_at(number: int, shift: int) -> npt.NDArray[np.float32]:
        """(count + 2,): a row, so many steps across and along, with one sample more at either end."""
        places = (left + columns + shift * along + number * across).astype(np.float32)
        row = cv2.remap(gray, places[np.newaxis], _NO_MAP, cv2.INTER_LINEAR)
        return np.asarray(row.ravel(), np.float32)

    model = _normalised(row_at(0, 0)[1:-1])
    ends = [left, right]
    for way in (-1, 1):
        shift, missed = 0, 0
        for number in range(1, ceil(REACH * count)):
            row = row_at(way * number, shift)
            alike = {by: float(model @ _normalised(row[1 + by : 1 + by + count])) for by in (0, -1, 1)}
            best = max(alike, key=alike.__getitem__)
            if alike[best] < ALIKE:
                missed += 1
                if missed > MISSED_ROWS:
                    break
                continue
            shift, missed = shift + best, 0
            ends += [end + shift * along + way * number * across for end in (left, right)]
    return np.concatenate([corners, np.array(ends, np.float32)])


def _normalised(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    centred = values - values.mean()
    return np.asarray(centred / max(float(np.linalg.norm(centred)), 1e-6), np.float32)


def _grown(corners: Corners) -> Corners:
    """The convex polygon around all points less far than the rounding from the given ones."""
    offsets = np.array([(x, y) for x in (0, 1) for y in (0, 1)], np.float32) * (1 + 2 * ROUNDING_PX) - ROUNDING_PX
    around = (corners[:, np.newaxis] + offsets).reshape(-1, 2)
    return np.asarray(cv2.convexHull(around)[:, 0], np.float32)


def united(sightings: Sequence[Sighting]) -> list[Sighting]:
    """One for each code: the convex polygon around all sightings of it, with the best score, by falling score."""
    codes: list[Sighting] = []
    for one in sorted(sightings, key=lambda one: (-one.score, -cv2.contourArea(one.corners))):
        same = [code for code in codes if _are_same(code.corners, one.corners)]
        best = max([one, *same], key=lambda one: one.score).score
        corners = cv2.convexHull(np.concatenate([one.corners, *(code.corners for code in same)]))[:, 0]
        codes = [code for code in codes if not any(code is other for other in same)]
        codes.append(Sighting(np.asarray(corners, np.float32), best))
    return sorted(codes, key=lambda one: -one.score)


def _are_same(one: Corners, other: Corners) -> bool:
    if (one.min(axis=0) > other.max(axis=0)).any() or (other.min(axis=0) > one.max(axis=0)).any():
        return False
    shared, _ = cv2.intersectConvexConvex(one, other)
    return bool(shared > SAME * min(cv2.contourArea(one), cv2.contourArea(other)))
