"""`solid`: one colour, chosen by the user, or the mean colour of the surroundings."""

from __future__ import annotations

import numpy as np

from anonymizer.redact.colors import chosen_color
from anonymizer.redact.scene import RedactionTarget, Scene
from anonymizer.types import Pixels


def paint(scene: Scene, target: RedactionTarget) -> Pixels:
    """What replaces the target: dtype of the picture, (height, width, C) of its bounds."""
    bounds = target.region.bounds
    color = np.rint(chosen_color(scene, target)).astype(scene.pixels.dtype)
    return np.broadcast_to(color, (bounds.height, bounds.width, len(color)))
