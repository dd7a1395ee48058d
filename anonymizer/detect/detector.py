"""What the pipeline asks of a detector."""

from collections.abc import Sequence
from typing import Protocol

from anonymizer.types import Detection, Kind, Pixels8


class Detector(Protocol):
    """Finds objects of some kinds in pictures."""

    @property
    def kinds(self) -> frozenset[Kind]:
        """What it looks for."""

    def detect(self, pictures: Sequence[Pixels8]) -> list[list[Detection]]:
        """One list per picture.

        Args:
            pictures: upright RGB, uint8 (H, W, 3), of any sizes.

        Raises:
            PictureError: the model gave no usable answer. An empty list always means: nothing found.
        """
