"""What a redaction shows of an object, settled once for the whole life of its track.

A redaction that shows a mean of each frame would show as many values as there are frames: a moving mosaic has been
undone by adding up frames. So the brightness of the cells is taken from one frame, that of the first sure detection.
What else is sure in that frame is left out of its cells.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from anonymizer.redact.cells import PLAIN_CELLS, Levels, levels_of
from anonymizer.redact.redaction import to_scene
from anonymizer.redact.targets import ranked, to_targets
from anonymizer.settings import RedactSettings
from anonymizer.types import Detection, Pixels8
from anonymizer.video.facts import FilmFacts
from anonymizer.video.source import FilmFrame, to_rgb
from anonymizer.video.tracks import FilmTracks


def freeze(pixels: Pixels8, found: Sequence[Detection], settings: RedactSettings) -> list[Levels | None]:
    """The brightness or tone that the redaction of each detection in a frame shows; None where its method shows none.

    Args:
        pixels: the upright frame, uint8 (H, W, 3).
        found: everything that is hidden in it: pixels hidden for one object say nothing about another.
    """
    # Silhouettes come later, and change nothing about what was settled.
    plain = [replace(one, silhouette=None) for one in found]
    in_order = ranked(plain, settings)
    targets = to_targets(plain, (pixels.shape[0], pixels.shape[1]), settings)
    shows = [target for target in targets if target.style.method in PLAIN_CELLS]
    levels = levels_of(to_scene(pixels, targets), shows) if shows else []
    of_detection = {id(in_order[target.number - 1]): of_target for target, of_target in zip(shows, levels, strict=True)}
    return [of_detection.get(id(one)) for one in plain]


class Freezer:
    """Settles what the redactions of known tracks show, while the film is gone through. It says what `look` says."""

    def __init__(self, tracks: FilmTracks, facts: FilmFacts, settings: RedactSettings) -> None:
        self._tracks = tracks
        self._facts = facts
        self._settings = settings
        self._levels: dict[int, Levels | None] = {}
        self._waiting: dict[int, list[Detection]] = defaultdict(list)
        """By frame, the tracks that are settled there."""
        rows, known = tracks.rows, set[int]()
        for counts in (rows["is_sure"], rows["score"] > 0, np.ones(len(rows), bool)):
            numbers, first = np.unique(rows["track"][counts], return_index=True)
            for number, row in zip(numbers.tolist(), rows[counts][first], strict=True):
                if number not in known:
                    known.add(number)
                    self._waiting[int(row["frame"])].append(tracks.detection(row))

    def add(self, frame: FilmFrame) -> None:
        """Takes the next frame."""
        waiting = self._waiting.pop(frame.index, None)
        if waiting is None:
            return
        found = dict.fromkeys([*self._tracks.seen_in(frame.index, only_sure=True), *waiting])
        rgb = to_rgb(frame.picture, self._facts.orientation)
        of_found = dict(zip(found, freeze(rgb, list(found), self._settings), strict=True))
        for one in waiting:
            assert one.track is not None
            self._levels[one.track] = of_found[one]

    def finish(self) -> FilmTracks:
        """The tracks with what their redactions show."""
        return self._tracks.with_levels(self._levels)
