"""The mask of a film: a gray film of PNG pictures in a QuickTime file, with a frame for each frame, at the same times.

QuickTime files hold times exactly, which Matroska rounds to milliseconds.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from anonymizer.errors import PictureError
from anonymizer.files.picture import Frame
from anonymizer.redact.frame import mask_frame
from anonymizer.settings import RedactSettings
from anonymizer.types import FrameDetections
from anonymizer.video.facts import FilmFacts
from anonymizer.video.tracks import FilmTracks


def write_mask(
    place: Path,
    tracks: FilmTracks,
    facts: FilmFacts,
    times: array[int],
    settings: RedactSettings,
    on_frame: Callable[[int], None] = lambda number: None,
) -> None:
    """Writes how far each pixel of each frame is hidden, 0 where it stays as it is to 255 where nothing of it is left.

    Frames are upright. A film that begins before 0 has a mask that begins at 0.

    Args:
        times: when each frame is shown, in units of the film's time base.
        on_frame: called with the number of frames that are written.

    Raises:
        PictureError: the times cannot be kept exactly.
        OSError: the file cannot be written.
    """
    width, height = facts.upright_size
    blank = np.zeros((height, width, 1), np.uint8)
    base, late = Fraction(1, facts.time_base.denominator), min(0, times[0])
    moments = [(time - late) * facts.time_base.numerator for time in times]
    options = {"movie_timescale": str(base.denominator)}
    with av.open(str(place), "w", format="mov", options=options) as container:
        stream: Any = container.add_stream("png", options={"compression_level": "1", "pred": "up"})
        stream.width, stream.height, stream.pix_fmt = width, height, "gray"
        stream.time_base = stream.codec_context.time_base = base
        for index, moment in enumerate(moments):
            mask = mask_frame(Frame(blank), FrameDetections(tracks.in_frame(index)), settings)
            frame = av.VideoFrame.from_ndarray(mask, "gray")
            frame.pts, frame.time_base = moment, base
            container.mux(stream.encode(frame))
            on_frame(index + 1)
        container.mux(stream.encode(None))
    if _times_of(place) != [moment * base for moment in moments]:
        raise PictureError("has times that its mask cannot keep; leave out --mask-output")


def _times_of(place: Path) -> list[Fraction]:
    with av.open(str(place), format="mov") as container:
        return [packet.pts * packet.time_base for packet in container.demux(video=0) if packet.pts is not None]
