"""What a file says about its orientation, in EXIF, XMP or boxes, and which of it counts.

Browsers and viewers turn pictures by EXIF data alone, AVIF and HEIC files by their boxes (irot, imir) alone. So does
this program. What another carrier states, such as XMP that a program did not update, or a second block of EXIF data,
turns nothing, but leaves it in doubt which way is up: detectors look in these ways too.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from anonymizer.files.global_state import pillow_state
from anonymizer.files.metadata import DAMAGED_TAGS, ORIENTATION, parse_exif
from anonymizer.files.xmp import orientations_in

logger = logging.getLogger(__name__)

_ORIENTATIONS = range(1, 9)
_SHORT = (b"\1\x12\0\3\0\0\0\1", b"\x12\1\3\0\1\0\0\0")
"""The tag with a single short number, in either order of bytes."""


@dataclass(frozen=True)
class Stated:
    """Orientations 1..8, as in EXIF data."""

    orientation: int = 1
    """The one that counts."""
    others: tuple[int, ...] = ()
    """What else is stated."""


UPRIGHT = Stated()


def stated_by(
    exifs: Sequence[bytes] = (),
    packets: Sequence[bytes] = (),
    counts: int | None = None,
    further: Sequence[int] = (),
) -> Stated:
    """What these carriers state.

    Args:
        exifs: EXIF data; the first ones count.
        packets: of XMP, which never count.
        counts: the orientation that counts, if another carrier than EXIF data tells it.
        further: orientations that do not count either.
    """
    by_exif = [_read_exif(content) for content in exifs]
    if counts is None:
        counts = next((one for both in by_exif[:1] for one in both), 1)
    stated = {one for both in by_exif for one in both} | {one for packet in packets for one in orientations_in(packet)}
    return Stated(counts, tuple(sorted({*stated, *further} - {counts})))


def _read_exif(content: bytes) -> Sequence[int]:
    """What the tag may mean, first what counts; empty without a tag that could mean anything.

    Programs differ if it is not one short number: browsers then show the picture as it is stored, ImageMagick accepts
    bytes and texts too, Pillow other numbers.
    """
    exif = parse_exif(content)
    try:
        with pillow_state():
            value = None if exif is None else exif.get(ORIENTATION)
    except DAMAGED_TAGS as error:
        logger.debug("the orientation is not read: %s", error)
        return ()
    if isinstance(value, bytes | str):
        text = value if isinstance(value, str) else value.decode("latin-1")
        digits = text.strip("\0 ")
        meant = [one for one in _ORIENTATIONS if digits in (chr(one), str(one))]
        return (1, *meant) if meant else ()
    meant = [one for one in _ORIENTATIONS if value == one]
    is_short = any(tag in content for tag in _SHORT)
    return (*meant, 1) if meant and not is_short else meant
