"""Silhouettes: all that a segmentation network says is of a head, with hair and ears, or of a person.

A folder of the bundled models with a `segmenter.yaml` holds a network that sees a square crop around a box, and says
for each of its pixels whether it is of what is in the box. The outline of that is added to detections of the kinds that
the file names; how much more than the outline is hidden, `redact.targets` says. Where the network does not see what it
should, a detection gets no silhouette, and is hidden as it would be without one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from math import ceil, floor
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import yaml

from anonymizer.detect.catalogue import BUNDLED, SEGMENTER_NAME
from anonymizer.detect.stderr import suppress_native_stderr
from anonymizer.detect.tones import to_rgb_8_bits
from anonymizer.errors import ModelError, PictureError
from anonymizer.files.picture import Frame, Picture
from anonymizer.geometry import Box
from anonymizer.kinds import TRAITS, Kind
from anonymizer.outlines import PolygonOutline
from anonymizer.settings import RedactSettings
from anonymizer.types import DRAWN_SCORE, Detection, FrameDetections, Pixels8

Share = npt.NDArray[np.float32]
"""(S, S), 0..1: how sure a network is that a pixel of a crop is of what is in the middle."""

OUTSIDE = 127
"""Level of pixels of a crop that lie outside of the picture; networks learn it."""
_LARGEST_PX = 4096
"""Crops from twice this side on are shrunk by whole numbers, for memory: a box may reach far beyond its picture."""
_SEEN_FROM = 0.5
"""A silhouette counts if it holds this share of the ellipse in the box: otherwise the network sees something else."""
_REACHES = 0.1
"""Of a whole object so little may be left unseen at each side of its box, as a share of the box's width and height."""
_DOUBT_FROM, _DOUBT_TO, _MOST_DOUBT = 0.1, 0.9, 0.3
"""And so many of the pixels in the box may be in doubt, compared to those that are seen."""
_SMALLEST_PART = 12
"""Pixels of the crop: what shows less of itself in the box is no part of the object."""
_SIMPLER_BY = 0.6
"""Corners of an outline are left out as long as it moves by no more than so many pixels of the crop."""


@dataclass(frozen=True)
class Crop:
    """A square of a picture, which may extend beyond it."""

    left: int
    top: int
    side: int

    @classmethod
    def around(cls, box: Box, context: float) -> Crop:
        """
        Args:
            context: side of the crop as a multiple of the box's longer side.
        """
        side = max(4, ceil(context * box.longer_side))
        x, y = box.center
        return cls(floor(x - side / 2), floor(y - side / 2), side)

    def of(self, pixels: Pixels8, size: int) -> Pixels8:
        """What is in it, scaled: uint8 (size, size, 3).

        Args:
            pixels: uint8 (H, W, 3).
        """
        height, width = pixels.shape[:2]
        top, bottom = (min(max(0, edge), height) for edge in (self.top, self.top + self.side))
        left, right = (min(max(0, edge), width) for edge in (self.left, self.left + self.side))
        by = max(1, self.side // _LARGEST_PX)
        side = ceil(self.side / by)
        crop = np.full((side, side, 3), OUTSIDE, np.uint8)
        if top < bottom and left < right:
            part = pixels[top:bottom, left:right]
            if by > 1:
                shrunk = max(1, part.shape[1] // by), max(1, part.shape[0] // by)
                part = np.asarray(cv2.resize(part, shrunk, interpolation=cv2.INTER_AREA), np.uint8)
            row, column = (top - self.top) // by, (left - self.left) // by
            crop[row : row + part.shape[0], column : column + part.shape[1]] = part
        way = cv2.INTER_AREA if self.side > size else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(crop, (size, size), interpolation=way), np.uint8)


@dataclass(frozen=True)
class SegmenterDescription:
    """What `segmenter.yaml` says."""

    name: str
    path: Path
    sha256: str
    contexts: Mapping[Kind, float]
    """For each kind that it is for, the side of its crop as a multiple of the box's longer side."""
    threshold: float
    """From this share on a pixel is of the object."""
    scale: float
    """Levels of 8 bits are divided by it for the network: 255 where it takes 0 to 1."""
    licence: str
    origin: str
    limits: str = ""
    """What it does not draw; shown."""


def describe_segmenters(folder: Path = BUNDLED) -> list[SegmenterDescription]:
    """Those in the folders directly below one.

    Raises:
        ModelError: one is damaged, or its description is.
    """
    return [_describe(path) for path in sorted(folder.glob(f"*/{SEGMENTER_NAME}"))]


def _describe(path: Path) -> SegmenterDescription:
    try:
        content = yaml.safe_load(path.read_bytes())
        described = SegmenterDescription(
            str(content["name"]),
            path.parent / content["file"],
            str(content["sha256"]),
            {str(kind): float(context) for kind, context in content["contexts"].items() if kind in TRAITS},
            float(content["threshold"]),
            float(content.get("scale", 1.0)),
            str(content["licence"]),
            str(content["origin"]),
            str(content.get("limits", "")),
        )
        found = sha256(described.path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(f"model {error.filename}: {error.strerror}") from None
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{path} is damaged: {error}") from None
    if found != described.sha256:
        raise ModelError(
            f"model {described.path} has SHA-256 {found}, its {path.name} says {described.sha256}: damaged?"
        )
    return described


@dataclass(frozen=True)
class Segmenter:
    """A loaded network. Several threads may call it."""

    see: Callable[[Pixels8], Share]
    """uint8 (S, S, 3), RGB -> (S, S)."""
    size: int
    """S."""
    threshold: float

    def silhouette(self, picture: Pixels8, box: Box, context: float) -> PolygonOutline | None:
        """The outline of what is in a box; None if the network does not see it.

        Args:
            picture: uint8 (H, W, 3), RGB.

        Raises:
            PictureError: the network gave no usable answer.
        """
        crop = Crop.around(box, context)
        share, scale = self._share(picture, crop), crop.side / self.size
        expected = np.zeros(share.shape, np.uint8)
        x, y = ((middle - start) / scale for middle, start in zip(box.center, (crop.left, crop.top), strict=True))
        axes = max(1, round(box.width / 2 / scale)), max(1, round(box.height / 2 / scale))
        cv2.ellipse(expected, (round(x - 0.5), round(y - 0.5)), axes, 0, 0, 360, 1, cv2.FILLED)
        seen = (share >= self.threshold).astype(np.uint8)
        if not expected.any() or seen[expected > 0].mean() < _SEEN_FROM:
            return None
        return _to_polygon(_outline_of(seen, expected), crop, scale)

    def whole(self, picture: Pixels8, box: Box, context: float) -> PolygonOutline | None:
        """The outline of all that is seen of what is in a box, which may take the box's place.

        None if something may be missing: what is seen does not reach to all sides of the box, or much is in doubt.

        Args:
            picture: uint8 (H, W, 3), RGB.

        Raises:
            PictureError: the network gave no usable answer.
        """
        crop = Crop.around(box, context)
        share, scale = self._share(picture, crop), crop.side / self.size
        seen = (share >= self.threshold).astype(np.uint8)
        sides = np.divide(np.subtract(box.xyxy, (crop.left, crop.top, crop.left, crop.top)), scale)
        left, top, right, bottom = (round(side) for side in sides.tolist())
        inside = np.s_[max(0, top) : bottom, max(0, left) : right]
        rows, columns = seen[inside].any(axis=1).nonzero()[0], seen[inside].any(axis=0).nonzero()[0]
        if not len(rows):
            return None
        height, width = seen[inside].shape
        unseen = max(rows[0] / height, 1 - (rows[-1] + 1) / height, columns[0] / width, 1 - (columns[-1] + 1) / width)
        in_doubt = (share[inside] > _DOUBT_FROM) & (share[inside] < _DOUBT_TO)
        joined = _joined(seen, inside)
        if unseen > _REACHES or in_doubt.sum() > _MOST_DOUBT * seen[inside].sum() or not joined.any():
            return None
        return _to_polygon(_outline_of(joined, seen), crop, scale)

    def _share(self, picture: Pixels8, crop: Crop) -> Share:
        share = self.see(crop.of(picture, self.size))
        if share.shape != (self.size, self.size) or not np.isfinite(share).all():
            raise PictureError("a model gave no usable answer about a silhouette")
        return share


def _to_polygon(corners: Sequence[tuple[int, int]], crop: Crop, scale: float) -> PolygonOutline | None:
    if len(corners) < 3:
        return None
    return PolygonOutline(
        tuple((round((x + 0.5) * scale + crop.left, 2), round((y + 0.5) * scale + crop.top, 2)) for x, y in corners)
    )


def _joined(seen: npt.NDArray[np.uint8], inside: tuple[slice, slice]) -> npt.NDArray[np.uint8]:
    """The parts that show themselves in a box, each joined to the first one by a line on the shortest way."""
    number, parts = cv2.connectedComponents(seen, connectivity=8)
    sizes = np.bincount(parts[inside].ravel(), minlength=number)
    kept = [part for part in range(1, number) if sizes[part] >= _SMALLEST_PART]
    joined = np.isin(parts, kept).astype(np.uint8)
    for part in kept[1:]:
        one, other = (np.argwhere(parts == each)[:, ::-1] for each in (kept[0], part))
        far = cv2.distanceTransform((parts != kept[0]).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        x, y = other[far[other[:, 1], other[:, 0]].argmin()].tolist()
        near = one[np.square(one - (x, y)).sum(axis=1).argmin()].tolist()
        cv2.line(joined, (x, y), near, 1, 1)
    return joined


def _outline_of(seen: npt.NDArray[np.uint8], expected: npt.NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Corners, in whole pixels, of an outline around that part of what is seen which is most expected."""
    wider = cv2.dilate(seen, np.ones((3, 3), np.uint8))  # a contour goes through the centres of pixels
    contours, _ = cv2.findContours(wider, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)

    def shared(contour: npt.NDArray[np.int32]) -> int:
        filled = cv2.drawContours(np.zeros_like(seen), [contour], -1, 1, cv2.FILLED)
        return int(np.logical_and(filled, expected).sum())

    contour = max(contours, key=lambda one: shared(np.asarray(one, np.int32)))
    simple = cv2.approxPolyDP(contour, _SIMPLER_BY, closed=True)
    return [(int(x), int(y)) for x, y in simple[:, 0]]


@lru_cache(maxsize=4)
def _load(path: Path, digest: str, threshold: float, scale: float) -> Segmenter:
    """
    Args:
        digest: of the file, so that another one is loaded anew.
    """
    from anonymizer.detect.small_model import SmallModel

    with suppress_native_stderr():
        model = SmallModel(path)
    height, width, channels = model.taken_shape

    def see(crop: Pixels8) -> Share:
        shown = crop if channels == 3 else cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[:, :, np.newaxis]
        return model((shown / scale).astype(model.taken_dtype)).reshape(height, width)

    return Segmenter(see, width, threshold)


def load_segmenter(described: SegmenterDescription) -> Segmenter:
    """A network that is ready to be called. It is kept.

    Raises:
        ModelError: it is damaged.
    """
    return _load(described.path, described.sha256, described.threshold, described.scale)


@dataclass(frozen=True)
class Silhouettes:
    """Adds silhouettes to detections of some kinds. Networks are loaded when they are first needed."""

    segmenters: Mapping[Kind, SegmenterDescription]
    """One for each kind."""

    def add(self, picture: Picture, found: Sequence[FrameDetections]) -> list[FrameDetections]:
        """What is in each frame, with the silhouettes of those that have none so far.

        Raises:
            ModelError: a network is damaged.
            PictureError: a network gave no usable answer.
        """
        return [self._add(*pair) for pair in zip(picture.frames, found, strict=True)]

    def _add(self, frame: Frame, found: FrameDetections) -> FrameDetections:
        if not any(map(self.lacks, found.detections)):
            return found
        shown = to_rgb_8_bits(frame.view)
        drawn = {one: self.drawn(one, shown) for one in found.detections}
        in_alpha = None if found.in_alpha is None else [drawn[one] for one in found.in_alpha]
        return replace(found, detections=list(drawn.values()), in_alpha=in_alpha)

    def lacks(self, one: Detection) -> bool:
        """Whether a silhouette is to be looked for."""
        is_followed = one.track is not None  # through frames that no model saw
        if TRAITS[one.kind].silhouette_alone and (is_followed or one.score == DRAWN_SCORE):
            return False  # the whole box is meant
        return one.kind in self.segmenters and one.silhouette is None and one.outline is None

    def drawn(self, one: Detection, shown: Pixels8) -> Detection:
        """A detection with its silhouette, if it is to have one and the network sees it.

        Args:
            shown: the picture, uint8 (H, W, 3), RGB.
        """
        if not self.lacks(one):
            return one
        described = self.segmenters[one.kind]
        context = described.contexts[one.kind]
        segmenter = load_segmenter(described)
        if not TRAITS[one.kind].silhouette_alone:
            return replace(one, silhouette=segmenter.silhouette(shown, one.redaction_box, context))
        outline = segmenter.whole(shown, one.redaction_box, context)
        touches = outline is not None and outline.box.touches((shown.shape[0], shown.shape[1]))
        return Detection.of(outline, one.kind, one.score) if outline is not None and touches else one


def choose_silhouettes(settings: RedactSettings, folder: Path = BUNDLED) -> Silhouettes | None:
    """What draws the silhouettes that are to be hidden; None if none are. Loads no network.

    Raises:
        ModelError: a network that is needed is missing or damaged.
    """
    kinds = [kind for kind in TRAITS if settings.has_silhouettes(kind) and settings.method_of(kind) != "none"]
    if not kinds:
        return None
    described = {kind: one for one in describe_segmenters(folder) for kind in one.contexts}
    for kind in kinds:
        if kind not in described:
            raise ModelError(f"no bundled model draws silhouettes of {TRAITS[kind].plural}")
    return Silhouettes({kind: described[kind] for kind in kinds})
