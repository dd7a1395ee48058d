"""Whether pictures of faces, hidden in metadata, survive, and whether the gate finds them.

    python -m tests.benchmarks.hidden_pictures [--files 5000] [--seed 0] [--only NUMBER]

By rule and by chance it puts a small picture of a face, in some encoding, into some place of a file: whole, or cut into
pieces. Each file is written under the policy `keep`. The picture survives if any 24 characters of it are in the output.
The gate must find something in the source. Prints both by format and place, and exits with 1 if a picture survived or
was not found. `--only` makes and judges a single file of a seed, by the number that an earlier run has printed.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import bz2
import io
import re
import struct
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from PIL import Image

from anonymizer.errors import PictureError
from anonymizer.files import gif, jpeg, jpeg_segments, png, webp
from anonymizer.files.decode import decode_picture
from anonymizer.files.encode import encode_picture
from anonymizer.files.heic import can_read_heic
from anonymizer.files.inspect import inspect_file
from anonymizer.files.iso_boxes import write_box
from anonymizer.formats import Format
from anonymizer.settings import ReadSettings

ORIGINALS = Path(__file__).parents[2] / "images" / "originals"
FACES = (
    ("astronaut.png", (176, 59, 284, 186)),
    ("happy_couple.jpg", (445, 263, 563, 380)),
    ("happy_couple.jpg", (307, 318, 383, 429)),
    ("swearing_in_group.jpg", (78, 176, 215, 353)),
    ("swearing_in_group.jpg", (733, 215, 862, 372)),
)
"""File, and left, top, right and bottom of a face."""
WINDOW = 24
Encode: TypeAlias = Callable[[bytes], bytes]


def _lines(text: bytes, width: int, end: bytes = b"\n") -> bytes:
    return end.join(text[start : start + width] for start in range(0, len(text), width))


def _fours(data: bytes) -> bytes:
    return data[: len(data) // 4 * 4]


def _in_letters(data: bytes) -> bytes:
    return data.hex().translate(str.maketrans("0123456789abcdef", "abcdefghijklmnop")).encode()


def _uuid(data: bytes) -> bytes:
    """15 bytes as a UUID of version 4, but for some bits."""
    text = data.ljust(15, b"\0").hex()
    return f"{text[:8]}-{text[8:12]}-4{text[12:15]}-a{text[15:18]}-{text[18:30]}".encode()


def _date(first: int, second: int, third: int, fourth: int) -> bytes:
    day = b"20%02d-%02d-%02d" % (first % 100, second % 12 + 1, third % 28 + 1)
    return day + b"T%02d:%02d:00" % (fourth % 24, first % 60)


CAPTION = b"Two people stand at the bridge while the sun goes down behind the old town hall of the city, in May."

_WORDS_OF_CAPTION = re.compile(b"|".join(word for word in CAPTION.split() if len(word) > 2))

ENCODINGS: Mapping[str, Encode] = {
    "raw": bytes,
    "reversed": lambda data: data[::-1],
    "zlib": zlib.compress,
    "base64": base64.b64encode,
    "base64 in lines": base64.encodebytes,
    "base64 in words": lambda data: _lines(base64.b64encode(data), 6, b" "),
    "URL-safe base64": base64.urlsafe_b64encode,
    "reversed base64": lambda data: base64.b64encode(data)[::-1],
    "zlib and base64": lambda data: base64.b64encode(zlib.compress(data)),
    "base32": base64.b32encode,
    "hexadecimal": lambda data: data.hex().encode(),
    "hexadecimal in pairs": lambda data: data.hex(" ").upper().encode(),
    "hexadecimal in lines": lambda data: _lines(data.hex().encode(), 72),
    "ASCII85": base64.a85encode,
    "base85": base64.b85encode,
    "percent": lambda data: b"".join(b"%%%02X" % one for one in data),
    "uuencode": lambda data: b"".join(binascii.b2a_uu(data[at : at + 45]) for at in range(0, len(data), 45)),
    "decimal": lambda data: b", ".join(b"%d" % one for one in data),
    "address of data": lambda data: b"data:image/jpeg;base64," + base64.b64encode(data),
    "escaped": lambda data: b"".join(b"\\x%02x" % one for one in data),
    "JSON": lambda data: b'{"type": "scene", "image": "' + base64.b64encode(data) + b'", "version": 2}',
    "octal": lambda data: b" ".join(b"%03o" % one for one in data),
    "binary digits": lambda data: b" ".join(f"{one:08b}".encode() for one in data),
    "quoted-printable": lambda data: _lines(b"".join(b"=%02X" % one for one in data), 75, b"=\n"),
    "letters": lambda data: _lines(_in_letters(data), 6, b" "),
    "fractions": lambda data: b" ".join(b"%d/256" % one for one in data),
    "numbers below 1": lambda data: b" ".join(b"%.4f" % (one / 256) for one in data),
    "large numbers": lambda data: b" ".join(b"%d" % one for one in struct.unpack(f">{len(data) // 4}I", _fours(data))),
    "UUIDs": lambda data: b" ".join(_uuid(data[at : at + 15]) for at in range(0, len(data), 15)),
    "dates": lambda data: b" ".join(_date(*one) for one in struct.iter_unpack("BBBB", _fours(data))),
    "captioned base64": lambda data: CAPTION + b" " + base64.b64encode(data) + b" " + CAPTION,
    "captioned hexadecimal": lambda data: CAPTION + b" " + _lines(data.hex().encode(), 32, b" ") + b" " + CAPTION,
    "bzip2 and base64": lambda data: base64.b64encode(bz2.compress(data)),
}
BINARY = ("raw", "reversed", "zlib")


@cache
def _faces() -> list[Image.Image]:
    return [Image.open(ORIGINALS / name).convert("RGB").crop(box) for name, box in FACES]


def _face(random: np.random.Generator) -> bytes:
    face = _faces()[random.integers(len(FACES))]
    width = int(random.integers(16, 65))
    small = face.resize((width, width * face.height // face.width))
    kind = random.choice(["JPEG", "JPEG", "PNG", "WEBP", "GIF"])
    buffer = io.BytesIO()
    options = {"quality": int(random.integers(30, 90))} if kind in ("JPEG", "WEBP") else {}
    small.save(buffer, str(kind), **options)
    return buffer.getvalue()


@cache
def _host(file_format: Format) -> bytes:
    y, x = np.mgrid[:48, :64]
    pixels = np.stack([x * 3, y * 4, (x + y) * 2], axis=2).astype(np.uint8)
    buffer = io.BytesIO()
    if file_format == "HEIF":
        can_read_heic()
    Image.fromarray(pixels).save(buffer, {"JPEG2000": "JPEG2000"}.get(file_format, file_format))
    return buffer.getvalue()


# Where pictures are hidden: functions of pieces, which return a file.

Place: TypeAlias = Callable[[Sequence[bytes], np.random.Generator], bytes]
Entry: TypeAlias = tuple[int, int, bytes]
"""Tag, type and value."""
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 9: 4, 10: 8}


def exif(main: Sequence[Entry] = (), inner: Sequence[Entry] = (), position: Sequence[Entry] = ()) -> bytes:
    """EXIF data with these tags in their directories, without a prefix."""
    directories = [sorted(main), sorted(inner), sorted(position)]
    pointers = [(0x8769, 4, b"\0" * 4)] * bool(inner) + [(0x8825, 4, b"\0" * 4)] * bool(position)
    directories[0] = sorted([*main, *pointers])
    start = 8
    blocks, starts = [], []
    for entries in directories:
        starts.append(start)
        blocks.append(_directory(entries, start))
        start += len(blocks[-1])
    linked = [
        (tag, kind, struct.pack("<I", starts[1 if tag == 0x8769 else 2]))
        if tag in (0x8769, 0x8825)
        else (tag, kind, data)
        for tag, kind, data in directories[0]
    ]
    return b"II*\0\x08\0\0\0" + b"".join([_directory(linked, 8), *blocks[1:]])


def _directory(entries: Sequence[Entry], start: int) -> bytes:
    behind = start + 6 + 12 * len(entries)
    head, data = struct.pack("<H", len(entries)), b""
    for tag, kind, value in entries:
        padded = value + b"\0" * (-len(value) % _SIZES[kind])
        place = padded.ljust(4, b"\0")
        if len(padded) > 4:
            place = struct.pack("<I", behind + len(data))
            data += padded + b"\0" * (len(padded) % 2)
        head += struct.pack("<HHI", tag, kind, len(padded) // _SIZES[kind]) + place
    return head + b"\0" * 4 + data


_TEXT_TAGS = (0x010E, 0x010F, 0x0110, 0x0131, 0x013B, 0x013C, 0x8298, 0x010D, 0x011D, 0xC614, 0xFE01, 0xFE02)
_INNER_TEXTS = (0xA430, 0xA431, 0xA433, 0xA434, 0xA435, 0xA420, 0x8824, 0x9290, 0x9291, 0x9292, 0xA004, 0xFE03)
_BINARY_TAGS = (0xEA1C, 0xC4A5, 0xFE04, 0xFE05, 0xFE06, 0xFE07, 0xFE08, 0xFE09, 0xFE0A, 0xFE0B, 0xFE0C, 0xFE0D)
_WINDOWS_TAGS = (0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F)


def _spread(tags: Sequence[int], kind: int, pieces: Sequence[bytes]) -> list[Entry]:
    """One tag for each piece, and the rest in the last."""
    number = min(len(pieces), len(tags))
    return [
        (tag, kind, piece)
        for tag, piece in zip(tags, [*pieces[: number - 1], b" ".join(pieces[number - 1 :])], strict=False)
    ]


def _shuffled(tags: Sequence[int], random: np.random.Generator) -> list[int]:
    return [int(tag) for tag in random.permutation(list(tags))]


EXIF_PLACES: Mapping[str, Place] = {
    "texts": lambda pieces, random: exif(_spread(_shuffled(_TEXT_TAGS, random), 2, pieces)),
    "inner texts": lambda pieces, random: exif(inner=_spread(_shuffled(_INNER_TEXTS, random), 2, pieces)),
    "bytes": lambda pieces, random: exif(_spread(_shuffled(_BINARY_TAGS, random), 7, pieces)),
    "numbers": lambda pieces, random: exif(
        _spread(_shuffled(_BINARY_TAGS, random), int(random.choice([1, 3, 4, 5])), pieces)
    ),
    "comment": lambda pieces, random: exif(inner=[(0x9286, 7, b"ASCII\0\0\0" + b"\n".join(pieces))]),
    "comment without encoding": lambda pieces, random: exif(inner=[(0x9286, 7, b"\0" * 8 + b"\n".join(pieces))]),
    "comment in UTF-16": lambda pieces, random: exif(
        inner=[(0x9286, 7, b"UNICODE\0" + b" ".join(pieces).decode("latin-1").encode("utf-16-le"))]
    ),
    "maker note": lambda pieces, random: exif(inner=[(0x927C, 7, b"Maker\0" + b"".join(pieces))]),
    "Windows texts": lambda pieces, random: exif(
        _spread(_shuffled(_WINDOWS_TAGS, random), 1, [one.decode("latin-1").encode("utf-16-le") for one in pieces])
    ),
    "position": lambda pieces, random: exif(position=_spread([0x1B, 0x1C, 0x12, 0x08], 7, pieces)),
}


def _number(random: np.random.Generator) -> str:
    return "".join(random.choice(list("abcdefghijklmnop"), 6))


def xmp(pieces: Sequence[bytes], random: np.random.Generator) -> bytes:
    """A packet with the pieces in one property or in several, in one of the ways of writing properties."""
    texts = [re.sub(r"[^\t\n\x20-\x7e\xa1-\xff]", "?", piece.decode("latin-1")) for piece in pieces]
    prefix = str(random.choice(["GCamera", "exif", "dc", "photoshop", "own"]))
    name = str(random.choice(["HDRPMakerNote", "MakerNote", "description", "Data", "Transcript", "Note", "Title"]))
    way = random.integers(6)
    attributes, elements = "", ""
    if way == 0:
        attributes = " ".join(f"{prefix}:{name}{_number(random)}={quoteattr(text)}" for text in texts)
    elif way == 1:
        elements = "".join(f"<{prefix}:{name}{_number(random)}>{escape(text)}</{prefix}:{name}>" for text in texts[:1])
        elements = re.sub(r"<(\w+:\w+)>(.*?)</[\w:]+>", r"<\1>\2</\1>", elements, flags=re.DOTALL)
        elements += "".join(f"<{prefix}:More>{escape(text)}</{prefix}:More>" for text in texts[1:])
    elif way == 2:
        items = "".join(f"<rdf:li>{escape(text)}</rdf:li>" for text in texts)
        elements = f"<{prefix}:{name}><rdf:Seq>{items}</rdf:Seq></{prefix}:{name}>"
    elif way == 3:
        items = "".join(f"<rdf:li><rdf:Description own:part={quoteattr(text)}/></rdf:li>" for text in texts)
        elements = f"<{prefix}:{name}><rdf:Bag>{items}</rdf:Bag></{prefix}:{name}>"
    elif way == 4:
        elements = "".join(f"<!-- {escape(text).replace('--', '- -')} -->" for text in texts)
        elements = f"<dc:title>title</dc:title>{elements}"
    else:
        elements = "".join(
            f"<{prefix}:{name}><![CDATA[{text.replace(']]>', ']] >')}]]></{prefix}:{name}>" for text in texts
        )
    spaces = "".join(f' xmlns:{one}="http://ns.example.org/{one}/"' for one in ("GCamera", "exif", "photoshop", "own"))
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"{spaces} {attributes}>'
        f"<dc:creator><rdf:Seq><rdf:li>Somebody</rdf:li></rdf:Seq></dc:creator>{elements}</rdf:Description></rdf:RDF>"
        "</x:xmpmeta>" + " " * 200 + '<?xpacket end="w"?>'
    ).encode()


def iptc(pieces: Sequence[bytes], random: np.random.Generator) -> bytes:
    """Data sets with captions, keywords, and others."""
    numbers = [120, *random.choice([5, 25, 40, 80, 90, 105, 116, 122, 221], 20)]
    parts = [piece[start : start + 30000] for piece in pieces for start in range(0, len(piece), 30000)]
    return b"\x1c\x01\x5a\0\x03\x1b%G\x1c\x02\0\0\x02\0\4" + b"".join(
        bytes([0x1C, 2, int(numbers[number % len(numbers)])]) + len(part).to_bytes(2, "big") + part
        for number, part in enumerate(parts)
    )


def _with_segments(marker: int, payloads: Sequence[bytes]) -> bytes:
    plain = _host("JPEG")
    parts = [payload[start : start + 65000] for payload in payloads for start in range(0, len(payload), 65000)]
    return plain[:2] + b"".join(jpeg_segments.write_segment(marker, part) for part in parts) + plain[2:]


def _photoshop(number: bytes, data: bytes) -> bytes:
    return _with_segments(0xED, [b"Photoshop 3.0\0" + jpeg.write_resource(number, data)[:65000]])


def _extended_xmp(pieces: Sequence[bytes], random: np.random.Generator) -> bytes:
    packet = xmp(pieces, random)
    size = int(random.integers(300, 3000))
    digest = b"0123456789ABCDEF0123456789ABCDEF"
    parts = [
        b"http://ns.adobe.com/xmp/extension/\0"
        + digest
        + struct.pack(">II", len(packet), start)
        + packet[start : start + size]
        for start in range(0, len(packet), size)
    ]
    return _with_segments(0xE1, parts)


def _with_chunks(chunks: Sequence[png.Chunk]) -> bytes:
    header, *others = png.read_chunks(_host("PNG"))
    return png.join_chunks([header, *chunks, *others])


def _keyword(random: np.random.Generator) -> bytes:
    return str(random.choice(["Comment", "Description", "mxfile", "application/vnd.x+json", "parameters"])).encode()


def _with_palette(file_format: Format, data: bytes) -> bytes:
    """A picture of the first and the last of 256 colours. `data`: the others."""
    image = Image.new("P", (8, 8))
    image.putpalette(b"\0\0\0" + _whole_colours(data).ljust(3 * 255, b"\0"))
    image.putpixel((0, 0), 255)
    buffer = io.BytesIO()
    image.save(buffer, file_format, optimize=False)
    return buffer.getvalue()


def _whole_colours(data: bytes) -> bytes:
    return data[: min(len(data) // 3, 254) * 3]


def _riff(chunks: Sequence[webp.Chunk]) -> bytes:
    picture = [chunk for chunk in webp.read_file_chunks(_host("WEBP")) if chunk[0] != b"VP8X"]
    flags = 0x08 * any(kind == b"EXIF" for kind, _ in chunks) | 0x04 * any(kind == b"XMP " for kind, _ in chunks)
    canvas = bytes([flags, 0, 0, 0]) + (63).to_bytes(3, "little") + (47).to_bytes(3, "little")
    return webp.write_riff(b"WEBP" + webp.join_chunks([(b"VP8X", canvas), *picture, *chunks]))


def _gif(extensions: bytes) -> bytes:
    plain = _host("GIF")
    return plain[:-1] + extensions + plain[-1:]


def _tiff(entries: Sequence[Entry]) -> bytes:
    """The host with further tags: its directory is written anew behind its data."""
    plain = _host("TIFF")
    (start,) = struct.unpack_from("<I", plain, 4)
    (count,) = struct.unpack_from("<H", plain, start)
    old = [plain[start + 2 + 12 * number :][:12] for number in range(count)]
    padded = plain + b"\0" * (len(plain) % 2)
    behind = len(padded) + 6 + 12 * (count + len(entries))
    new, data = [], b""
    for tag, kind, value in entries:
        value = value + b"\0" * (-len(value) % _SIZES[kind])
        place = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack("<I", behind + len(data))
        new.append(struct.pack("<HHI", tag, kind, len(value) // _SIZES[kind]) + place)
        data += (value + b"\0" * (len(value) % 2)) if len(value) > 4 else b""
    rows = sorted([*old, *new], key=lambda row: int(struct.unpack_from("<H", row)[0]))
    head = padded[:4] + struct.pack("<I", len(padded)) + padded[8:]
    return head + struct.pack("<H", len(rows)) + b"".join(rows) + b"\0" * 4 + data


def _heif(file_format: Format, **options: bytes) -> bytes:
    with Image.open(io.BytesIO(_host(file_format))) as image:
        buffer = io.BytesIO()
        image.save(buffer, file_format, **options)
    return buffer.getvalue()


def _boxes(file_format: Format, kind: bytes, pieces: Sequence[bytes], head: bytes = b"") -> bytes:
    return _host(file_format) + b"".join(write_box(kind, head + piece) for piece in pieces)


def _box_in_jp2(kind: bytes, pieces: Sequence[bytes], head: bytes = b"") -> bytes:
    plain = _host("JPEG2000")
    at = plain.index(b"jp2c") - 4
    return plain[:at] + b"".join(write_box(kind, head + piece) for piece in pieces) + plain[at:]


def _comments_in_codestream(pieces: Sequence[bytes]) -> bytes:
    plain = _host("JPEG2000")
    box, at = plain.index(b"jp2c") - 4, plain.index(b"\xff\x90")
    comments = b"".join(
        b"\xff\x64" + (len(part) + 4).to_bytes(2, "big") + b"\0\1" + part
        for piece in pieces
        for part in (piece[start : start + 60000] for start in range(0, len(piece), 60000))
    )
    stream = plain[box + 8 : at] + comments + plain[at:]
    return plain[:box] + write_box(b"jp2c", stream)


def _in_exif(name: str, to_file: Encode) -> dict[str, Place]:
    """The places in EXIF data. `to_file`: makes a file with these data."""

    def hide_in(make: Place) -> Place:
        return lambda pieces, random: to_file(make(pieces, random))

    return {f"{name} {place}": hide_in(make) for place, make in EXIF_PLACES.items()}


_JP2_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")

PLACES: Mapping[Format, Mapping[str, Place]] = {
    "JPEG": {
        **_in_exif("EXIF", lambda data: _with_segments(0xE1, [b"Exif\0\0" + data])),
        "XMP": lambda pieces, random: _with_segments(0xE1, [b"http://ns.adobe.com/xap/1.0/\0" + xmp(pieces, random)]),
        "extended XMP": _extended_xmp,
        "IPTC": lambda pieces, random: _photoshop(b"\x04\x04", iptc(pieces, random)),
        "Photoshop's resource": lambda pieces, random: _photoshop(
            int(random.choice([0x03ED, 0x0409, 0x0421, 0x0424, 0x07D0, 0x0BB7, 0x1000])).to_bytes(2, "big"),
            b"".join(pieces),
        ),
        "comments": lambda pieces, random: _with_segments(0xFE, pieces),
        "application segment": lambda pieces, random: _with_segments(
            int(random.choice([0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xEB, 0xEC, 0xEF])), pieces
        ),
    },
    "PNG": {
        "tEXt": lambda pieces, random: _with_chunks(
            [(b"tEXt", _keyword(random) + b"\0" + one.replace(b"\0", b"?")) for one in pieces]
        ),
        "zTXt": lambda pieces, random: _with_chunks(
            [(b"zTXt", _keyword(random) + b"\0\0" + zlib.compress(one)) for one in pieces]
        ),
        "iTXt": lambda pieces, random: _with_chunks(
            [(b"iTXt", _keyword(random) + b"\0\0\0en\0\0" + one) for one in pieces]
        ),
        "iTXt, compressed": lambda pieces, random: _with_chunks(
            [(b"iTXt", _keyword(random) + b"\0\1\0\0\0" + zlib.compress(one)) for one in pieces]
        ),
        "keywords": lambda pieces, random: _with_chunks(
            [
                (b"tEXt", one[start : start + 79].replace(b"\0", b"?") + b"\0text")
                for one in pieces
                for start in range(0, len(one), 79)
            ]
        ),
        "XMP": lambda pieces, random: _with_chunks([(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(pieces, random))]),
        **_in_exif("eXIf", lambda data: _with_chunks([(b"eXIf", data)])),
        "palette of RGB": lambda pieces, random: _with_chunks([(b"PLTE", _whole_colours(b"".join(pieces)))]),
        "palette": lambda pieces, random: _with_palette("PNG", b"".join(pieces)),
        "unknown chunk": lambda pieces, random: _with_chunks(
            [(str(random.choice(["prVW", "vpAg", "juNk", "mkBS", "heRe"])).encode(), one) for one in pieces]
        ),
        "known chunk": lambda pieces, random: _with_chunks(
            [(str(random.choice(["sPLT", "gAMA", "pHYs", "cHRM", "tIME"])).encode(), one) for one in pieces]
        ),
    },
    "WEBP": {
        **_in_exif("EXIF", lambda data: _riff([(b"EXIF", data)])),
        "XMP": lambda pieces, random: _riff([(b"XMP ", xmp(pieces, random))]),
        "unknown chunk": lambda pieces, random: _riff([(b"JUNK", one) for one in pieces]),
    },
    "GIF": {
        "comments": lambda pieces, random: _gif(b"".join(gif.write_extension(0xFE, b"", one) for one in pieces)),
        "application": lambda pieces, random: _gif(
            b"".join(gif.write_extension(0xFF, b"MGK8BIM0000", one) for one in pieces)
        ),
        "palette": lambda pieces, random: _with_palette("GIF", b"".join(pieces)),
        "plain text": lambda pieces, random: _gif(
            b"".join(gif.write_extension(0x01, b"\0" * 12, one) for one in pieces)
        ),
        "XMP": lambda pieces, random: _gif(
            b"\x21\xff\x0bXMP DataXMP" + xmp(pieces, random) + b"\1" + bytes(range(255, -1, -1)) + b"\0"
        ),
    },
    "TIFF": {
        "texts": lambda pieces, random: _tiff(_spread([0x010D, 0x010E, 0x010F, 0x0131, 0x013B, 0x8298], 2, pieces)),
        "bytes": lambda pieces, random: _tiff(_spread([0xFE04, 0xFE05, 0xFE06, 0xFE07], 7, pieces)),
        "XMP": lambda pieces, random: _tiff([(700, 1, xmp(pieces, random))]),
        "IPTC": lambda pieces, random: _tiff([(33723, 7, iptc(pieces, random))]),
        "Photoshop's resource": lambda pieces, random: _tiff(
            [(34377, 1, jpeg.write_resource(b"\x04\x21", b"".join(pieces)))]
        ),
    },
    "AVIF": {
        **_in_exif("EXIF", lambda data: _heif("AVIF", exif=b"Exif\0\0" + data)),
        "XMP": lambda pieces, random: _heif("AVIF", xmp=xmp(pieces, random)),
        "unknown box": lambda pieces, random: _boxes("AVIF", b"junk", pieces),
        "free box": lambda pieces, random: _boxes("AVIF", b"free", pieces),
    },
    "HEIF": {
        "EXIF texts": lambda pieces, random: _heif("HEIF", exif=b"Exif\0\0" + EXIF_PLACES["texts"](pieces, random)),
        "XMP": lambda pieces, random: _heif("HEIF", xmp=xmp(pieces, random)),
        "unknown box": lambda pieces, random: _boxes("HEIF", b"uuid", pieces, b"0123456789abcdef"),
    },
    "JPEG2000": {
        "XML": lambda pieces, random: _box_in_jp2(b"xml ", [xmp(pieces, random)]),
        "XMP": lambda pieces, random: _box_in_jp2(b"uuid", [xmp(pieces, random)], _JP2_XMP),
        "EXIF": lambda pieces, random: _box_in_jp2(
            b"uuid", [EXIF_PLACES["texts"](pieces, random)], b"JpgTiffExif->JP2"
        ),
        "unknown box": lambda pieces, random: _box_in_jp2(b"junk", pieces),
        "comments": lambda pieces, random: _comments_in_codestream(pieces),
    },
}
WEIGHTS: Mapping[Format, int] = {
    "JPEG": 8,
    "PNG": 8,
    "WEBP": 4,
    "GIF": 3,
    "TIFF": 3,
    "AVIF": 2,
    "HEIF": 1,
    "JPEG2000": 2,
}
"""How often each format occurs; files of the slow ones are rarer."""


@dataclass(frozen=True)
class Hidden:
    """A file in which a picture is hidden."""

    format: Format
    place: str
    encoding: str
    pieces: tuple[bytes, ...]
    content: bytes


def hide(random: np.random.Generator, formats: Sequence[Format] = tuple(PLACES)) -> Hidden:
    """A file with a picture of a face in a place that chance chooses."""
    weights = np.array([WEIGHTS[one] for one in formats], float)
    file_format = formats[random.choice(len(formats), p=weights / weights.sum())]
    place = str(random.choice(list(PLACES[file_format])))
    encoding = str(random.choice(list(ENCODINGS)))
    if "XMP" in place and encoding in BINARY:
        encoding = "base64"  # XML holds no control characters
    text = ENCODINGS[encoding](_face(random))
    number = int(random.choice([1, 1, 1, 2, 3, 8, 20, 50]))
    size = -(-len(text) // number)
    pieces = tuple(text[start : start + size] for start in range(0, len(text), size))
    return Hidden(file_format, place, encoding, pieces, PLACES[file_format][place](pieces, random))


@cache
def _written(file_format: Format, change: bool) -> bytes:
    return _rewrite(_host(file_format), change)


def _rewrite(content: bytes, change: bool) -> bytes:
    picture = decode_picture(content, ReadSettings())
    changed = [np.full(frame.pixels.shape[:2], change) for frame in picture.frames]
    return encode_picture(picture, picture.frames, changed, "keep").content


def survivor(hidden: Hidden, output: bytes, change: bool) -> bytes | None:
    """Characters of the hidden picture that are in the output; None if there are none."""
    views = list(_views(output))
    # Tables of JPEG files, for example.
    tables = b"".join(_views(_written(hidden.format, change) + _host("JPEG")))
    common = tables + tables[::-1]
    for piece in hidden.pieces:
        text = b"".join(re.sub(rb"&(amp|lt|gt|quot);", b"", piece).split(b"\0"))
        for start in range(0, max(1, len(text) - WINDOW), 8):
            window = text[start : start + WINDOW]
            if hidden.encoding == "JSON" and b'"' in window:
                continue  # of what is around the picture
            if hidden.encoding.startswith("captioned") and _WORDS_OF_CAPTION.search(window):
                continue
            is_telling = len(window) == WINDOW and len(set(window)) > 4 and window not in common
            if is_telling and any(window in view for view in views):
                return window
    return None


def _views(output: bytes) -> Iterator[bytes]:
    yield output
    yield output.replace(b"\0", b"")
    if output.startswith(b"\x89PNG"):
        for kind, data in png.read_chunks(output):
            packed = {b"zTXt": data.partition(b"\0")[2][1:], b"iTXt": data.partition(b"\0\1\0")[2].lstrip(b"en\0")}
            try:
                yield zlib.decompress(packed.get(kind, b""))
            except zlib.error:
                continue


@dataclass(frozen=True)
class Outcome:
    """What became of a hidden picture. A file that cannot be processed has no output in which it could survive."""

    is_refused: bool
    survivor: bytes | None
    is_found: bool


def outcome(hidden: Hidden, change: bool) -> Outcome:
    """Writes the file under `keep`, and lets the gate look at the source."""
    is_found = any(issue.kind in ("preview", "trailing") for issue in inspect_file(hidden.content, hidden.format))
    try:
        output = _rewrite(hidden.content, change)
    except PictureError:
        return Outcome(True, None, is_found)
    return Outcome(False, survivor(hidden, output, change), is_found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="number of a file")
    arguments = parser.parse_args()
    random = np.random.default_rng(arguments.seed)
    files, refused, survived, missed = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for number in range(arguments.files):
        hidden, change = hide(random), bool(random.integers(2))
        if arguments.only is not None and number != arguments.only:
            continue
        found = outcome(hidden, change)
        place = f"{hidden.format} {hidden.place}"
        files[place] += 1
        refused[place] += found.is_refused
        survived[place] += found.survivor is not None
        missed[place] += not found.is_found
        if found.survivor is not None or not found.is_found or arguments.only is not None:
            what = "found by the gate" if found.is_found else "not found by the gate"
            what = what if found.survivor is None else f"survives: {found.survivor!r}"
            print(f"{number}: {place}, {hidden.encoding}, {len(hidden.pieces)} pieces: {what}", file=sys.stderr)
    print(f"{'place':<38} {'files':>6} {'refused':>8} {'survive':>8} {'not found':>10}")
    for place in sorted(files):
        print(f"{place:<38} {files[place]:>6} {refused[place]:>8} {survived[place]:>8} {missed[place]:>10}")
    print(f"{'all':<38} {files.total():>6} {refused.total():>8} {survived.total():>8} {missed.total():>10}")
    return 1 if survived.total() or missed.total() else 0


if __name__ == "__main__":
    sys.exit(main())
