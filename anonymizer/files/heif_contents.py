"""What an AVIF or HEIC file holds beside the picture that viewers show: further pictures, hidden or not, and more.

Only those items belong to the shown picture that it is made of, or that are its alpha channel; all others are further
pictures, whatever the file calls them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from anonymizer.files.heif_display import shown_part
from anonymizer.files.heif_items import Item, Items, StructureError, data_of, read_items
from anonymizer.files.heif_streams import data_beside_frame
from anonymizer.files.iso_boxes import find_boxes, read_boxes
from anonymizer.files.metadata import MAX_UNKNOWN

logger = logging.getLogger(__name__)

GAIN_MAP = "the gain map"
"""In `FurtherPictures.names`: the report of a run says more about it."""

_ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0", b"urn:mpeg:hevc:2015:auxid:1\0")
_OVERLAY = (b"iovl",)
"""Pictures made of others that may cover each other, so that not all of these are seen."""
_MAX_PADDING = 64
"""From so many pixels on, what a file crops is more than padding that its encoder needed."""
_METADATA = (b"Exif", b"mime", b"uri ")
_PACKED_METADATA = "a text that cannot be read"
_STRUCTURE = (b"hdlr", b"pitm", b"iloc", b"iinf", b"iref", b"iprp", b"idat", b"grpl", b"dinf")  # in a meta box
_LARGE_PROPERTIES = (b"colr", b"hvcC", b"av1C", b"iscl", b"lhvC")
_MAX_CONFIGURATION = 4096  # bytes: headers of the codec


@dataclass
class Contents:
    """Data of a file beside the shown picture."""

    further: list[str] = field(default_factory=list)
    """What further pictures there are, without thumbnails."""
    thumbnails: int = 0
    exifs: list[bytes] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)
    """XMP, and all other small data whose purpose is not known."""
    unknown: list[str] = field(default_factory=list)
    """Descriptions of large data whose purpose is not known."""
    profiles: list[bytes] = field(default_factory=list)
    """ICC profiles of the shown picture."""
    bytes_behind: int = 0
    """Behind the last box, too few for a box."""


def read_contents(content: bytes) -> Contents:
    """All data of a file that a decoder can read, beside the shown picture."""
    found = Contents()
    _note_boxes(content, found)
    try:
        items = read_items(content)
    except StructureError as error:
        logger.debug("the items cannot be read: %s", error)
        found.unknown.append("items that cannot be read, which may be further pictures")
        return found
    shown = _shown(items)
    _note_pictures(items, shown, found)
    for item in items.by_number.values():
        if item.kind in _METADATA:
            _note_metadata(item, data_of(content, item), found)
        elif item.number in shown:
            profiles = [data[4:] for kind, data in item.properties if _is_profile(kind, data)]
            found.profiles += [profile for profile in profiles if profile not in found.profiles]  # tiles share them
            if _is_cropped(item):
                found.unknown.append("a part of the picture that the file crops, and viewers do not show")
            for data in data_beside_frame(item, data_of(content, item)):
                _note(found, data, "beside the compressed picture")
    gaps = list(_gaps(content, items))
    size = sum(end - start for start, end in gaps)
    _note(found, b"".join(content[start:end] for start, end in gaps), "that no item refers to", size)
    return found


def _is_profile(kind: bytes, data: bytes) -> bool:
    return kind == b"colr" and data[:4] in (b"prof", b"rICC")


def _is_cropped(item: Item) -> bool:
    """Whether the file hides a part of the picture that is large enough to show something."""
    aperture, size = item.property_of(b"clap"), item.property_of(b"ispe")
    if aperture is None or size is None or len(size) < 12:
        return False
    width, height = (int.from_bytes(size[at : at + 4], "big") for at in (4, 8))
    part = shown_part(aperture, height, width)
    if part is None:
        return False
    rows, columns = part
    return bool(max(height - (rows.stop - rows.start), width - (columns.stop - columns.start)) >= _MAX_PADDING)


def _note(found: Contents, data: bytes, where: str, size: int | None = None) -> None:
    if not data.strip(b"\0"):
        return  # padding
    found.texts.append(data)
    if len(data) > MAX_UNKNOWN:
        found.unknown.append(f"{len(data) if size is None else size} bytes {where}")


def _note_boxes(content: bytes, found: Contents) -> None:
    boxes = list(find_boxes(content))
    found.bytes_behind = len(content) - boxes[-1].end if boxes else 0
    for box in boxes:
        data = content[box.body : box.end]
        if box.kind in (b"free", b"skip"):
            _note(found, data, "in an unknown box")
        elif box.kind == b"meta":
            _note_meta_boxes(data[4:], found)
        elif box.kind == b"ftyp":
            _note(found, data[MAX_UNKNOWN:], "behind the brands of the file")
        elif box.kind != b"mdat":
            found.unknown.append(f"{len(data)} bytes in an unknown box, or behind the picture")


def _note_meta_boxes(meta: bytes, found: Contents) -> None:
    for kind, data in read_boxes(meta):
        if kind not in _STRUCTURE or (kind in (b"hdlr", b"dinf") and len(data) > MAX_UNKNOWN):
            _note(found, data, "in an unknown box")
        elif kind == b"iprp":
            inner = [one for name, part in read_boxes(data) if name == b"ipco" for one in read_boxes(part)]
            for name, value in inner:
                if len(value) > (_MAX_CONFIGURATION if name in _LARGE_PROPERTIES else MAX_UNKNOWN) and not _is_profile(
                    name, value
                ):
                    _note(found, value, "in an unknown property")


def _shown(items: Items) -> set[int]:
    """Numbers of the items that the shown picture is made of, with its alpha channel."""
    primary = items.by_number.get(items.primary)
    if primary is None:
        return set()
    # A tone mapped picture is made of another and of its gain map.
    roots = primary.references.get(b"dimg", [])[:1] if primary.kind == b"tmap" else []
    colours = {items.primary} | items.closure(roots or [items.primary], _OVERLAY)
    alphas: dict[int, int] = {}
    for item in items.by_number.values():
        if _is_alpha(item):
            for target in item.references.get(b"auxl", []):
                alphas.setdefault(target, item.number)  # a second one is not shown
    return colours | items.closure([alphas[number] for number in colours if number in alphas], _OVERLAY)


def _note_pictures(items: Items, shown: set[int], found: Contents) -> None:
    others = {n: item for n, item in items.by_number.items() if n not in shown and item.kind not in _METADATA}
    maps = [n for n, item in items.by_number.items() if item.kind == b"tmap" or _is_gain_map(item)]
    if maps:
        found.further.append(GAIN_MAP)
    others = _without(others, items.closure(maps))
    thumbnails = {n for n, item in others.items() if b"thmb" in item.references}
    found.thumbnails = len(thumbnails)
    others = _without(others, items.closure(sorted(thumbnails | _alphas_of(others, thumbnails))))
    others = _without(others, items.closure(sorted(_alphas_of(others, set(others)))))
    auxiliary = [n for n, item in others.items() if b"auxl" in item.references]
    if auxiliary:
        found.further.append("auxiliary pictures, such as depth maps")
    others = _without(others, items.closure(auxiliary))
    tiles = {tile for item in others.values() for tile in item.references.get(b"dimg", [])}
    if others:
        found.further.append(f"{max(1, len(others.keys() - tiles))} further pictures")


def _alphas_of(others: Mapping[int, Item], pictures: set[int]) -> set[int]:
    """The alpha channels of these pictures, which are parts of them."""
    alphas = {n: item for n, item in others.items() if _is_alpha(item)}
    return {n for n, item in alphas.items() if pictures.intersection(item.references.get(b"auxl", []))}


def _is_alpha(item: Item) -> bool:
    return (item.property_of(b"auxC") or b"")[4:].startswith(_ALPHA)


def _is_gain_map(item: Item) -> bool:
    return b"gainmap" in (item.property_of(b"auxC") or b"").lower()


def _without(items: dict[int, Item], numbers: Iterable[int]) -> dict[int, Item]:
    excluded = set(numbers)
    return {number: item for number, item in items.items() if number not in excluded}


def _note_metadata(item: Item, data: bytes, found: Contents) -> None:
    if item.kind == b"Exif":
        found.exifs.append(data[4 + int.from_bytes(data[:4], "big") :])
        _note(found, data[4 : 4 + int.from_bytes(data[:4], "big")].removeprefix(b"Exif\0\0"), "before the EXIF data")
    elif item.is_packed:
        found.unknown.append(_PACKED_METADATA)
    elif item.kind == b"mime" and item.content_type.startswith((b"application/rdf+xml", b"text/")):
        found.texts.append(data)
    else:
        _note(found, data, "in an item of an unknown kind")


def _gaps(content: bytes, items: Items) -> Iterator[tuple[int, int]]:
    """Parts of the data that no item refers to."""
    areas = [(box.body, box.end) for box in find_boxes(content) if box.kind == b"mdat"]
    spans: Sequence[tuple[int, int]] = sorted(span for item in items.by_number.values() for span in item.spans)
    for start, end in (*areas, items.idat):
        position = start
        for first, last in spans:
            if last <= position or first >= end:
                continue
            if first > position:
                yield position, first
            position = max(position, last)
        if position < end:
            yield position, end
