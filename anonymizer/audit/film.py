"""Films of pictures before a shaky camera, and what the methods of this program and of others make of their frames.

The attacker knows how the camera moved, undoes the movement in each frame, and takes the mean of all frames.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import av
import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.audit.faces import Face
from anonymizer.audit.redactions import Ours, Redaction
from anonymizer.kinds import KINDS
from anonymizer.settings import RedactSettings
from anonymizer.types import Pixels8
from anonymizer.video.facts import Colour, FilmFacts
from anonymizer.video.look import Film, Finder, find_tracks
from anonymizer.video.paint import Painter, refusal
from anonymizer.video.source import FilmFrame, to_rgb
from anonymizer.video.tracks import FilmTracks

SHIFT, ZOOM = 0.04, 0.04
"""The camera moves by up to this share of the longer side of a picture, and zooms by up to this factor, at random."""
RATE = Fraction(25)
EVERY = 8
"""Each how many-th frame is looked at."""

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ShakyFilm:
    """A picture as a shaky camera films it."""

    face: Face
    matrices: Sequence[Matrix]
    """(2, 3): take a point of the picture to its place in each frame."""

    @property
    def facts(self) -> FilmFacts:
        height, width = self.face.pixels.shape[:2]
        return FilmFacts(
            container="matroska",
            streams=(),
            index=0,
            codec="rawvideo",
            profile=None,
            width=width,
            height=height,
            pixel_format="yuv444p",
            display_matrix=None,
            sample_aspect_ratio=None,
            colour=Colour(primaries=2, transfer=2, matrix=6, range=0),
            field_order=0,
            is_interlaced=False,
            time_base=1 / RATE,
            end=None,
            rate=RATE,
            bit_rate=None,
            announced_frames=None,
        )

    def frames(self) -> Iterator[FilmFrame]:
        for index, pixels in enumerate(self.shown()):
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format="yuv444p", dst_colorspace="ITU601")
            yield FilmFrame(index, index, frame)

    def shown(self) -> Iterator[Pixels8]:
        """The frames before anything is hidden."""
        height, width = self.face.pixels.shape[:2]
        for matrix in self.matrices:
            moved = cv2.warpAffine(self.face.pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
            yield np.asarray(moved, np.uint8)

    def undone(self, frame: Pixels8, index: int) -> Pixels8:
        """A frame, with every point where the picture has it."""
        height, width = frame.shape[:2]
        flags = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
        back = cv2.warpAffine(
            frame, self.matrices[index], (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(back, np.uint8)


def shake(face: Face, frames: int, seed: int) -> ShakyFilm:
    """A film of a picture. The first frame is the picture itself."""
    random = np.random.default_rng(seed)
    height, width = face.pixels.shape[:2]
    reach = SHIFT * max(height, width)
    matrices = [np.array([[1.0, 0, 0], [0, 1.0, 0]])]
    for _ in range(frames - 1):
        zoom = 1 + random.uniform(-ZOOM, ZOOM)
        x, y = random.uniform(-reach, reach, 2)
        matrices.append(np.array([[zoom, 0, x + (1 - zoom) * width / 2], [0, zoom, y + (1 - zoom) * height / 2]]))
    return ShakyFilm(face, matrices)


def seen_in(film: ShakyFilm, redaction: Redaction, finder: Finder) -> tuple[Pixels8, Pixels8]:
    """The first redacted frame, and the mean of all of them, every point where the picture has it.

    Nothing is encoded, which would only take from what the attacker sees.
    """
    total = np.zeros(film.face.pixels.shape, np.float64)
    first: Pixels8 | None = None
    tracks = tracks_for(film, redaction, finder)
    for index, (_, frame) in enumerate(redacted_frames(film.frames(), film.facts, tracks, redaction, film.face)):
        back = film.undone(frame, index)
        first = back if first is None else first
        total += back
    assert first is not None
    return first, np.rint(total / len(film.matrices)).astype(np.uint8)


def redacted_frames(
    frames: Iterable[FilmFrame], facts: FilmFacts, tracks: FilmTracks, redaction: Redaction, shown: Face
) -> Iterator[tuple[Pixels8, Pixels8]]:
    """The frames of a film, upright, before and after redaction.

    This program hides what the tracks say as it does in films; what others do, and settings that it has not for films,
    is done to each frame by itself, at the places of the tracks.

    Args:
        shown: who is in the film.
    """
    own = redaction.redact.settings if isinstance(redaction.redact, Ours) else None
    painter = None if own is None or refusal(own, KINDS) is not None else Painter(tracks, facts, own)
    for frame in frames:
        before = to_rgb(frame.picture, facts.orientation)
        if painter is None:
            found = tracks.in_frame(frame.index)
            yield before, redaction.redact(replace(shown, pixels=before, found=found))
        else:
            painter.paint(frame.picture, frame.index)
            yield before, to_rgb(frame.picture, facts.orientation)


def tracks_for(film: Film, redaction: Redaction, finder: Finder) -> FilmTracks:
    """What the program finds in a film, with what its redaction will show."""
    own = redaction.redact.settings if isinstance(redaction.redact, Ours) else RedactSettings()
    return find_tracks(film, finder, own, every=EVERY)
