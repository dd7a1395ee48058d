"""TIFF files with one page or several. (TIFF, revision 6.0, and its technical notes.)

Pages are rewritten without loss outside the mask. Further pictures in them, such as previews, are not written.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from PIL import Image

from anonymizer.errors import PictureError, TooLargeError
from anonymizer.files.carriers import stated_by
from anonymizer.files.codecs import Codec
from anonymizer.files.frames import PALETTES, palette_left_out, to_frame
from anonymizer.files.global_state import pillow_state
from anonymizer.files.metadata import (
    DAMAGED_TAGS,
    EXIF_IFD,
    ORIENTATION,
    EmbeddedData,
    Policy,
    exact_profile,
    kept_captions,
    kept_tags,
    kept_xmp,
    left_out_note,
    tags_of,
)
from anonymizer.files.orientation import turn_between
from anonymizer.files.picture import Encoded, Encoding, Frame, Picture, StoredFrame
from anonymizer.files.tiff_bands import further_samples, read_bands, read_mask, refuse_bands
from anonymizer.files.tiff_structure import Directory, Page, TiffFile
from anonymizer.formats import FORMATS
from anonymizer.settings import ReadSettings
from anonymizer.types import Alpha, Pixels

_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 256, 257, 258, 259, 262
_OFFSETS, _SAMPLES, _ROWS, _COUNTS, _PLANES, _PREDICTOR = 273, 277, 278, 279, 284, 317
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT, _EXTRA, _INKS = 282, 283, 296, 338, 332
_WHITE_POINT, _PRIMARIES, _EXIF_WIDTH, _EXIF_HEIGHT = 318, 319, 0xA002, 0xA003
_XMP, _IPTC, _PROFILE = 700, 33723, 34675
_TEXTS = (_XMP, 34377, _IPTC)  # 34377: Photoshop's
_FURTHER_PICTURES = (330, 513)  # sub-directories, and a JPEG preview
_STRUCTURE = {
    *(_SUBFILE, 255, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, 263, 264, 265, 266, _OFFSETS, ORIENTATION),
    *(_SAMPLES, _ROWS, _COUNTS, 280, 281, _PLANES, 288, 289, 290, 291, 292, 293, _PREDICTOR, 320, 321, 322, 323, 324),
    *(325, 326, 327, 328, 330, _INKS, 333, 334, 336, 337, _EXTRA, 339, 340, 341, 342, 347, *range(512, 522)),
    *(529, 530, 531, 532, _PROFILE, 50706, 50707, 52545),
}
"""Tags that describe how the pixels are stored, or certify them: valid only for the source."""

_GRAY_16 = ("I;16", "I;16L", "I;16B")
_UNCOMPRESSED, _DEFLATE = 1, 8
_BLACK_IS_ZERO, _RGB, _CMYK = 1, 2, 5
_ASSOCIATED, _UNASSOCIATED = 1, 2  # alpha by which the colours are multiplied, and are not
_NO_UNIT, _INCH = 1, 2  # of densities
_HEADER = b"MM\0*\0\0\0\x08"
_STRIP = 1 << 22
"""Bytes in a strip, before compression."""
_MAX_SIZE = (1 << 32) - 1


def can_open(content: bytes) -> bool:
    """Whether Pillow can open the file, as far as its structure says.

    Raises:
        PictureError: it holds more than would be processed.
    """
    if re.match(FORMATS["TIFF"].start, content):
        file = TiffFile(content)
        if raw := file.raw_format():
            raise PictureError(f"is a raw file ({raw}); convert it to TIFF or JPEG first")
        if larger := file.larger_picture():
            width, height = larger
            raise PictureError(
                f"holds a larger picture, {width} x {height}, in a sub-directory; convert it to a plain TIFF file first"
            )
        for page in file.pages():
            if page.directory.is_mask:
                raise PictureError("holds a transparency mask, but no page of its size to which it belongs")
            refuse_bands(file, page)
    return True


def decode(image: Image.Image, content: bytes, settings: ReadSettings) -> Picture:
    """All pages except previews of others.

    Raises:
        PictureError: a page is damaged, or of a kind that is not handled.
    """
    file = TiffFile(content)
    with pillow_state(settings.allow_truncated):
        pages = file.pages()
        numbers = [page.number for page in pages]
        if sum(_page_sizes(image, numbers)) > settings.max_pixels:
            raise TooLargeError("has more pixels in its pages than --max-pixels")
        frames = tuple(_decode_page(image, page, file) for page in pages)
        encoding = Encoding("TIFF", has_palette=_has_palette(image, numbers))
    return Picture(frames, content, encoding, left_out=tuple(_left_out(file, pages)))


def _left_out(file: TiffFile, pages: Sequence[Page]) -> Iterator[str]:
    """Notes for the report."""
    masks = sum(page.mask is not None for page in pages)
    previews = sum(not one.is_mask for one in file.chain) - len(pages)
    if previews:
        yield f"{previews} previews in pages of their own are left out"
    if masks:
        yield f"{masks} transparency masks in pages of their own are left out: they are written as alpha channels"
    if pictures := sum(len(one.inner) for one in file.all_directories()):
        yield f"{pictures} smaller pictures in sub-directories are left out"
    if unreferred := file.unreferred():
        yield f"{unreferred} bytes that no page refers to are left out"


def _page_sizes(image: Image.Image, numbers: Sequence[int]) -> Iterator[int]:
    """Sizes of pages, in pixels."""
    for number in numbers:
        image.seek(number)
        yield image.width * image.height


def _decode_page(image: Image.Image, page: Page, file: TiffFile) -> Frame:
    image.seek(page.number)
    if further_samples(page.directory):
        frame = read_bands(file, page.directory)
    else:
        refuse_unhandled(image)
        for key in ("xmp", "XML:com.adobe.xmp"):  # else Pillow turns pages by XMP, which no viewer does
            image.info.pop(key, None)
        decoded = decode_16_bits(image, file.content)
        if decoded is None:
            image.load()  # turns it upright
            decoded = to_frame(image)
        frame = decoded
    frame = replace(frame, other_turns=_other_turns(page.directory))
    return frame if page.mask is None else _with_mask(frame, read_mask(file, page.mask, page.directory))


def _other_turns(directory: Directory) -> tuple[int, ...]:
    """How the upright page would be turned if its XMP, which does not count, were right."""
    tag, xmp = directory.number(ORIENTATION, 1), directory.text(_XMP)
    stated = stated_by(packets=[xmp] if xmp else [], counts=tag if tag in range(1, 9) else 1)
    return tuple(turn_between(stated.orientation, other) for other in stated.others)


def _with_mask(frame: Frame, mask: Alpha) -> Frame:
    """A page with its transparency mask as an alpha channel."""
    if frame.alpha is not None or frame.further or frame.shown is not None:
        raise PictureError("holds a transparency mask beside CMYK colours or further bands, which is not handled")
    if frame.pixels.dtype == np.uint8:
        return replace(frame, alpha=mask)
    colours = np.repeat(frame.pixels, 3, axis=2) if frame.pixels.shape[2] == 1 else frame.pixels
    # Few programs read gray with alpha of 16 bits.
    return replace(frame, pixels=colours, alpha=mask.astype(np.uint16) * np.uint16(257))


def _has_palette(image: Image.Image, numbers: Sequence[int]) -> bool:
    """Whether any page has one."""
    for number in numbers:
        image.seek(number)
        if image.mode in PALETTES:
            return True
    return False


def refuse_unhandled(image: Image.Image) -> None:
    """Checks mode and depth of the current page.

    Raises:
        PictureError: it has samples that are not handled.
    """
    if image.mode not in ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", *_GRAY_16):
        raise PictureError(f"is a TIFF file in {image.mode} colours; convert it to RGB first")
    bits = _bits(image)
    tags = image.tag_v2  # type: ignore[attr-defined]
    if image.mode not in _GRAY_16 and bits > 8 and not _is_rgb_of_16_bits(image):
        raise PictureError("is a TIFF file with more than 8 bits per channel of a kind that is not handled")
    # Pillow returns such samples as stored: too dark, or as a negative.
    if image.mode in _GRAY_16 and (bits != 16 or tags.get(_PHOTOMETRIC, 1) != _BLACK_IS_ZERO):
        raise PictureError("is a gray TIFF file of a kind that is not handled; convert it to 16 bits, black is zero")


def _bits(image: Image.Image) -> int:
    found = image.tag_v2.get(_BITS, (1,))  # type: ignore[attr-defined]
    return int(max(found if isinstance(found, tuple) else (found,)))


def _is_rgb_of_16_bits(image: Image.Image) -> bool:
    tags = image.tag_v2  # type: ignore[attr-defined]
    is_plain = set(tags.get(_BITS, ())) == {16} and tags.get(_PLANES, 1) == 1 and tags.get(339, (1,))[0] == 1
    is_associated = tags.get(_EXTRA, (0,)) in ((_ASSOCIATED,), _ASSOCIATED)
    is_known = tags.get(_SAMPLES) == 3 or (tags.get(_SAMPLES) == 4 and not is_associated)
    return bool(is_plain and is_known and tags.get(_PHOTOMETRIC) == _RGB)


def decode_16_bits(image: Image.Image, content: bytes) -> Frame | None:
    """The current page if it has 16 bits per channel, else None.

    Raises:
        PictureError: it is damaged.
    """
    if image.mode in _GRAY_16:
        image.load()
        return Frame(np.asarray(image).astype(np.uint16)[:, :, np.newaxis])
    if _bits(image) <= 8:
        return None
    number = image.tell()
    is_read, decoded = cv2.imdecodemulti(
        np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED, None, (number, number + 1)
    )
    if not is_read or decoded[0].dtype != np.uint16 or decoded[0].ndim != 3:
        raise PictureError("is damaged: its 16-bit pixels cannot be read")
    upright = decoded[0].astype(np.uint16, copy=False)  # OpenCV turned it
    alpha = np.ascontiguousarray(upright[:, :, 3]) if upright.shape[2] == 4 else None
    return Frame(np.ascontiguousarray(upright[:, :, 2::-1]), alpha)


def encode(picture: Picture, frames: Sequence[StoredFrame], policy: Policy) -> Encoded:
    """A TIFF file with the same pages, upright, without their previews.

    Raises:
        PictureError: it would be larger than TIFF files can be.
    """
    content = bytearray(_HEADER)
    link = 4  # position of the link to the next page
    left_out: list[str] = []
    with pillow_state(), Image.open(io.BytesIO(picture.content), formats=["TIFF"]) as image:
        for page, frame in zip(TiffFile(picture.content).pages(), frames, strict=True):
            image.seek(page.number)
            content += b"\0" * (len(content) % 2)
            start = len(content)
            content[link : link + 4] = start.to_bytes(4, "big")
            encoded, names = _encode_page(image, page.directory, frame, policy, start)
            content += encoded
            left_out += names
            link = start + 2 + 12 * int.from_bytes(content[start : start + 2], "big")
            if len(content) > _MAX_SIZE:
                raise PictureError("would be larger than 4 GB, which TIFF files cannot be")
    return Encoded(bytes(content), "lossless", left_out_note(left_out))


def embedded_data(content: bytes) -> EmbeddedData:
    """All data of the pages beside the pictures, and bytes that nothing refers to."""
    file = TiffFile(content)
    shown = {page.number for page in file.pages()}
    found = EmbeddedData(bytes_apart=file.unreferred())
    with pillow_state(), Image.open(io.BytesIO(content), formats=["TIFF"]) as image:
        for number, directory in enumerate(file.chain):
            try:
                image.seek(number)
            except SyntaxError:
                pass  # of a kind that Pillow does not decode, such as a mask: it still reads the tags
            except (*DAMAGED_TAGS, LookupError, EOFError):
                found.hidden_content.append("damaged tags, which may hold anything")
            tags = image.tag_v2
            if any(tag in tags for tag in _FURTHER_PICTURES):
                found.hidden_content.append("a directory of further pictures")
            if number not in shown and not directory.is_mask:
                found.hidden_content.append("a preview in a page of its own")
            try:
                found.pages.append(tags_of(image.getexif()))
            except DAMAGED_TAGS:
                found.hidden_content.append("damaged tags, which may hold anything")
            found.texts.extend(text for tag in _TEXTS if (text := directory.text(tag)))
            if profile := directory.text(_PROFILE):
                found.profiles.append(profile)
    return found


def _encode_page(
    image: Image.Image, directory: Directory, frame: StoredFrame, policy: Policy, start: int
) -> tuple[bytes, Sequence[str]]:
    """Directory and pixels of a page, and names of metadata that are not plain language.

    Args:
        start: the position of the directory in the file.
    """
    source = image.tag_v2  # type: ignore[attr-defined]
    tags, names = kept_tags(image.getexif(), policy, valid_only_there=_STRUCTURE)
    for tag in (_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT):
        if tag in tags:
            del tags[tag]
    height, width, samples = frame.pixels.shape
    is_turned = directory.number(ORIENTATION, 1) in range(5, 9)
    tags.update(_shown_right(source, is_turned))
    inner = tags.get_ifd(EXIF_IFD) if EXIF_IFD in tags else {}
    inner.update({tag: size for tag, size in ((_EXIF_WIDTH, width), (_EXIF_HEIGHT, height)) if tag in inner})
    xmp, captions = kept_xmp(directory.text(_XMP), policy, 1), kept_captions(directory.text(_IPTC), policy)
    if xmp.content:
        tags[_XMP] = xmp.content
    if captions.content:
        tags[_IPTC] = captions.content
    is_compressed = image.info.get("compression") != "raw"
    is_cmyk = image.mode == "CMYK"
    is_bilevel = _bits(image) == 1 and samples == 1 and not frame.is_changed
    strips = list(_strips(frame.pixels, is_bilevel, is_compressed))
    further = further_samples(directory)
    tags[_WIDTH], tags[_HEIGHT], tags[_SAMPLES], tags[_PLANES] = width, height, samples, 1
    tags[_BITS] = (1 if is_bilevel else 8 * frame.pixels.itemsize,) * samples
    tags[_COMPRESSION] = _DEFLATE if is_compressed else _UNCOMPRESSED
    if is_compressed and not is_bilevel:
        tags[_PREDICTOR] = 2
    tags[_PHOTOMETRIC] = _CMYK if is_cmyk else _RGB if samples - len(further) >= 3 else _BLACK_IS_ZERO
    if further:
        tags[_EXTRA] = further
    elif samples == 2 or (samples == 4 and not is_cmyk):
        tags[_EXTRA] = _UNASSOCIATED
    tags[_ROWS] = min(height, _rows_per_strip(frame.pixels))
    tags[_COUNTS] = tuple(map(len, strips))
    tags[_OFFSETS] = tuple(np.cumsum([0, *map(len, strips[:-1])]).tolist())  # relative to the end of the directory
    content = tags.tobytes(start)[len(b"Exif\0\0") + len(_HEADER) :] + b"".join(strips)
    return content, (*names, *xmp.left_out, *captions.left_out)


def _shown_right(source: Mapping[int, Any], is_turned: bool) -> Iterator[tuple[int, object]]:
    """The tags of a page that every policy keeps, since they tell how it is shown: density and colours.

    Args:
        is_turned: whether width and height change places.
    """
    across, down = source.get(_X_RESOLUTION), source.get(_Y_RESOLUTION)
    if across and down:
        yield _X_RESOLUTION, down if is_turned else across
        yield _Y_RESOLUTION, across if is_turned else down
        yield _RESOLUTION_UNIT, source.get(_RESOLUTION_UNIT, _INCH)
    else:  # the tags are required
        yield from ((_X_RESOLUTION, 1), (_Y_RESOLUTION, 1), (_RESOLUTION_UNIT, _NO_UNIT))
    if isinstance(content := source.get(_PROFILE), bytes) and (profile := exact_profile(content)):
        yield _PROFILE, profile
    for tag, number in ((_WHITE_POINT, 2), (_PRIMARIES, 6)):
        value = source.get(tag)
        if source.get(_PHOTOMETRIC) == _RGB and isinstance(value, tuple) and len(value) == number:
            yield tag, value


def _rows_per_strip(pixels: Pixels) -> int:
    return max(1, _STRIP // int(pixels[0].nbytes))


def _strips(pixels: Pixels, is_bilevel: bool, is_compressed: bool) -> Iterator[bytes]:
    rows = _rows_per_strip(pixels)
    for top in range(0, pixels.shape[0], rows):
        strip = pixels[top : top + rows]
        if is_bilevel:
            strip = np.packbits(strip[:, :, 0] > 0, axis=1)
        elif is_compressed:  # difference of each pixel to its left neighbour
            strip = np.diff(strip, axis=1, prepend=np.zeros_like(strip[:, :1]))
        data = strip.astype(strip.dtype.newbyteorder(">"), copy=False).tobytes()
        yield zlib.compress(data) if is_compressed else data


CODEC = Codec(decode, encode, embedded_data, can_open, left_out=palette_left_out)
