"""Reads what Pillow does not: bands of a TIFF page beside its colours, bit for bit, and transparency masks.

Pillow drops such bands. So the page is described anew, as a gray picture that is as many times as wide as a pixel has
samples, which Pillow decodes as it is.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from anonymizer.errors import PictureError
from anonymizer.files.global_state import pillow_state
from anonymizer.files.orientation import turn_upright
from anonymizer.files.picture import Frame
from anonymizer.files.tiff_structure import (
    BITS,
    COMPRESSION,
    COUNTS,
    EXTRA,
    FILL_ORDER,
    OFFSETS,
    ORIENTATION,
    PHOTOMETRIC,
    PLANES,
    PREDICTOR,
    ROWS,
    SAMPLE_FORMAT,
    SAMPLES,
    TILE_COUNTS,
    TILE_HEIGHT,
    TILE_OFFSETS,
    TILE_WIDTH,
    WIDTH,
    Directory,
    Page,
    TiffFile,
)
from anonymizer.types import Alpha, Pixels

_COLOURS = {0: 1, 1: 1, 2: 3, 3: 1, 4: 1, 5: 4, 6: 3, 8: 3}
"""Samples of a pixel that are colours, by the kind of page."""
_GRAY, _RGB, _CMYK = 1, 2, 5
_ONE_ALPHA = ((), (2,), (999,))
"""Kinds of a single further sample that are alpha by which the colours are not multiplied. 999: Corel Draw's."""
_COMPRESSIONS = (1, 5, 8, 32773, 32946, 34925, 50000)  # those of bytes, not of pictures
_STORAGE = (256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 293, 322, 323, 324, 325, 347)
"""Tags that a decoder needs."""
_SHORT, _LONG, _LONG_8 = 3, 4, 16


def further_samples(directory: Directory) -> tuple[int, ...]:
    """The kinds of samples beside the colours that need this reader: 0 unspecified, 1 and 2 alpha.

    There are none if there are no such samples, or only an alpha channel that Pillow reads as it is.
    """
    photometric = directory.number(PHOTOMETRIC, _GRAY)
    number = directory.number(SAMPLES, 1) - _COLOURS.get(photometric, directory.number(SAMPLES, 1))
    kinds = directory.numbers(EXTRA)
    if number < 1 or (number == 1 and kinds in _ONE_ALPHA and photometric != _CMYK):
        return ()
    return (*kinds, *[0] * number)[:number]


def refuse_bands(file: TiffFile, page: Page) -> None:
    """Checks that the bands of a page can be read, if it has any.

    Raises:
        PictureError: they cannot.
    """
    further = further_samples(page.directory)
    if further and not (_are_read(page.directory) and _is_opened(file, page)):
        number = page.directory.number(SAMPLES, 1)
        raise PictureError(
            f"is a TIFF file with {number} bands, {len(further)} of them beside the colours, of a kind that is not"
            " handled; save its colours as a file of their own first"
        )


def _are_read(directory: Directory) -> bool:
    photometric, bits = directory.number(PHOTOMETRIC, _GRAY), set(directory.bits)
    return (
        (bits == {8} or (bits == {16} and photometric == _RGB))
        and photometric in (_GRAY, _RGB, _CMYK)
        and set(directory.numbers(SAMPLE_FORMAT)) <= {1}
        and directory.number(FILL_ORDER, 1) == 1
        and directory.number(COMPRESSION, 1) in _COMPRESSIONS
        and directory.number(PREDICTOR, 1) in (1, 2)
    )


def _is_opened(file: TiffFile, page: Page) -> bool:
    """Whether Pillow knows such pages: it still reads their tags."""
    try:
        with pillow_state(), Image.open(io.BytesIO(file.content), formats=["TIFF"]) as image:
            image.seek(page.number)
    except (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, struct.error):
        return False
    return True


def read_bands(file: TiffFile, directory: Directory) -> Frame:
    """A page with bands beside its colours. See `Frame.further`.

    Raises:
        OSError, ValueError: it is damaged.
    """
    further = len(further_samples(directory))
    orientation = directory.number(ORIENTATION, 1)
    pixels = turn_upright(_samples(file, directory), orientation if orientation in range(1, 9) else 1)
    shown = None
    if directory.number(PHOTOMETRIC, _GRAY) == _CMYK:
        inks = Image.fromarray(np.ascontiguousarray(pixels[:, :, :4]), "CMYK")
        shown = np.asarray(inks.convert("RGB"))
    return Frame(pixels, shown=shown, further=further)


def read_mask(file: TiffFile, mask: Directory, page: Directory) -> Alpha:
    """A page with a transparency mask as an alpha channel: uint8 (H, W), upright.

    Raises:
        PictureError: it is of a kind that is not handled.
        OSError, ValueError: it is damaged.
    """
    if mask.bits not in ((1,), (8,)):
        raise PictureError("holds a transparency mask of a kind that is not handled; remove it first")
    stored = np.asarray(_decode(file, mask, {PHOTOMETRIC: (_GRAY,)}).convert("L"))
    orientation = mask.number(ORIENTATION, page.number(ORIENTATION, 1))  # most programs turn the page alone
    return turn_upright(stored, orientation if orientation in range(1, 9) else 1)


def _samples(file: TiffFile, directory: Directory) -> Pixels:
    """All samples of a page as they are stored, (H, W, number of samples)."""
    samples, (width, height) = directory.number(SAMPLES, 1), directory.size
    if directory.number(PLANES, 1) == 1:
        return _plane(file, directory, samples, {}).reshape(height, width, samples)
    offsets, counts = (TILE_OFFSETS, TILE_COUNTS) if directory.is_tiled else (OFFSETS, COUNTS)
    starts, sizes = directory.numbers(offsets), directory.numbers(counts)
    each = len(starts) // samples
    parts = [slice(number * each, (number + 1) * each) for number in range(samples)]
    planes = [_plane(file, directory, 1, {offsets: starts[part], counts: sizes[part]}) for part in parts]
    return np.stack(planes, axis=2)


def _plane(file: TiffFile, directory: Directory, samples: int, tags: Mapping[int, Sequence[int]]) -> Pixels:
    """Samples that are stored together, (H, W * samples)."""
    width, bits = directory.size[0], directory.bits[0]
    described = {WIDTH: (width * samples,), BITS: (bits,), PHOTOMETRIC: (_GRAY,), SAMPLES: (1,), PLANES: (1,), **tags}
    if directory.is_tiled:
        described[TILE_WIDTH] = (directory.number(TILE_WIDTH, width) * samples,)
    decoded = np.asarray(_decode(file, directory, described)).astype(np.uint8 if bits == 8 else np.uint16)
    if directory.number(PREDICTOR, 1) != 2 or directory.number(COMPRESSION, 1) in (1, 32773):
        return decoded
    step = samples * (directory.number(TILE_WIDTH, width) if directory.is_tiled else width)
    for left in range(0, decoded.shape[1], step):
        part = decoded[:, left : left + step]
        differences = part.reshape(part.shape[0], -1, samples)
        part[:] = np.cumsum(differences, axis=1, dtype=part.dtype).reshape(part.shape)
    return decoded


def _decode(file: TiffFile, directory: Directory, changes: Mapping[int, Sequence[int]]) -> Image.Image:
    """A page as an image, with some of the tags that say how it is stored replaced."""
    tags: dict[int, bytes | tuple[int, ...]] = {}
    for tag in _STORAGE:
        if tag in changes:
            tags[tag] = tuple(changes[tag])
        elif tag in directory.entries:
            entry = directory.entries[tag]
            tags[tag] = entry.data if tag == 347 else directory.numbers(tag)
    content = file.content + b"\0" * (len(file.content) % 2)
    size = 8 if file.is_big else 4
    start = len(content).to_bytes(size, file.byte_order)  # type: ignore[arg-type]
    header = content[:8] + start if file.is_big else content[:4] + start
    described = header + content[len(header) :] + _write_directory(file, tags, len(content))
    image = Image.open(io.BytesIO(described), formats=["TIFF"])
    image.load()
    return image


def _write_directory(file: TiffFile, tags: Mapping[int, bytes | tuple[int, ...]], start: int) -> bytes:
    """A directory with these values at a place in the file."""
    order, head, word = file.byte_order, 8 if file.is_big else 2, 8 if file.is_big else 4

    def number(value: int, size: int) -> bytes:
        if value >> 8 * size:
            raise ValueError("a tag has an impossible value")
        return value.to_bytes(size, order)  # type: ignore[arg-type]

    entries, values = number(len(tags), head), b""
    values_at = start + head + len(tags) * (4 + 2 * word) + word
    for tag, value in sorted(tags.items()):
        if isinstance(value, bytes):
            kind, size, data = 7, 1, value
        else:
            kind, size = (_LONG_8, 8) if file.is_big else (_LONG, 4)
            if tag not in (OFFSETS, COUNTS, TILE_OFFSETS, TILE_COUNTS, WIDTH, 257, ROWS, TILE_WIDTH, TILE_HEIGHT):
                kind, size = _SHORT, 2
            data = b"".join(number(one, size) for one in value)
        entries += number(tag, 2) + number(kind, 2) + number(len(data) // size, word)
        if len(data) <= word:
            entries += data.ljust(word, b"\0")
        else:
            entries += number(values_at + len(values), word)
            values += data + b"\0" * (len(data) % 2)
    return entries + b"\0" * word + values
