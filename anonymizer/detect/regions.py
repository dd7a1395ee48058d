"""A detector on a model that says of each pixel how likely it belongs to an object, such as one of text.

The maps of all tiles and views of a picture become one, so that nothing is cut where tiles meet and no object is found
twice. What is connected in it is a region, which is hidden as the rectangle around it, turned as it lies.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.detect.description import RegionRule
from anonymizer.detect.inference import PROBABILITIES
from anonymizer.detect.model_detector import ModelDetector
from anonymizer.detect.postprocessing import SCORE_TOLERANCE
from anonymizer.detect.preprocessing import to_input
from anonymizer.detect.views import Crop, ScaledView, crops_of, scaled_views
from anonymizer.errors import PictureError
from anonymizer.outlines import PolygonOutline
from anonymizer.types import Detection, Pixels8

logger = logging.getLogger(__name__)

ProbabilityMap = npt.NDArray[np.uint8]
"""(H, W): of each pixel the probability, 0 to 255."""
Quad = npt.NDArray[np.float64]
"""(4, 2): x, y of the corners of a rectangle, in their order around it."""
Components = npt.NDArray[np.int32]


class RegionDetector(ModelDetector):
    """A `Detector` on a model with a `RegionRule`."""

    @property
    def _rule(self) -> RegionRule:
        assert self._model.regions is not None
        return self._model.regions

    def detect(self, picture: Pixels8) -> list[Detection]:
        """The regions in a picture, uint8 (H, W, 3), RGB, each with its outline; the best first.

        Raises:
            PictureError: the model gave no usable answer.
        """
        probabilities = self.probability_map(picture)
        found = [
            Detection.of(PolygonOutline(tuple((float(x), float(y)) for x, y in corners)), kind, score)
            for kind, threshold in self._thresholds.items()
            for corners, score in regions_of(probabilities, self._rule)
            if score >= threshold
        ]
        return sorted(found, key=lambda one: -one.score)

    def probability_map(self, picture: Pixels8) -> ProbabilityMap:
        """How likely each pixel belongs to an object, by the view that is the surest.

        Raises:
            PictureError: the model gave no usable answer.
        """
        height, width = picture.shape[:2]
        views = scaled_views(self._specs, height, width)
        logger.debug("model %s sees %d x %d pixels at %s", self._model.name, width, height, ", ".join(map(str, views)))
        best = np.zeros((height, width), np.uint8)
        for view in views:
            for seen in self._maps_of_view(picture, view):
                np.maximum(best, seen, out=best)
        return best

    def _maps_of_view(self, picture: Pixels8, view: ScaledView) -> Iterator[ProbabilityMap]:
        """One map of the picture's size for each scale: a view of a large picture has several."""
        height, width = picture.shape[:2]
        turns = view.spec.quarter_turns
        size = (width, height) if turns % 2 else (height, width)
        for (scale_y, scale_x), crops in groupby(
            crops_of(picture, view), key=lambda crop: (crop.scale_y, crop.scale_x)
        ):
            canvas = np.zeros((max(1, round(size[0] * scale_y)), max(1, round(size[1] * scale_x))), np.uint8)
            min_size = view.spec.min_size
            for crop in crops:
                # The limits of tiles do not count, since nothing is cut off here; those of scales do.
                min_size = crop.spec.min_size
                self._add(canvas, crop)
            spec = replace(view.spec, min_size=min_size)
            shown = _of_sizes(canvas, spec.min_size, spec.max_size, self._rule)
            shown = shown[:, ::-1] if spec.mirrored else shown
            yield _resized(np.ascontiguousarray(np.rot90(shown, -turns)), (height, width))

    def _add(self, canvas: ProbabilityMap, crop: Crop) -> None:
        """Puts what the model says of a crop into the map of all crops of its scale."""
        model_input = to_input(crop.pixels, self._model, self._loaded)
        answer = np.asarray(self._loaded.call(model_input.tensor)[PROBABILITIES], np.float32)
        if answer.ndim != 4 or answer.shape[0] != 1 or answer.shape[3] != 1:
            raise PictureError(f"model {self._model.name} answered with {answer.shape}, no map of probabilities")
        values = answer[0, :, :, 0]
        if not np.isfinite(values).all() or values.min() < -SCORE_TOLERANCE or values.max() > 1 + SCORE_TOLERANCE:
            raise PictureError(f"model {self._model.name} answered with probabilities that are not in the range 0..1")
        covered = (round(model_input.covered_height), round(model_input.covered_width))
        seen = _resized(np.rint(values.clip(0, 1) * 255).astype(np.uint8), covered)
        top, left = round(crop.top), round(crop.left)
        part = canvas[top : top + crop.pixels.shape[0], left : left + crop.pixels.shape[1]]
        np.maximum(part, seen[: part.shape[0], : part.shape[1]], out=part)


def regions_of(probabilities: ProbabilityMap, rule: RegionRule) -> list[tuple[Quad, float]]:
    """The grown rectangles around what is connected in a map, each with its score: the mean probability there."""
    bitmap = (probabilities >= max(1, round(rule.from_probability * 255))).view(np.uint8)
    contours, _ = cv2.findContours(bitmap, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    regions = []
    for contour in contours:
        # Corners of pixels, where the contour goes through their centres.
        (x, y), (width, height), degrees = cv2.minAreaRect(contour)
        width, height = width + 1, height + 1
        if min(width, height) < rule.min_side:
            continue
        by = rule.grow * width * height / (2 * (width + height))
        corners = cv2.boxPoints(((x + 0.5, y + 0.5), (width + 2 * by, height + 2 * by), degrees))
        regions.append((np.asarray(corners, np.float64), _mean_within(probabilities, np.asarray(contour, np.int32))))
    return regions


def _mean_within(probabilities: ProbabilityMap, contour: npt.NDArray[np.int32]) -> float:
    left, top, width, height = cv2.boundingRect(contour)
    inside = np.zeros((height, width), np.uint8)
    cv2.drawContours(inside, [contour], -1, 1, cv2.FILLED, offset=(-left, -top))
    part = probabilities[top : top + height, left : left + width]
    return float(part[inside > 0].mean() / 255)


def _of_sizes(probabilities: ProbabilityMap, smallest: float, largest: float, rule: RegionRule) -> ProbabilityMap:
    """Without what is connected and whose longer side is smaller or larger; that is left to other views."""
    if smallest <= 1 and largest >= max(probabilities.shape):
        return probabilities
    bitmap = (probabilities >= max(1, round(rule.from_probability * 255))).view(np.uint8)
    _, components, facts, _ = cv2.connectedComponentsWithStats(bitmap, connectivity=8)
    sizes = np.maximum(facts[:, cv2.CC_STAT_WIDTH], facts[:, cv2.CC_STAT_HEIGHT])
    is_kept = (sizes >= smallest) & (sizes <= largest)
    is_kept[0] = False
    return np.where(is_kept[components], probabilities, np.uint8(0))


def _resized(probabilities: ProbabilityMap, size: tuple[int, int]) -> ProbabilityMap:
    """Of another height and width. Shrinking keeps thin regions: it averages."""
    if probabilities.shape == size:
        return probabilities
    is_smaller = size[0] < probabilities.shape[0]
    interpolation = cv2.INTER_AREA if is_smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(probabilities, (size[1], size[0]), interpolation=interpolation), np.uint8)
