"""How much of what is no plain language the metadata of a file may hold, in all their carriers together.

A picture that is cut into many pieces, put into EXIF data, XMP, captions and texts, has pieces that look like words,
numbers or serial numbers. So it is not enough that each value by itself is plain language, nor that those of a carrier
are: see `plain_language`. Where a file holds more than its budget, no piece of it may stay.
"""

from __future__ import annotations

import logging
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from anonymizer.files.global_state import pillow_state
from anonymizer.files.metadata import (
    DAMAGED_TAGS,
    EmbeddedData,
    Tags,
    is_iptc,
    is_xmp,
    measure_captions,
    measure_named,
    measure_tags,
    parse_exif,
    size_of_numbers,
    tags_of,
)
from anonymizer.files.plain_language import (
    DIGITS_SHARE_TOGETHER,
    MAX_CHANCE_TOGETHER,
    MAX_DIGITS,
    MAX_OPAQUE_TOGETHER,
    Measure,
    chance_together,
    find_plain,
    is_printable,
    measure_bytes,
    together,
)
from anonymizer.files.xmp import measure_packet

logger = logging.getLogger(__name__)

MAX_STRANGE, MAX_STRANGE_BESIDE = 64, 32
"""Opaque characters in short pieces, apart from identifiers such as checksums: of 900 photographs one has 59. Fewer if
something is left out, of which they may be parts: then the most is 22."""
MAX_NUMBERS = 320
"""Bytes that the numbers in EXIF data take, apart from leading zeros. Of 900 photographs, none holds more than 110."""
MAX_LEFT_OUT = 64
"""Characters in values that are not plain language, apart from the longest: a picture in one piece leaves nothing."""


@dataclass(frozen=True)
class _Value:
    """A value in metadata."""

    measure: Measure
    is_plain: bool
    numbers: int = 0
    """Bytes that its numbers take."""


def excess(found: EmbeddedData) -> int:
    """Characters that are no plain language in all metadata of a file together, if it holds too many; else 0.

    Args:
        found: its metadata. The same value in several pages counts once.
    """
    values = list(dict(_values(found)).values())
    are_plain = [one.measure for one in values if one.is_plain]
    plain = together(are_plain)
    left_out = sorted(one.measure.length for one in values if not one.is_plain)
    numbers = sum(one.numbers for one in values)
    chance = chance_together(are_plain)
    is_allowed = (
        plain.strange <= (MAX_STRANGE_BESIDE if left_out else MAX_STRANGE)
        and plain.opaque <= MAX_OPAQUE_TOGETHER
        and plain.numeric <= MAX_DIGITS + DIGITS_SHARE_TOGETHER * plain.length
        and chance <= MAX_CHANCE_TOGETHER
        and numbers <= MAX_NUMBERS
        and sum(left_out[:-1]) <= MAX_LEFT_OUT
    )
    logger.debug("metadata: %d opaque, %d digits, %d of numbers, %s", plain.opaque, plain.numeric, numbers, left_out)
    return 0 if is_allowed else plain.opaque + plain.numeric + round(chance) + numbers + sum(left_out)


def _values(found: EmbeddedData) -> Iterator[tuple[Hashable, _Value]]:
    """Each value with what tells it from others."""
    for tags in (*found.pages, *_readable(found.exifs)):
        yield from _values_of_tags(tags)
    texts: dict[Hashable, Measure] = {}
    for text in dict.fromkeys(found.texts):
        if is_xmp(text):
            for place, (measure, is_plain) in measure_packet(text).items():
                yield (text, place), _Value(measure, is_plain)
        elif is_iptc(text):
            for number, (measure, is_plain) in measure_captions(text).items():
                yield (text, number), _Value(measure, is_plain)
        elif is_printable(text):
            texts[text] = measure_bytes(text)
    for names, text in dict.fromkeys(found.named_texts):
        if is_printable(names + text):
            texts[names, text] = measure_named(names, text)
    plain = find_plain(texts)
    for key, measure in texts.items():
        yield key, _Value(measure, key in plain)


def _values_of_tags(found: Tags) -> Iterator[tuple[Hashable, _Value]]:
    for place, (content, measure, is_plain) in measure_tags(found).items():
        yield (*place, repr(content)), _Value(measure, is_plain, size_of_numbers(content) if is_plain else 0)


def _readable(exifs: list[bytes]) -> Iterator[Tags]:
    for content in exifs:
        exif = parse_exif(content)
        try:
            with pillow_state():
                if exif is not None:
                    yield tags_of(exif)
        except DAMAGED_TAGS as error:
            logger.debug("damaged EXIF data are not measured: %s", error)
