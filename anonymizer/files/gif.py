"""GIF files and their blocks. (Graphics Interchange Format, version 89a.)

If nothing was redacted, the pictures stay byte for byte, but for colours that no pixel shows. Otherwise each frame gets
a palette of its own: first every colour outside the redacted areas, then as many of the redacted areas as there is room
for.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from anonymizer.errors import PictureError
from anonymizer.files.animation import Patch, decode_still_or_animation, to_patch, to_patches
from anonymizer.files.carriers import stated_by
from anonymizer.files.codecs import Codec, Mask
from anonymizer.files.global_state import pillow_state
from anonymizer.files.metadata import (
    MAX_UNKNOWN,
    EmbeddedData,
    Policy,
    exact_profile,
    kept_texts,
    kept_xmp,
    left_out_note,
)
from anonymizer.files.palettes import PALETTE_ISSUE, Used, as_colours, may_hold_data, used_by, without_unused
from anonymizer.files.picture import Encoded, Frame, Picture, StoredFrame
from anonymizer.files.trailing_data import CUT, is_complete
from anonymizer.settings import ReadSettings
from anonymizer.types import Fidelity, Pixels

_ASPECT_AT = 12  # shape of the pixels
_BACKGROUND_AT = 11  # number of a colour
_TABLE_AT = 7  # bytes of the screen before its palette
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_CONTROL, _COMMENT, _APPLICATION = 0xF9, 0xFE, 0xFF
_LOOP = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_PROFILE, _XMP = b"ICCRGBG1012", b"XMP DataXMP"
_XMP_END = b"\1" + bytes(range(255, -1, -1)) + b"\0"
"""Behind an XMP packet, which is not split in parts: it leads readers of parts to its end."""
_HAS_TABLE, _INTERLACED = 0x80, 0x40
_STAYS, _IS_CLEARED = 1 << 2, 2 << 2  # disposal of a frame before the next one
_COLOURS = 256
_OPAQUE_FROM = 128

_Colours: TypeAlias = npt.NDArray[np.uint8]
"""(N, 3) RGB"""


@dataclass(frozen=True)
class Block:
    """An extension or a picture."""

    kind: int
    label: int
    """The kind of extension; meaningless for pictures."""
    content: bytes
    head: bytes
    """All bytes before the data; those of a picture include its palette and the minimum code size."""
    data: bytes
    """The data, joined from their parts."""


def table_size(flags: int) -> int:
    """Size of the palette that these flags announce, in bytes."""
    return 3 << ((flags & 7) + 1) if flags & _HAS_TABLE else 0


def read_blocks(content: bytes) -> Iterator[Block]:
    """The extensions and pictures of a file, up to its trailer."""
    position = 13 + table_size(content[10])
    while position + 10 <= len(content) and content[position] in (_EXTENSION, _IMAGE):
        start, kind = position, content[position]
        position += 2 if kind == _EXTENSION else 10
        if kind == _IMAGE:
            position += table_size(content[position - 1]) + 1
        head, parts = content[start:position], []
        while position < len(content) and content[position]:
            parts.append(content[position + 1 : position + 1 + content[position]])
            position += 1 + content[position]
        position += 1
        yield Block(kind, content[start + 1], content[start:position], head, b"".join(parts))


def decode(image: Image.Image, content: bytes, settings: ReadSettings) -> Picture:
    """The still picture, or the frames of an animation as they are shown."""
    packets = [_packet(block) for block in read_blocks(content) if _is_xmp(block)]
    return decode_still_or_animation(image, content, settings, "GIF", stated_by(packets=packets))


def _is_xmp(block: Block) -> bool:
    return block.kind == _EXTENSION and block.label == _APPLICATION and block.data.startswith(_XMP)


def encode(picture: Picture, frames: Sequence[StoredFrame], policy: Policy) -> Encoded:
    """A GIF file with the same frames, delays and number of loops.

    Raises:
        PictureError: the blocks of the source are damaged.
    """
    blocks = list(read_blocks(picture.content))
    if sum(block.kind == _IMAGE for block in blocks) != len(frames):
        raise PictureError("is damaged: its number of frames is not certain")
    metadata, left_out = _kept_metadata(blocks, policy)
    fidelity: Fidelity = "lossless"
    if any(frame.is_changed for frame in frames) or not _are_exact(picture.content, blocks, picture.allow_truncated):
        height, width = frames[0].pixels.shape[:2]
        start = width.to_bytes(2, "little") + height.to_bytes(2, "little") + b"\0\0"
        start += picture.content[_ASPECT_AT : _ASPECT_AT + 1]
        body, fidelity = _encode_frames(frames, _delays(blocks))
    else:
        start, blocks = _without_unused_colours(picture.content, blocks)
        body = b"".join(_picture_block(block) for block in blocks)
    content = b"GIF89a" + start + b"".join(metadata) + body + bytes([_TRAILER])
    return Encoded(content, fidelity, left_out_note(left_out))


def _are_exact(content: bytes, blocks: Sequence[Block], allow_truncated: bool = False) -> bool:
    """Whether every picture needs the last bytes of its data, so that nothing is hidden behind them."""
    start = content[: 13 + table_size(content[10])]
    return not any(
        is_complete(start + block.head + write_parts([block.data[:-CUT]]) + bytes([_TRAILER]), "GIF", allow_truncated)
        for block in blocks
        if block.kind == _IMAGE
    )


def _without_unused_colours(content: bytes, blocks: Sequence[Block]) -> tuple[bytes, list[Block]]:
    """The screen with its palette, and the blocks, in which colours are black that no pixel shows."""
    start = content[6 : 13 + table_size(content[10])]
    shared, own = _used_colours(content, blocks)
    new = []
    for number, block in enumerate(blocks):
        if number in own:
            table = without_unused(as_colours(block.head[10:-1]), own[number]).tobytes()
            head = block.head[:10] + table + block.head[-1:]
            block = replace(block, head=head, content=head + block.content[len(head) :])
        new.append(block)
    return start[:_TABLE_AT] + without_unused(as_colours(start[_TABLE_AT:]), shared).tobytes(), new


def _used_colours(content: bytes, blocks: Sequence[Block]) -> tuple[Used, dict[int, Used]]:
    """The colours of the palette of the file, and of those of pictures by their number among the blocks."""
    shared, own = used_by(further=[content[_BACKGROUND_AT]]), dict[int, Used]()
    for number, block in enumerate(blocks):
        if block.kind == _IMAGE:
            used = used_by(_indices(block))
            if table_size(block.head[9]):
                own[number] = used
            else:
                shared |= used
    return shared, own


def _indices(block: Block) -> npt.NDArray[np.uint8]:
    """The numbers of colours of a picture; none of one without pixels."""
    if b"\0\0" in (block.head[5:7], block.head[7:9]):
        return np.zeros(0, np.uint8)
    size, flags = block.head[5:9], bytes([_HAS_TABLE | block.head[9] & _INTERLACED | 7])
    colours = bytes(3 * (_COLOURS - 1)) + b"\0\0\1"  # not gray
    head = b"GIF89a" + size + bytes(3) + bytes([_IMAGE]) + bytes(4) + size + flags + colours + block.head[-1:]
    with (
        pillow_state(True),
        Image.open(io.BytesIO(head + block.content[len(block.head) :] + bytes([_TRAILER])), formats=["GIF"]) as image,
    ):
        return np.asarray(image)


def embedded_data(content: bytes) -> EmbeddedData:
    """All data of a file beside its pictures."""
    found = read_metadata(content)
    blocks = list(read_blocks(content))
    if not _are_exact(content, blocks):
        found.hidden_content.append("more compressed data than the pictures take")
    shared, own = _used_colours(content, blocks)
    palettes = [(content[13 : 13 + table_size(content[10])], shared)]
    palettes += [(blocks[number].head[10:-1], used) for number, used in own.items()]
    if any(may_hold_data(as_colours(palette), used) for palette, used in palettes):
        found.hidden_content.append(PALETTE_ISSUE)
    return found


def read_metadata(content: bytes) -> EmbeddedData:
    """The same without a look at the compressed data."""
    blocks = list(read_blocks(content))
    end = 13 + table_size(content[10]) + sum(len(block.content) for block in blocks)
    end += content[end : end + 1] == bytes([_TRAILER])
    found = EmbeddedData(bytes_behind=max(0, len(content) - end))
    for block in blocks:
        name, data = block.data[:11], block.data[11:]
        is_application = block.kind == _EXTENSION and block.label == _APPLICATION
        if is_application and name == _PROFILE:
            found.profiles.append(data)
        elif _is_xmp(block):
            found.texts.append(_packet(block))
        elif block.kind == _EXTENSION and block.label == _COMMENT:
            found.named_texts.append((b"", block.data))
        elif block.kind == _EXTENSION and block.label != _CONTROL:
            found.texts.append(block.data)
            if len(data) > MAX_UNKNOWN:
                found.hidden_content.append(f"{len(data)} bytes in an unknown block")
    return found


def _picture_block(block: Block) -> bytes:
    """A picture as it is, or its graphic control extension; nothing for other blocks."""
    if block.kind == _IMAGE:
        return block.content
    return write_extension(_CONTROL, block.data[:4], b"") if block.label == _CONTROL else b""


def _kept_metadata(blocks: Sequence[Block], policy: Policy) -> tuple[list[bytes], list[str]]:
    """The extensions that the policy keeps, and names of metadata that are not plain language."""
    kept, names = list[bytes](), list[str]()
    comments = [block for block in blocks if block.kind == _EXTENSION and block.label == _COMMENT]
    are_kept = iter(kept_texts([(b"", block.data) for block in comments], policy))
    for block in blocks:
        name, data = block.data[:11], block.data[11:]
        is_application = block.kind == _EXTENSION and block.label == _APPLICATION
        if is_application and name in _LOOP:
            kept.append(write_extension(_APPLICATION, name, data[:3]))
        elif is_application and name == _PROFILE:
            profile = exact_profile(data)
            kept += [write_extension(_APPLICATION, name, profile)] if profile else []
        elif _is_xmp(block) and policy == "keep":
            xmp = kept_xmp(_packet(block), policy, 1)
            names += xmp.left_out
            kept += [] if xmp.content is None else [block.head + bytes([len(_XMP)]) + _XMP + xmp.content + _XMP_END]
        elif block.kind == _EXTENSION and block.label == _COMMENT:
            is_kept = next(are_kept)
            kept += [block.content] * is_kept
            names += ["a comment"] * (policy == "keep" and not is_kept)
    return kept, names


def _packet(block: Block) -> bytes:
    """The XMP packet in its extension; some programs split it in parts."""
    if not block.content.endswith(_XMP_END):
        return block.data.removeprefix(_XMP)
    return block.content[len(block.head) + 1 + len(_XMP) : -len(_XMP_END)]


def write_extension(label: int, name: bytes, data: bytes) -> bytes:
    """An extension block. `name` comes before the data, in a part of its own, and may be empty."""
    return bytes([_EXTENSION, label]) + write_parts([name, data])


def write_parts(pieces: Sequence[bytes]) -> bytes:
    """Data split into parts as files store them; each piece begins a new part."""
    parts = [piece[start : start + 255] for piece in pieces for start in range(0, len(piece), 255)]
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def _delays(blocks: Sequence[Block]) -> list[bytes]:
    """The delay of each picture: hundredths of seconds in two bytes."""
    delays, delay = [], b"\0\0"
    for block in blocks:
        if block.kind == _IMAGE:
            delays.append(delay)
            delay = b"\0\0"
        elif block.label == _CONTROL:
            delay = block.data[1:3].ljust(2, b"\0")
    return delays


def _encode_frames(frames: Sequence[StoredFrame], delays: Sequence[bytes]) -> tuple[bytes, Fidelity]:
    # A frame cannot paint transparency over the one before it: where one needs to, every frame clears the canvas first.
    clears = any((_is_hidden(frame) & ~_is_hidden(before)).any() for before, frame in pairwise(frames))
    patches = map(to_patch, frames) if clears else to_patches(frames)
    parts, fidelity = [], "lossless"
    for patch, delay in zip(patches, delays, strict=True):
        hidden = _is_hidden(patch.frame)[patch.slices] | patch.stays
        # Without a transparent colour in the frame, viewers differ in the colour that they clear to.
        is_transparent = clears or bool(hidden.any())
        indices, colours, is_exact = _to_palette(patch, hidden, _COLOURS - is_transparent)
        fidelity = fidelity if is_exact else "reencoded"
        flags = (_IS_CLEARED if clears else _STAYS) | is_transparent
        control = bytes([flags]) + delay + bytes([len(colours) if is_transparent else 0])
        parts += [write_extension(_CONTROL, control, b""), _image(patch, indices, colours)]
    return b"".join(parts), fidelity  # type: ignore[return-value]


def _is_hidden(frame: StoredFrame) -> npt.NDArray[np.bool_]:
    has_alpha = frame.pixels.shape[2] in (2, 4)
    return frame.pixels[:, :, -1] < _OPAQUE_FROM if has_alpha else np.zeros(frame.changed.shape, bool)


def _to_rgb(pixels: Pixels) -> npt.NDArray[np.uint8]:
    colours = pixels[:, :, : -1 if pixels.shape[2] in (2, 4) else None].astype(np.uint8, copy=False)
    return np.repeat(colours, 3, axis=2) if colours.shape[2] == 1 else colours


def _to_palette(patch: Patch, hidden: npt.NDArray[np.bool_], room: int) -> tuple[npt.NDArray[np.uint8], _Colours, bool]:
    """Indices (h, w), the palette, and whether every colour outside the redacted areas is in it.

    Args:
        hidden: (h, w), transparent pixels: they get the index behind the last colour.
        room: size of the palette, at most.
    """
    pixels, changed = _to_rgb(patch.pixels), patch.frame.changed[patch.slices]
    kept, redacted = ~changed & ~hidden, changed & ~hidden
    exact = np.unique(_packed(pixels[kept]))
    is_exact = len(exact) <= room
    everything = np.unique(_packed(pixels[~hidden]))
    if len(everything) <= room:
        exact, kept, redacted = everything, ~hidden, np.zeros_like(hidden)
    elif not is_exact:
        exact, kept, redacted = exact[:0], np.zeros_like(hidden), ~hidden
    indices = np.zeros(changed.shape, np.uint8)
    indices[kept] = np.searchsorted(exact, _packed(pixels[kept]))
    colours = _unpacked(exact)
    if redacted.any():
        further = _reduced(pixels[redacted], room - len(exact)) if room > len(exact) else colours[:0]
        colours = np.concatenate([colours, further])
        indices[redacted] = _nearest(pixels[redacted], colours)
    indices[hidden] = len(colours) % _COLOURS
    return indices, colours, is_exact


def _packed(colours: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    wide = colours.astype(np.uint32)
    return np.asarray(wide[:, 0] << 16 | wide[:, 1] << 8 | wide[:, 2], np.uint32)


def _unpacked(packed: npt.NDArray[np.uint32]) -> _Colours:
    return np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=1).astype(np.uint8)


def _reduced(pixels: _Colours, number: int) -> _Colours:
    """At most `number` colours that represent these pixels."""
    palette = Image.fromarray(pixels[np.newaxis]).quantize(number).getpalette() or []
    return np.array(palette, np.uint8).reshape(-1, 3)[:number]


def _nearest(pixels: _Colours, colours: _Colours) -> npt.NDArray[np.uint8]:
    palette = Image.new("P", (1, 1))
    palette.putpalette(np.resize(colours, (_COLOURS, 3)).tobytes())
    found = Image.fromarray(pixels[np.newaxis]).quantize(palette=palette, dither=Image.Dither.NONE)
    return np.asarray(np.asarray(found)[0] % np.uint16(len(colours)), np.uint8)


def _image(patch: Patch, indices: npt.NDArray[np.uint8], colours: _Colours) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(indices).save(buffer, "GIF", optimize=False, interlace=0)
    (image,) = (block for block in read_blocks(buffer.getvalue()) if block.kind == _IMAGE)
    places = (patch.left, patch.top, indices.shape[1], indices.shape[0])
    table = np.zeros((_COLOURS, 3), np.uint8)
    table[: len(colours)] = colours
    descriptor = b"".join(place.to_bytes(2, "little") for place in places) + bytes([_HAS_TABLE | 7])
    return bytes([_IMAGE]) + descriptor + table.tobytes() + image.head[-1:] + write_parts([image.data])


def may_differ(source: Picture, frame: Frame, changed: Mask) -> Mask:
    """The changed pixels and the transparent ones, which have no colours of their own."""
    return changed if frame.alpha is None else np.asarray(changed | (frame.alpha == 0))


CODEC = Codec(decode, encode, embedded_data, may_differ=may_differ, read_metadata=read_metadata)
