"""AVIF files put together from items, of which some are not shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from files.samples import saved

from anonymizer.files.heif_items import Property, data_of, read_items
from anonymizer.files.iso_boxes import write_box

ALPHA = b"\0\0\0\0urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0"
DEPTH = b"\0\0\0\0urn:mpeg:mpegB:cicp:systems:auxiliary:depth\0"
APPLE_GAIN_MAP = b"\0\0\0\0urn:com:apple:photo:2020:aux:hdrgainmap\0"


_ESSENTIAL = (b"clap", b"irot", b"imir")


@dataclass(frozen=True)
class SampleItem:
    """An item of a file; its number is its place in the file, from 1 on."""

    kind: bytes
    data: bytes
    properties: Sequence[Property] = ()
    references: Mapping[bytes, Sequence[int]] = field(default_factory=dict)
    is_hidden: bool = False
    content_type: bytes = b""


def coded(seed: int = 0, side: int = 64, **more: object) -> SampleItem:
    """A picture of noise."""
    content = saved("AVIF", size=(side, side), seed=seed, quality=50)
    items = read_items(content)
    item = items.by_number[items.primary]
    options = {"properties": item.properties, **more}
    return SampleItem(b"av01", data_of(content, item), **options)  # type: ignore[arg-type]


def grid(tiles: Sequence[int], **more: object) -> SampleItem:
    """A picture of tiles of 64 x 64 pixels in one row."""
    data = bytes([0, 0, 0, len(tiles) - 1]) + (64 * len(tiles)).to_bytes(2, "big") + (64).to_bytes(2, "big")
    size = bytes(4) + (64 * len(tiles)).to_bytes(4, "big") + (64).to_bytes(4, "big")
    properties = [(b"ispe", size), *(one for one in coded().properties if one[0] in (b"pixi", b"colr"))]
    return SampleItem(b"grid", data, properties, {b"dimg": tiles}, **more)  # type: ignore[arg-type]


def heif_file(
    *items: SampleItem, gap: bytes = b"", behind: bytes = b"", in_meta: bytes = b"", brand: bytes = b"avif"
) -> bytes:
    """A file of these items, the first of which is shown.

    Args:
        gap: bytes among the data that no item refers to.
        behind: bytes behind the last box.
        in_meta: further boxes in the meta box.
        brand: of the format.
    """
    start = write_box(b"ftyp", brand + b"\0\0\0\0" + brand + b"mif1miaf")
    meta = _meta(items, 0, in_meta)
    meta = _meta(items, len(start) + len(meta) + 8, in_meta)
    return start + meta + write_box(b"mdat", b"".join(item.data for item in items) + gap) + behind


def _meta(items: Sequence[SampleItem], position: int, further: bytes) -> bytes:
    places, kinds, references, properties, links = b"", b"", b"", b"", b""
    number_of_properties = 0
    for number, item in enumerate(items, start=1):
        name = number.to_bytes(2, "big")
        places += name + b"\0\0\0\1" + position.to_bytes(4, "big") + len(item.data).to_bytes(4, "big")
        position += len(item.data)
        entry = name + b"\0\0" + item.kind + b"\0" + (item.content_type + b"\0" if item.content_type else b"")
        kinds += write_box(b"infe", bytes([2, 0, 0, item.is_hidden]) + entry)
        for kind, targets in item.references.items():
            numbers = b"".join(target.to_bytes(2, "big") for target in targets)
            references += write_box(kind, name + len(targets).to_bytes(2, "big") + numbers)
        properties += b"".join(write_box(*one) for one in item.properties)
        indices = bytes(
            (0x80 if kind in _ESSENTIAL else 0) | index
            for index, (kind, _) in enumerate(item.properties, start=number_of_properties + 1)
        )
        number_of_properties += len(item.properties)
        links += name + bytes([len(indices)]) + indices
    count = len(items).to_bytes(2, "big")
    content = write_box(b"hdlr", bytes(8) + b"pict" + bytes(13)) + write_box(b"pitm", bytes(4) + b"\0\1")
    content += write_box(b"iloc", bytes(4) + b"\x44\0" + count + places)
    content += write_box(b"iinf", bytes(4) + count + kinds)
    content += write_box(b"iref", bytes(4) + references) if references else b""
    association = write_box(b"ipma", bytes(4) + len(items).to_bytes(4, "big") + links)
    content += write_box(b"iprp", write_box(b"ipco", properties) + association) + further
    return write_box(b"meta", bytes(4) + content)
