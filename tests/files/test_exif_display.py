"""Of EXIF data, the density and colours other than sRGB survive every policy; nothing else does under `strip`."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from anonymizer.files.exif_display import copy_display
from anonymizer.files.metadata import Policy, kept_exif, parse_exif

EXIF, INTEROPERABILITY = 0x8769, 0xA005
X, Y, UNIT = 0x011A, 0x011B, 0x0128


def exif_of(main: dict[int, Any], inner: dict[int, Any] | None = None, index: str | None = None) -> Image.Exif:
    """EXIF data, written and read once."""
    exif = Image.Exif()
    exif.update(main)
    tags = {**(inner or {}), **({INTEROPERABILITY: {1: index, 2: b"0100"}} if index else {})}
    if tags:
        exif.get_ifd(EXIF).update(tags)
    read = parse_exif(exif.tobytes())
    assert read is not None
    return read


def kept(exif: Image.Exif, policy: Policy = "strip") -> Image.Exif | None:
    content = kept_exif(exif.tobytes(), 1, policy).content
    return None if content is None else parse_exif(content)


@pytest.mark.parametrize("policy", ["strip", "safe", "keep"])
def test_adobe_rgb_by_its_index(policy: Policy) -> None:
    new = kept(exif_of({0x013B: "somebody"}, {0xA001: 0xFFFF, 0x9286: b"secret"}, "R03"), policy)
    assert new is not None
    assert new.get_ifd(EXIF)[0xA001] == 0xFFFF
    assert new.get_ifd(INTEROPERABILITY) == {1: "R03", 2: b"0100"}
    assert 0x8825 not in new
    assert (0x013B in new) == (policy == "keep")


@pytest.mark.parametrize(
    ("unit", "across", "down", "is_kept"),
    [
        (2, 300, 300, True),
        (3, 118, 118, True),
        (2, 72, 72, False),
        (2, 72, 36, True),
        (1, 1, 1, False),
        (1, 2, 1, True),
        (2, 0, 0, False),
        (9, 300, 300, False),
        (2, 1 << 30, 300, False),
    ],
)
def test_density(unit: int, across: int, down: int, is_kept: bool) -> None:
    new = kept(exif_of({X: float(across), Y: float(down), UNIT: unit}))
    assert (new is not None) == is_kept
    assert new is None or (new[X], new[Y], new[UNIT]) == (across, down, unit)


def test_own_colours() -> None:
    primaries, white = (0.64, 0.33, 0.21, 0.71, 0.15, 0.06), (0.3127, 0.329)
    new = kept(exif_of({0x013E: white, 0x013F: primaries}, {0xA001: 0xFFFF, 0xA500: 1.8}))
    assert new is not None
    assert [round(float(one), 3) for one in new[0x013F]] == list(primaries)
    assert float(new.get_ifd(EXIF)[0xA500]) == pytest.approx(1.8)


@pytest.mark.parametrize(
    "exif",
    [
        exif_of({}),
        exif_of({0x010F: "a make"}, {0xA001: 1}, "R98"),
        exif_of({0x013E: (0.3, 0.3)}, {0xA001: 1, 0xA500: 1.8}),
        exif_of({0x013F: (9.0,) * 400}, {0xA001: 0xFFFF}),
        exif_of({}, None, "R03" + "x" * 900),
    ],
)
def test_usual_colours_need_no_tags(exif: Image.Exif) -> None:
    assert kept(exif) is None


@given(
    values=st.dictionaries(
        st.sampled_from([X, Y, UNIT, 0x013E, 0x013F, 0xA001, 0xA500]),
        st.one_of(st.none(), st.text(), st.binary(), st.integers(), st.floats(), st.tuples(st.floats(), st.floats())),
    )
)
@settings(max_examples=200, deadline=None)
def test_odd_values_raise_no_error(values: dict[int, Any]) -> None:
    source, target = Image.Exif(), Image.Exif()
    source.update(values)
    source.get_ifd(EXIF).update(values)
    copy_display(source, target)
    for tag in target.keys() - {EXIF, 0x013E, 0x013F}:
        assert tag in (X, Y, UNIT)
