"""Picture files whose carriers state any orientations, also such that contradict each other."""

from __future__ import annotations

import io
from functools import partial
from itertools import product
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from files.heif_samples import SampleItem, heif_file
from PIL import Image, PngImagePlugin

from anonymizer.files.heif_items import Property, data_of, read_items
from anonymizer.files.orientation import orientation_of
from anonymizer.formats import Format
from anonymizer.types import Pixels8

Carrier: TypeAlias = Literal["exif", "xmp", "box"]

CARRIERS: dict[Format, tuple[Carrier, ...]] = {
    "JPEG": ("exif", "xmp"),
    "PNG": ("exif", "xmp"),
    "TIFF": ("exif", "xmp"),
    "WEBP": ("exif", "xmp"),
    "AVIF": ("exif", "xmp", "box"),
    "HEIF": ("exif", "xmp", "box"),
}
COUNTING: dict[Format, Carrier] = {**dict.fromkeys(CARRIERS, "exif"), "AVIF": "box", "HEIF": "box"}
"""The carrier that viewers obey."""

_BRANDS = {"AVIF": b"avif", "HEIF": b"heic"}


def sample(file_format: Format, stored: Pixels8, **stated: int | None) -> bytes:
    """A file of these stored pixels, (H, W, 3), that states an orientation in each of these carriers."""
    exif = _exif(stated["exif"]) if stated.get("exif") else None
    packet = xmp_packet(stated["xmp"]) if stated.get("xmp") else None
    if file_format in _BRANDS:
        return _heif(file_format, stored, exif, packet, stated.get("box"))
    options: dict[str, Any] = {} if exif is None else {"exif": exif}
    if file_format == "TIFF":
        tags = {274: stated.get("exif"), 700: packet}
        options = {"tiffinfo": {tag: value for tag, value in tags.items() if value}}
    elif packet and file_format == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", packet.decode())
    elif packet:
        options["xmp"] = packet
    return _saved(file_format, stored, **options)


def _saved(file_format: str, stored: Pixels8, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(stored).save(buffer, file_format, quality=90, **options)
    return buffer.getvalue()


def _exif(orientation: int | None) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def xmp_packet(orientation: int | None) -> bytes:
    """A packet that states an orientation and a title."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="a title" tiff:Orientation="{orientation}"/>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def _heif(file_format: str, stored: Pixels8, exif: bytes | None, packet: bytes | None, box: int | None) -> bytes:
    content = _saved(file_format, stored)
    items = read_items(content)
    picture = items.by_number[items.primary]
    properties = [*picture.properties, *(turning_boxes(box) if box else [])]
    about = {b"cdsc": [1]}
    parts = [SampleItem(picture.kind, data_of(content, picture), properties)]
    parts += [SampleItem(b"Exif", bytes(4) + exif.removeprefix(b"Exif\0\0"), (), about)] if exif else []
    parts += [SampleItem(b"mime", packet, (), about, content_type=b"application/rdf+xml")] if packet else []
    return heif_file(*parts, brand=_BRANDS[file_format])


def turning_boxes(orientation: int) -> list[Property]:
    """A rotation and a mirror that turn a stored picture upright. (ISO/IEC 23008-12, sections 6.5.10 and 6.5.12.)"""
    for quarters, axis in product(range(4), (None, 0, 1)):
        if orientation_of(partial(_turned, quarters=quarters, axis=axis)) == orientation:
            break
    rotation = [(b"irot", bytes([quarters]))] if quarters else []
    return [*rotation, *([(b"imir", bytes([axis]))] if axis is not None else [])]


def _turned(picture: npt.NDArray[np.int64], quarters: int, axis: int | None) -> npt.NDArray[np.int64]:
    rotated = np.rot90(picture, quarters)
    return rotated if axis is None else rotated[:, ::-1] if axis else rotated[::-1]
