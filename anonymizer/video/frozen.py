"""What a redaction shows of an object, settled once for the whole life of its track.

A redaction that shows a mean of each frame would show as many values as there are frames: a moving mosaic has been
undone by adding up frames. So the brightness of the cells is taken from one frame, that of the first sure detection.
"""

from __future__ import annotations

from collections.abc import Sequence

from anonymizer.redact.cells import Levels, levels_of
from anonymizer.redact.methods import leaked_values
from anonymizer.redact.redaction import to_scene
from anonymizer.redact.targets import ranked, to_targets
from anonymizer.settings import RedactSettings
from anonymizer.types import Detection, Pixels8


def freeze(pixels: Pixels8, found: Sequence[Detection], settings: RedactSettings) -> list[Levels | None]:
    """The brightness that the redaction of each detection in a frame shows; None where its method shows none.

    Args:
        pixels: the upright frame, uint8 (H, W, 3).
        found: everything that is hidden in it: pixels hidden for one object say nothing about another.
    """
    in_order = ranked(found, settings)
    targets = to_targets(found, (pixels.shape[0], pixels.shape[1]), settings)
    shows = [target for target in targets if leaked_values(target.style)]
    levels = levels_of(to_scene(pixels, targets), shows) if shows else []
    of_detection = {id(in_order[target.number - 1]): of_target for target, of_target in zip(shows, levels, strict=True)}
    return [of_detection.get(id(one)) for one in found]
