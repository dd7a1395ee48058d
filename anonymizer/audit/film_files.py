"""Films of the audit as files: written, redacted by the program as it redacts any film, or by others frame by frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import av
import numpy as np

from anonymizer.audit.faces import Face
from anonymizer.audit.film import RATE, redacted_frames
from anonymizer.audit.redactions import Ours, Redaction
from anonymizer.detect.frames import ModelFinder
from anonymizer.errors import PictureError
from anonymizer.settings import RedactSettings, Settings
from anonymizer.types import Job, Pixels8
from anonymizer.video.encoders import DEFAULT_QUALITY
from anonymizer.video.finder import frame_finder
from anonymizer.video.look import EVERY, find_tracks
from anonymizer.video.paint import refusal
from anonymizer.video.process import FilmProcess
from anonymizer.video.source import open_film, to_rgb

FOLDER = "redacted"
"""Beside the original."""


def write_frames(path: Path, frames: Iterable[Pixels8]) -> None:
    """A film in H.264, as cameras write it: of an odd row or column at the border nothing is left.

    Args:
        frames: uint8 (H, W, 3), RGB.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        options = {"crf": f"{DEFAULT_QUALITY:g}", "threads": "1"}
        stream = container.add_stream("libx264", rate=RATE, options=options)
        stream.pix_fmt = "yuv420p"
        for number, pixels in enumerate(frames):
            height, width = (length // 2 * 2 for length in pixels.shape[:2])
            if not number:
                stream.height, stream.width = height, width
            even = np.ascontiguousarray(pixels[:height, :width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(even, "rgb24")))
        container.mux(stream.encode())


def read_frames(path: Path) -> Iterator[Pixels8]:
    """The frames of a film, uint8 (H, W, 3), RGB, upright.

    Raises:
        PictureError: it cannot be read.
    """
    film = open_film(path)
    for frame in film.frames():
        yield np.asarray(to_rgb(frame.picture, film.facts.orientation), np.uint8)


def look_at(path: Path, finder: ModelFinder) -> dict[bytes, bytes]:
    """What models find in the frames of a film that they look at in any case, for `redact_film`.

    Raises:
        PictureError: it cannot be read.
    """
    process = FilmProcess(path.parent, path.parent / FOLDER, finder, Settings(detect=finder.settings))
    known: dict[bytes, bytes] = {}
    for part in process.parts(_job(path)):
        known.update(process.look_ahead(_job(path), part))
    return known


def redact_film(
    path: Path, redaction: Redaction, shown: Face, finder: ModelFinder, known: Mapping[bytes, bytes]
) -> Path:
    """Redacts a film. This program's methods make the output that a user of the program would get; what others do is
    done to each frame by itself, at the places that the program found, and encoded in the same quality.

    Args:
        shown: who is in the film.
        known: see `look_at`.

    Returns:
        The output.

    Raises:
        PictureError: the film cannot be redacted.
    """
    output = path.parent / FOLDER / path.name
    own = redaction.redact.settings if isinstance(redaction.redact, Ours) else None
    if own is not None and refusal(own, ["face"]) is None:
        settings = Settings(detect=finder.settings, redact=own)
        result = FilmProcess(path.parent, output.parent, finder, settings, known=known)(_job(path))
        if result.reason is not None:
            raise PictureError(f"{shown.name} as a film: {result.reason}")
        return output
    film = open_film(path)
    every = EVERY[finder.settings.preset]
    tracks = find_tracks(film, frame_finder(finder, film.facts, known), RedactSettings(), every=every)
    both = redacted_frames(film.frames(), film.facts, tracks, redaction, shown)
    write_frames(output, (after for _, after in both))
    return output


def _job(path: Path) -> Job:
    name = Path(path.name)
    return Job(name, name, name.with_suffix(".json"))
