"""The sizes at which a model looks at a picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2

from anonymizer.types import Pixels8


def fitted_views(picture: Pixels8, longest_sides: Sequence[int]) -> list[Pixels8]:
    """The picture, shrunk so that its longest side is at most each of these lengths in pixels; never enlarged.

    Sizes that come out the same count once. Without any length, the picture as it is.
    """
    height, width = picture.shape[:2]
    scales = {min(1.0, side / max(height, width)) for side in longest_sides} or {1.0}
    return [_scaled(picture, scale) for scale in sorted(scales)]


def _scaled(picture: Pixels8, scale: float) -> Pixels8:
    if scale == 1.0:
        return picture
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA).astype(picture.dtype, copy=False)
