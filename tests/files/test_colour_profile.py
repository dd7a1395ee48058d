"""Profiles keep their colours and lose everything else."""

import io
import struct

import numpy as np
import pytest
from fakes import smooth
from PIL import Image, ImageCms

from anonymizer.files.colour_profile import only_colours
from anonymizer.files.decode import decode_picture
from anonymizer.files.encode import encode_picture
from anonymizer.files.inspect import inspect_file
from anonymizer.formats import Format
from anonymizer.settings import ReadSettings

SECRET = np.random.default_rng(0).bytes(900)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
Tags = dict[bytes, bytes]


def tags_of(profile: bytes) -> Tags:
    number = int.from_bytes(profile[128:132], "big")
    entries = struct.iter_unpack(">4sII", profile[132 : 132 + 12 * number])
    return {name: profile[start : start + size] for name, start, size in entries}


def profile_of(tags: Tags, between: bytes = b"") -> bytes:
    table, body = b"", between
    for name, data in tags.items():
        table += struct.pack(">4sII", name, 132 + 12 * len(tags) + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    content = SRGB[4:128] + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", len(content) + 4) + content


def curve(points: list[int]) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(f">I{len(points)}H", len(points), *points)


def mluc(text: str) -> bytes:
    data = text.encode("utf-16-be")
    return b"mluc\0\0\0\0" + struct.pack(">II4sII", 1, 12, b"enUS", len(data), 28) + data


def description(text: bytes, behind: bytes = b"\0" * 78) -> bytes:
    return b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + b"\0" + behind


TABLE = b"mft2\0\0\0\0\3\3\2\0" + b"\0" * 36 + b"\0\2\0\2" + b"\0" * (2 * (6 + 24 + 6))


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {b"rTRC": curve(list(range(0, 65536, 64)))},
        {b"rTRC": curve([500])},
        {b"dmnd": description(b"A maker of displays")},
        {b"dscm": mluc("Display at the window")},
        {b"dscm": mluc("Display at the window\0")},
        {b"A2B0": TABLE},
    ],
)
def test_profiles_of_colours_stay_byte_for_byte(tags: Tags) -> None:
    profile = profile_of({**tags_of(SRGB), **tags})
    assert only_colours(profile) == profile


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (b"priv", SECRET),
        (b"targ", b"text\0\0\0\0" + SECRET.hex().encode()),
        (b"cprt", b"text\0\0\0\0" + SECRET.hex().encode()),
        (b"cprt", mluc(SECRET.hex())),
        (b"cprt", mluc("copyright") + SECRET),
        (b"dmnd", description(SECRET.hex().encode())),
        (b"vued", description(b"a view", SECRET)),
        (b"wtpt", b"XYZ \0\0\0\0" + SECRET),
        (b"bTRC", b"curv\0\0\0\0\0\0\0\0" + SECRET),
        (b"bTRC", b"curv\0\0\0\0" + (len(SECRET) // 2).to_bytes(4, "big") + SECRET),
        (b"A2B0", TABLE + SECRET),
        (b"A2B0", b"data\0\0\0\0" + SECRET),
    ],
)
def test_other_data_go(name: bytes, data: bytes) -> None:
    profile = only_colours(profile_of({**tags_of(SRGB), name: data}))
    for secret in (SECRET, SECRET.hex().encode(), SECRET.hex().encode("utf-16-be")):
        assert secret[100:120] not in profile
    kept, before = tags_of(profile), tags_of(SRGB)
    assert {other: kept[other] for other in before if other != name} == {
        other: before[other] for other in before if other != name
    }
    assert only_colours(profile) == profile


@pytest.mark.parametrize(
    "profile", [profile_of(tags_of(SRGB), between=SECRET), SRGB + SECRET, SRGB[:100] + SECRET[:28] + SRGB[128:]]
)
def test_bytes_between_and_behind_tags_go(profile: bytes) -> None:
    assert SECRET[:20] not in only_colours(profile)
    assert set(tags_of(only_colours(profile))) == set(tags_of(SRGB))


@pytest.mark.parametrize("content", [b"", SECRET, SRGB[:200], b"\0\0\0\xff" + SECRET, SRGB[:128] + b"\xff" * 400])
def test_nothing_is_left_of_what_is_no_profile(content: bytes) -> None:
    assert only_colours(content) == b""


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("profile", [profile_of({**tags_of(SRGB), b"priv": SECRET}), SECRET])
@pytest.mark.parametrize("change", [False, True])
def test_in_files(file_format: Format, profile: bytes, change: bool) -> None:
    buffer = io.BytesIO()
    Image.fromarray(smooth(40, 40)).save(buffer, file_format, icc_profile=profile)
    content = buffer.getvalue()
    assert any(issue.kind in ("trailing", "preview") for issue in inspect_file(content, file_format))
    picture = decode_picture(content, ReadSettings())
    encoded = encode_picture(picture, picture.frames, [np.full((40, 40), change)], "strip").content
    with Image.open(io.BytesIO(encoded)) as image:
        assert SECRET[100:120] not in image.info.get("icc_profile", b"")
    assert inspect_file(encoded, file_format) == []


FORMULA = b"para\0\0\0\0\0\0\0\0" + b"\0\2\0\0"
GRID = b"\2\2\2".ljust(16, b"\0") + b"\2\0\0\0" + bytes(2 * 3 * 8)
CHAIN = struct.pack(">4s4x2B2x5I", b"mAB ", 3, 3, 32, 0, 0, 128, 80) + 3 * FORMULA + 3 * FORMULA + GRID
"""Formulas behind and before a grid of 2 x 2 x 2 points."""


@pytest.mark.parametrize(
    ("table", "is_kept"),
    [
        (CHAIN, True),
        (CHAIN + bytes(3), True),
        (CHAIN + SECRET, False),
        (CHAIN[:-5], False),
        (CHAIN.replace(b"\2\2\2\0", b"\2\2\1\0"), False),  # a smaller grid, and more behind it
        (CHAIN.replace(b"para", b"data", 1), False),
        (CHAIN[:32] + 3 * FORMULA + SECRET[:48] + GRID, False),
        (CHAIN[:31], False),
        (b"mpet\0\0\0\0" + SECRET, False),
    ],
)
def test_chains_have_the_size_that_they_say(table: bytes, is_kept: bool) -> None:
    kept = tags_of(only_colours(profile_of({b"A2B0": table, b"wtpt": b"XYZ " + bytes(16)})))
    assert (kept.get(b"A2B0") == table) == is_kept
    assert set(kept) == ({b"A2B0", b"wtpt"} if is_kept else {b"wtpt"})
