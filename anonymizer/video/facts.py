"""What is known of a film file: plain values, without PyAV."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, NamedTuple, TypeAlias

StreamKind: TypeAlias = Literal["video", "audio", "subtitle", "data", "attachment", "unknown"]
DisplayMatrix: TypeAlias = tuple[int, int, int, int, int, int, int, int, int]
"""As ISO/IEC 14496-12 stores it: a b u, c d v, x y w; a point (p, q) is shown at (a p + c q + x, b p + d q + y)."""


@dataclass(frozen=True)
class StreamFacts:
    """One of the streams in a film file."""

    index: int
    kind: StreamKind
    codec: str | None
    """FFmpeg's name of the codec; None if it knows none."""
    language: str | None = None
    """ISO 639-2, where the file says one."""
    disposition: int = 0
    """FFmpeg's flags, such as default and forced."""
    title: str | None = None
    is_picture: bool = False
    """Whether it holds a still picture, such as cover art or thumbnails, and no film."""


class Chapter(NamedTuple):
    """A part of a film that players can go to."""

    start: int
    """In units of its time base."""
    end: int
    time_base: Fraction
    title: str


class Colour(NamedTuple):
    """What the samples mean, in the numbers of ITU-T H.273; `range` is FFmpeg's: 1 limited, 2 full, 0 not said."""

    primaries: int
    transfer: int
    matrix: int
    range: int


@dataclass(frozen=True)
class FilmFacts:
    """What a film is like, and what lies beside it in its file."""

    container: str
    """FFmpeg's name of the container for files like this one, such as mp4, mov, matroska or mpegts."""
    streams: tuple[StreamFacts, ...]
    """All of them, also the film's own."""
    index: int
    """Of the stream that holds the film."""
    codec: str
    """FFmpeg's name of the codec, such as h264."""
    profile: str | None
    width: int
    """As stored, before the film is turned upright, pixels."""
    height: int
    pixel_format: str
    """FFmpeg's name, such as yuv420p10le."""
    display_matrix: DisplayMatrix | None
    """How players turn the stored frames; None: not at all."""
    sample_aspect_ratio: Fraction | None
    """Width of a stored pixel to its height; None: not said."""
    colour: Colour
    field_order: int
    """FFmpeg's: 0 not known, 1 progressive, 2 top field first, 3 bottom field first, 4 and 5 as coded and shown."""
    is_interlaced: bool
    """Whether the first frame consists of two fields."""
    time_base: Fraction
    """Seconds that one unit of the frames' times lasts."""
    end: int | None
    """When the last frame ends to be shown, as the file says it; None: it does not."""
    rate: Fraction | None
    """Average frames a second; None: not known. Frames may come at any times all the same."""
    bit_rate: int | None
    """Of the film's own stream, bits a second; None: not known."""
    announced_frames: int | None
    """How many frames the file says that there are; None: it does not."""
    mastering_display: bytes | None = None
    """HDR10: AVMasteringDisplayMetadata, 88 bytes."""
    content_light: bytes | None = None
    """HDR10: AVContentLightMetadata, 8 bytes."""
    has_dynamic_hdr: bool = False
    """Whether the first frame has metadata of HDR10+ or Dolby Vision."""
    has_time_codes: bool = False
    """Whether each packet of a transport stream follows a time code of four bytes, as in AVCHD and on Blu-ray discs."""
    has_b_frames: bool = True
    """Whether frames may be stored in another order than they are shown in."""
    chapters: tuple[Chapter, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Of the whole file, as its tags say it, such as title and location."""

    @property
    def orientation(self) -> int:
        """EXIF orientation 1..8 that turns the stored frames upright, see `files.orientation`."""
        return orientation_of(self.display_matrix)

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height of the upright frames."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)

    def seconds(self, time: int) -> float:
        """The time of a frame in seconds, on the clock of the file."""
        return float(time * self.time_base)


def orientation_of(matrix: DisplayMatrix | None) -> int:
    """The EXIF orientation, 1..8, that turns frames as a display matrix does.

    1 for a matrix that does anything but quarter turns and mirroring: then the frames are taken as they are stored.
    """
    if matrix is None:
        return 1
    a, b, _, c, d, *_ = matrix
    if a and d and not b and not c:
        return {(False, False): 1, (True, False): 2, (True, True): 3, (False, True): 4}[a < 0, d < 0]
    if b and c and not a and not d:
        # The row of a pixel becomes its column: transposed, then mirrored left-right (c < 0) and top-bottom (b < 0).
        return {(False, False): 5, (True, False): 6, (True, True): 7, (False, True): 8}[c < 0, b < 0]
    return 1
