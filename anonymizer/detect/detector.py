"""What the pipeline asks of a detector."""

from typing import Protocol

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
