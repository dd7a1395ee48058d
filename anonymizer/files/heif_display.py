"""What AVIF and HEIC files say about how their picture is to be shown, apart from ICC profiles: colour primaries and
transfer function, brightness of HDR pictures, shape of the pixels, which part of the picture is shown and which way up.

Encoders write only some of it. So it is put into the files that they made: colours in place of those that they wrote,
all else as further properties. (ISO/IEC 23008-12, section 6.5; ISO/IEC 14496-12, section 12.1; ITU-T H.273: colours.)
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from anonymizer.files.heif_items import Item, Items, Property, StructureError, data_of, read_items, read_places
from anonymizer.files.heif_streams import colours_of, with_colours
from anonymizer.files.iso_boxes import Box, find_boxes, write_box
from anonymizer.files.orientation import orientation_of

logger = logging.getLogger(__name__)

_SIZES: Mapping[bytes, range] = {
    b"clli": range(4, 5),  # brightest pixel, and brightest average of a frame
    b"mdcv": range(24, 25),  # display on which it was made
    b"cclv": range(1, 38),  # range of colours in use
    b"amve": range(8, 9),  # light around that display
    b"ndwt": range(8, 9),  # brightness of white
    b"pasp": range(8, 9),  # shape of the pixels
}
"""Kinds of properties that are kept as they are, with the sizes that they may have."""

_NCLX = b"nclx"
_UNSPECIFIED = (2, 2)
_MAX_SHORT_INDEX = 127


@dataclass(frozen=True)
class Display:
    """How a picture is to be shown."""

    colours: tuple[int, int] | None = None
    """Numbers of the primaries and of the transfer function, as in ITU-T H.273; None if the file does not say."""
    properties: list[Property] = field(default_factory=list)
    clean_aperture: bytes | None = None
    """Describes the part of the stored picture that is shown."""
    orientation: int = 1
    """1..8, as in EXIF data: how the boxes turn the stored picture."""


def read_display(content: bytes, is_turned: bool) -> Display:
    """What a file says about its picture; nothing if its boxes are damaged.

    Args:
        is_turned: whether the decoder has applied the rotation that the file asks for.
    """
    try:
        items = read_items(content)
    except StructureError as error:
        logger.debug("the items cannot be read: %s", error)
        return Display()
    primary = items.by_number.get(items.primary)
    if primary is None:
        return Display()
    kept = {kind: data for kind, data in reversed(primary.properties) if len(data) in _SIZES.get(kind, range(0))}
    rotation = primary.property_of(b"irot") or b"\0"
    if is_turned and rotation[0] & 1 and b"pasp" in kept:
        kept[b"pasp"] = kept[b"pasp"][4:] + kept[b"pasp"][:4]
    aperture, orientation = primary.property_of(b"clap"), orientation_of(lambda stored: _turned(stored, primary))
    return Display(_colours(content, items, primary), list(kept.items()), aperture, orientation)


def _turned(stored: npt.NDArray[np.int64], primary: Item) -> npt.NDArray[np.int64]:
    """As rotations and mirrors turn it, in their order. (ISO/IEC 23008-12, sections 6.5.10 and 6.5.12.)"""
    for kind, data in primary.properties:
        if kind == b"irot" and data:
            stored = np.rot90(stored, data[0] & 3)
        elif kind == b"imir" and data:
            stored = stored[:, ::-1] if data[0] & 1 else stored[::-1]
    return stored


def _colours(content: bytes, items: Items, primary: Item) -> tuple[int, int] | None:
    """The colours that the boxes name, or else those that the compressed picture names."""
    for kind, data in primary.properties:
        if kind == b"colr" and data.startswith(_NCLX) and len(data) >= 8:
            return int.from_bytes(data[4:6], "big"), int.from_bytes(data[6:8], "big")
    parts = [items.by_number[number] for number in sorted(items.closure([primary.number]))]
    return next((colours_of(data_of(content, part)) for part in parts if part.kind == b"av01"), None)


def shown_part(clean_aperture: bytes, height: int, width: int) -> tuple[slice, slice] | None:
    """Rows and columns of the stored picture that are shown; None if the description is damaged or shows all."""
    if len(clean_aperture) != 32:
        return None
    numbers = [int.from_bytes(clean_aperture[at : at + 4], "big", signed=True) for at in range(0, 32, 4)]
    if any(number <= 0 for number in numbers[1::2]):
        return None
    across, down, right, below = (Fraction(*numbers[at : at + 2]) for at in range(0, 8, 2))
    left, top = Fraction(width) / 2 + right - across / 2, Fraction(height) / 2 + below - down / 2
    if any(number.denominator != 1 for number in (across, down, left, top)):
        return None
    if left < 0 or top < 0 or across <= 0 or down <= 0 or left + across > width or top + down > height:
        return None
    if across == width and down == height:
        return None
    return slice(int(top), int(top + down)), slice(int(left), int(left + across))


def with_display(content: bytes, display: Display) -> bytes:
    """A file that an encoder made, with these colours and properties of its picture."""
    if display.colours not in (None, _UNSPECIFIED):
        content = _with_colours(content, display.colours or _UNSPECIFIED)
    present = {kind for kind, _ in _primary_properties(content)}
    missing = [(kind, data) for kind, data in display.properties if kind not in present]
    return _with_properties(content, missing) if missing else content


def _primary_properties(content: bytes) -> Sequence[Property]:
    items = read_items(content)
    return items.by_number[items.primary].properties


def _with_colours(content: bytes, colours: tuple[int, int]) -> bytes:
    new, changed = b"".join(number.to_bytes(2, "big") for number in colours), bytearray(content)
    container = _descend(content, b"meta", b"iprp", b"ipco")[-1]
    for box in find_boxes(content, container.body, container.end):
        if box.kind == b"colr" and content[box.body : box.body + 4] == _NCLX:
            changed[box.body + 4 : box.body + 8] = new
    for item in read_items(content).by_number.values():
        if item.kind == b"av01" and item.property_of(b"auxC") is None and len(item.spans) == 1:
            start, end = item.spans[0]
            changed[start:end] = with_colours(content[start:end], colours)
    return bytes(changed)


def _descend(content: bytes, *kinds: bytes) -> list[Box]:
    """Boxes, each within the one before it."""
    path: list[Box] = []
    start, end = 0, len(content)
    for kind in kinds:
        found = [box for box in find_boxes(content, start, end) if box.kind == kind]
        if len(found) != 1:
            raise StructureError(f"{len(found)} boxes of the kind {kind!r}")
        path.append(found[0])
        start, end = found[0].body + (4 if kind == b"meta" else 0), found[0].end
    return path


def _with_properties(content: bytes, properties: Sequence[Property]) -> bytes:
    """The file with further properties of its main picture."""
    items = read_items(content)
    meta, iprp, ipco = _descend(content, b"meta", b"iprp", b"ipco")
    ipma = _descend(content, b"meta", b"iprp", b"ipma")[-1]
    number = sum(1 for _ in find_boxes(content, ipco.body, ipco.end))
    boxes = b"".join(write_box(kind, data) for kind, data in properties)
    count_at, links_end, wide = _links(content, ipma, items)
    if number + len(properties) > _MAX_SHORT_INDEX and wide == 1:
        raise StructureError("too many properties")
    links = b"".join((number + 1 + index).to_bytes(wide, "big") for index in range(len(properties)))
    changed = bytearray(content)
    changed[count_at] += len(properties)
    growth = len(boxes) + len(links)
    for box, more in ((meta, growth), (iprp, growth), (ipco, len(boxes)), (ipma, len(links))):
        changed[box.start : box.start + 4] = (box.end - box.start + more).to_bytes(4, "big")
    _move(changed, content, meta, growth)
    for position, inserted in sorted([(ipco.end, boxes), (links_end, links)], reverse=True):
        changed[position:position] = inserted
    return bytes(changed)


def _links(content: bytes, ipma: Box, items: Items) -> tuple[int, int, int]:
    """Position of the number of properties of the main picture, position behind their list, and bytes of each entry."""
    flags = int.from_bytes(content[ipma.body : ipma.body + 4], "big")
    wide, position = 2 if flags & 1 else 1, ipma.body + 8
    size = 4 if flags >> 24 else 2
    while position + size < ipma.end:
        number, count_at = int.from_bytes(content[position : position + size], "big"), position + size
        position = count_at + 1 + wide * content[count_at]
        if number == items.primary:
            return count_at, position, wide
    raise StructureError("the main picture has no properties")


def _move(changed: bytearray, content: bytes, meta: Box, growth: int) -> None:
    """Changes the places of all that lies behind the meta box."""
    iloc = _descend(content, b"meta", b"iloc")[-1]
    for place in read_places(content, iloc):
        if place.is_in_file and place.offset >= meta.end:
            position, size = place.field
            changed[position : position + size] = (place.offset - place.base + growth).to_bytes(size, "big")
