"""Which of the texts that were found stay visible: those that surely say something else than what is to be hidden."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot
from typing import ClassVar

import numpy as np

from anonymizer.detect.tones import to_rgb_8_bits
from anonymizer.files.picture import Frame, Picture
from anonymizer.geometry import corners_of
from anonymizer.kinds import TEXT_KIND, Kind
from anonymizer.outlines import PolygonOutline
from anonymizer.recognise.choice import LEAST_CLEAR, LEAST_LOOKS, ShownTrack, without
from anonymizer.recognise.patterns import Patterns
from anonymizer.recognise.text_reader import Reading, TextReader, load_text_reader, upright_quad
from anonymizer.record.edits import Edited
from anonymizer.settings import ChooseSettings
from anonymizer.types import Detection, FrameDetections

BY = "text-match"
"""Who decided, in the report."""
MOST_JOINED = 8
"""So many texts beside each other are read as one, at most: a number may be found in several parts."""
GAP = 2.0
"""Heights of a text between it and the next one of the same line, at most."""
SAME_LINE = 0.5
"""Heights by which the next one lies higher or lower, at most."""
SAME_HEIGHT = 2.0
"""How many times as high one of two neighbours is, at most."""


class TextChoice:
    """Takes from what was found the texts that may stay visible. What they say is neither kept nor told."""

    kind: ClassVar[Kind] = TEXT_KIND
    by: ClassVar[str] = BY

    def __init__(self, patterns: Patterns, reader: TextReader) -> None:
        self._patterns = patterns
        self.reader = reader

    def choose(self, picture: Picture, found: Sequence[FrameDetections]) -> Edited:
        """What remains to be hidden, and what the report says of each text that stays visible."""
        frames, done = [], []
        for number, (frame, of_frame) in enumerate(zip(picture.frames, found, strict=True)):
            shown = self._shown(frame, [one for one in of_frame.detections if one.kind == TEXT_KIND])
            frames.append(without(of_frame, [detection for detection, _ in shown]))
            in_frame = {"frame": number} if len(picture.frames) > 1 else {}
            done += [{**_entry(detection, score), **in_frame} for detection, score in shown]
        return Edited(frames, done)

    def judge_track(self, looks: Sequence[Reading]) -> ShownTrack | None:
        """Whether the text of a track in a film stays visible: if enough frames show it clearly, and it matches in
        none. None if it is hidden.

        Args:
            looks: what could be read in some of its frames, spread over all of its time.
        """
        clear = [look for look in looks if look.doubt is None]
        if len(clear) < LEAST_LOOKS or len(clear) < LEAST_CLEAR * len(looks):
            return None
        if any(self._patterns.match(text) for look in looks for text in look.texts):
            return None
        least = min(look.score for look in clear)
        return ShownTrack(None, least, f"reads as something else in {len(clear)} frames, {least:.2f} of 1 at least")

    def _shown(self, frame: Frame, texts: Sequence[Detection]) -> list[tuple[Detection, float]]:
        """The texts that stay visible, each with how sure its reading is."""
        if not texts:
            return []
        rgb = to_rgb_8_bits(frame.view)
        readings = [self.reader.read_detection(rgb, one) for one in texts]
        is_hidden = [reading.doubt is not None or any(map(self._patterns.match, reading.texts)) for reading in readings]
        self._hide_parts(texts, readings, is_hidden)
        pairs = zip(texts, readings, is_hidden, strict=True)
        return [(one, reading.score) for one, reading, hidden in pairs if not hidden]

    def _hide_parts(self, texts: Sequence[Detection], readings: Sequence[Reading], is_hidden: list[bool]) -> None:
        """Marks texts that match together with their neighbours of the same line, but not by themselves."""
        following = next_of_each(texts)
        matching = [any(map(self._patterns.match, reading.texts)) for reading in readings]
        for first in range(len(texts)):
            run = [first]
            said = [*readings[first].texts[:1]]
            is_match = False
            while len(run) < MOST_JOINED and (after := following[run[-1]]) is not None and after not in run:
                run.append(after)
                if is_match:
                    continue  # a longer text may match, too: how far it would reach is not asked
                if not readings[after].texts or any(matching[index] for index in run):
                    break  # what matches alone needs no neighbours
                said.append(readings[after].texts[0])
                is_match = len(said) == len(run) and self._patterns.match(" ".join(said))
            if is_match:
                for index in run:
                    is_hidden[index] = True


def next_of_each(texts: Sequence[Detection]) -> list[int | None]:
    """For each text the one that follows it in the same line; None if there is none."""
    quads = [upright_quad(_corners(one)) for one in texts]
    middles = [quad.mean(axis=0) for quad in quads]
    heights = [hypot(*(quad[3] - quad[0])) for quad in quads]
    widths = [hypot(*(quad[1] - quad[0])) for quad in quads]
    following: list[int | None] = []
    for number, quad in enumerate(quads):
        along = (quad[1] - quad[0]) / max(widths[number], 1e-9)
        across = np.array([-along[1], along[0]])
        best: tuple[float, int] | None = None
        for other, middle in enumerate(middles):
            by = middle - middles[number]
            small, large = sorted((heights[number], heights[other]))
            gap = float(by @ along) - (widths[number] + widths[other]) / 2
            is_next = other != number and float(by @ along) > 0 and gap <= GAP * large
            if is_next and abs(float(by @ across)) <= SAME_LINE * large and large <= SAME_HEIGHT * small:
                best = min(best or (gap, other), (gap, other))
        following.append(None if best is None else best[1])
    return following


def _corners(text: Detection) -> Sequence[tuple[float, float]]:
    outline = text.outline
    is_quad = isinstance(outline, PolygonOutline) and len(outline.corners) == 4
    return outline.corners if is_quad and isinstance(outline, PolygonOutline) else corners_of(text.redaction_box)


def _entry(text: Detection, score: float) -> dict[str, object]:
    """As of an edit that removes it."""
    box = {"box": list(text.redaction_box.xyxy)}
    decided = {"reason": f"reads as something else, {score:.2f} of 1", "by": BY}
    return {"remove": box, "kind": text.kind, **decided, "found": {**box, "score": text.score}}


def load_text_choice(settings: ChooseSettings) -> TextChoice | None:
    """None where all texts that are found are hidden.

    Raises:
        ModelError: the reader is missing or damaged.
    """
    if settings.text_match is None:
        return None
    return TextChoice(Patterns(settings.text_match), load_text_reader())
