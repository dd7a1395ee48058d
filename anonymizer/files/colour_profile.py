"""ICC profiles: only what they say about colours is kept. (ICC.1:2022.)

Profiles may hold tags of any name and any content. A private tag, a measurement, or a text that is not plain language
may be a picture. The tables of device profiles are kept as they are, if they have the size that they say.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping

import numpy as np

from anonymizer.files.plain_language import is_plain, measure_bytes

_HEADER, _ENTRY = 128, 12  # bytes of the header, and of an entry of the table of tags
_SIGNATURE_AT, _ID_AT, _RESERVED_AT = 36, 84, 100
_MOST_TAGS, _LONGEST_TEXT, _MOST_POINTS = 100, 4096, 4096
_PADDING, _TABLE_PADDING = 3, 16  # bytes behind a value, and behind a table, as some programs write them
_NOTHING_BEHIND = 78  # bytes of a description behind its text in ASCII, if there is none in other encodings
_CHAIN, _MATRIX, _GRID = 32, 48, 20  # bytes of the head of a chain, of its matrix, and of the head of its grid
_PARAMETERS = (1, 3, 4, 5, 7)  # of the formulas of curves
_MOST_STEPS_BACK = 0.1  # of the points of a curve: a curve rises or falls, which other data do not
_VALUES = {
    **{b"XYZ ": 20, b"sf32": 44, b"sig ": 12, b"view": 36, b"meas": 36, b"cicp": 12, b"dtim": 20},
    **{b"chrm": 36, b"para": 40},
}
"""Types of values, and their sizes in bytes, at most."""
_TABLES = frozenset(f"{kind}{number}".encode() for kind in ("A2B", "B2A", "D2B", "B2D", "pre") for number in range(4))
_TAGS = frozenset(
    name.encode()
    for line in (
        "rXYZ gXYZ bXYZ rTRC gTRC bTRC kTRC wtpt bkpt chad lumi view meas tech chrm cicp calt rig0 rig2 ciis",
        "desc cprt dmnd dmdd vued dscm",
    )
    for name in line.split()
)
"""Names of tags that describe colours, and of texts about the profile, beside those of tables."""


def only_colours(profile: bytes) -> bytes:
    """The profile without bytes and tags that do not describe colours; the same bytes if it has none.

    Nothing is left of data that are no ICC profile, or a damaged one: programs ignore them.
    """
    size = int.from_bytes(profile[:4], "big")
    exact = profile[:size] if size >= _HEADER + 4 else b""
    number = int.from_bytes(exact[_HEADER : _HEADER + 4], "big")
    if exact[_SIGNATURE_AT : _SIGNATURE_AT + 4] != b"acsp" or number > _MOST_TAGS:
        return b""
    table = exact[_HEADER + 4 : _HEADER + 4 + number * _ENTRY]
    if len(table) < number * _ENTRY:
        return b""
    parts: dict[bytes, tuple[int, int]] = {}  # of each tag, from where to where
    for name, start, length in struct.iter_unpack(">4sII", table):
        if start + length > len(exact):
            return b""
        parts.setdefault(name, (start, start + length))
    kept = {name: _kept(name, exact[slice(*part)]) for name, part in parts.items()}
    is_same = len(parts) == number and all(kept[name] == exact[slice(*part)] for name, part in parts.items())
    if is_same and len(exact) == size and not any(exact[_RESERVED_AT:_HEADER]) and _has_no_gaps(exact, number, parts):
        return exact
    return _write(exact[:_ID_AT], {name: data for name, data in kept.items() if data})


def _has_no_gaps(profile: bytes, number: int, parts: Mapping[bytes, tuple[int, int]]) -> bool:
    """Whether nothing lies between the tags but padding."""
    position = _HEADER + 4 + number * _ENTRY
    for start, end in [*sorted(parts.values()), (len(profile), len(profile))]:
        gap = profile[position:start]
        if len(gap) > _PADDING and any(gap):
            return False
        position = max(position, end)
    return True


def _write(header: bytes, tags: Mapping[bytes, bytes]) -> bytes:
    """A profile of these tags. `header`: up to the checksum, which it does not get."""
    start = _HEADER + 4 + len(tags) * _ENTRY
    table, body, places = b"", b"", dict[bytes, int]()
    for name, data in tags.items():
        if data not in places:
            places[data] = start + len(body)
            body += data + b"\0" * (-len(data) % 4)
        table += struct.pack(">4sII", name, places[data], len(data))
    size = start + len(body)
    rest = header[4:].ljust(_HEADER - 4, b"\0") + struct.pack(">I", len(tags))
    return size.to_bytes(4, "big") + rest + table + body


def _kept(name: bytes, data: bytes) -> bytes:
    """What is kept of a tag; nothing if it may hold anything else than colours or plain language."""
    kind = data[:4]
    if name in _TABLES or name == b"gamt":
        return data if _is_table(data) else b""
    if name not in _TAGS:
        return b""
    if kind in _VALUES:
        return data if len(data) <= _VALUES[kind] else b""
    if kind == b"curv":
        return data if _is_curve(data) else b""
    if kind == b"desc":
        return _kept_description(data)
    texts = list(_texts(data)) if kind in (b"text", b"mluc") and len(data) <= _LONGEST_TEXT else [None]
    return data if all(text is not None and is_plain(text) for text in texts) else b""


def _is_curve(data: bytes) -> bool:
    """Whether it is a gamma, or points that rise or fall. (Section 10.6.)"""
    number = int.from_bytes(data[8:12], "big")
    if number > _MOST_POINTS or not 12 + 2 * number <= len(data) <= 12 + 2 * number + _PADDING:
        return False
    steps = np.diff(np.frombuffer(data, ">u2", number, 12).astype(np.int32))
    return bool(min((steps < 0).sum(), (steps > 0).sum()) <= _MOST_STEPS_BACK * number)


def _is_table(data: bytes) -> bool:
    """Whether a multi-dimensional table has the size that it says. (Sections 10.10 to 10.13.)

    Chains of elements (`mpet`) are not kept: they only refine the other tables, and may hold anything.
    """
    if data[:4] in (b"mAB ", b"mBA "):
        return _is_chain(data)
    if data[:4] not in (b"mft1", b"mft2") or len(data) < 52:
        return False
    inputs, outputs, points = data[8:11]
    entries = (256, 256) if data[:4] == b"mft1" else struct.unpack(">HH", data[48:52])
    size = entries[0] * inputs + points**inputs * outputs + entries[1] * outputs
    exact = 48 + size if data[:4] == b"mft1" else 52 + 2 * size
    return bool(exact <= len(data) <= exact + _TABLE_PADDING)


def _is_chain(data: bytes) -> bool:
    """Whether a table of curves, a matrix and a grid consists of these and nothing else."""
    if len(data) < _CHAIN:
        return False
    inputs, outputs = data[8], data[9]
    first, matrix, middle, grid, last = struct.unpack(">5I", data[12:_CHAIN])
    on_both_sides = (outputs, inputs) if data[:4] == b"mAB " else (inputs, outputs)
    parts = [(0, _CHAIN)]
    try:
        for start, number in ((first, on_both_sides[0]), (middle, on_both_sides[0]), (last, on_both_sides[1])):
            parts += _curves(data, start, number) if start else []
        if matrix:
            parts.append((matrix, matrix + _MATRIX))
        if grid:
            size = math.prod(data[grid : grid + inputs]) * outputs * data[grid + 16]
            parts.append((grid, grid + _GRID + size))
    except (IndexError, ValueError, struct.error):
        return False
    position = 0
    for start, end in sorted(parts):
        if start > position + _PADDING or any(data[position:start]):
            return False
        position = max(position, end)
    return position <= len(data) <= position + _TABLE_PADDING and not any(data[position:])


def _curves(data: bytes, start: int, number: int) -> list[tuple[int, int]]:
    """Where some curves lie, one behind the other.

    Raises:
        ValueError: they are not curves.
    """
    parts = []
    for _ in range(number):
        kind = data[start : start + 4]
        if kind == b"curv":
            size = 12 + 2 * int.from_bytes(data[start + 8 : start + 12], "big")
        elif kind == b"para":
            size = 12 + 4 * _PARAMETERS[int.from_bytes(data[start + 8 : start + 10], "big")]
        else:
            raise ValueError("neither points nor a formula")
        if kind == b"curv" and not _is_curve(data[start : start + size]):
            raise ValueError("neither rising nor falling")
        parts.append((start, start + size))
        start += size + -size % 4
    return parts


def _kept_description(data: bytes) -> bytes:
    """A description of ICC.1:2001, section 6.5.17: in ASCII, and in other encodings, in which it may be left out."""
    length = int.from_bytes(data[8:12], "big")
    text, behind = data[12 : 12 + length], data[12 + length :]
    if length > _LONGEST_TEXT or len(text) < length or not measure_bytes(text.rstrip(b"\0")).is_plain:
        return b""
    number = 2 * int.from_bytes(behind[4:8], "big")
    unicode, script = behind[8 : 8 + number], behind[8 + number :].strip(b"\0")
    is_same = is_plain(unicode.decode("utf-16-be", "replace").strip("\ufeff\0")) and measure_bytes(script[3:]).is_plain
    if number <= _LONGEST_TEXT and len(behind) <= _NOTHING_BEHIND + number + _PADDING and is_same:
        return data
    return data[: 12 + length] + b"\0" * _NOTHING_BEHIND


def _texts(data: bytes) -> Iterator[str | None]:
    """The texts of a tag; None for one that cannot be read, or bytes that belong to none."""
    if data[:4] == b"text":
        yield data[8:].rstrip(b"\0").decode("utf-8", "surrogateescape")
        return
    number = int.from_bytes(data[8:12], "big")
    used = end = 16 + number * _ENTRY
    if end > len(data):
        yield None
        return
    for at in range(16, end, _ENTRY):
        length, start = struct.unpack(">II", data[at + 4 : at + 12])
        used = max(used, start + length)
        is_sound = length % 2 == 0 and start + length <= len(data)
        # Some programs end them with zeros, as in C.
        yield data[start : start + length].decode("utf-16-be", "surrogatepass").rstrip("\0") if is_sound else None
    yield None if used + _PADDING < len(data) else ""
