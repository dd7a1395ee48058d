"""What the pipeline asks of a detector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from anonymizer.types import Detection, Kind, Pixels8


class Detector(Protocol):
    """Finds objects of some kinds in pictures."""

    @property
    def kinds(self) -> frozenset[Kind]:
        """What it looks for."""

    def detect(self, picture: Pixels8) -> list[Detection]:
        """What it finds in one picture, boxes in pixels of the picture. Several threads may call one detector.

        One, since a batch saves no time on a CPU: see the figures in `tests/benchmarks/batches.py`.

        Args:
            picture: upright RGB, uint8 (H, W, 3), of any size.

        Raises:
            PictureError: the model gave no usable answer. An empty list always means: nothing found.
        """


@runtime_checkable
class ThresholdDetector(Detector, Protocol):
    """One that scores what it finds, and can show tracks of films also what is not sure."""

    @property
    def thresholds(self) -> Mapping[Kind, float]:
        """The lowest score of each kind that it looks for."""

    def for_films(self, threshold_share: float) -> Detector:
        """A detector for the frames of films, which also returns what has this share of the thresholds."""
