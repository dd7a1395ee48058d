"""A picture in pieces takes more than the budget of a file's metadata; ordinary metadata do not."""

import base64
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL.TiffImagePlugin import IFDRational

from anonymizer.files.budget import MAX_NUMBERS, excess
from anonymizer.files.metadata import EmbeddedData, Tags

CAPTION = b"Two people stand at the bridge while the sun goes down."
TEXT_TAGS = (0x010E, 0x010F, 0x0110, 0x0131, 0x013B, 0x8298)


def tags(main: Mapping[int, object], inner: Mapping[int, object] | None = None) -> Tags:
    return Tags(main, inner or {}, {})


def packet(properties: str, prefix: str = "photoshop") -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:{prefix}="http://ns.example.org/{prefix}/">{properties}</rdf:Description>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def elements(name: str, texts: list[str]) -> str:
    return "".join(f"<photoshop:{name}>{text}</photoshop:{name}>" for text in texts)


def base64_of(seed: int, size: int) -> str:
    return base64.b64encode(bytes((seed * 7919 + at * at * 31 + at * 101) % 251 for at in range(size))).decode()


def cut(text: str, number: int) -> list[str]:
    size = -(-len(text) // number)
    return [text[start : start + size] for start in range(0, len(text), size)]


def captions(texts: list[str]) -> bytes:
    return b"".join(b"\x1c\x02\x19" + len(text).to_bytes(2, "big") + text.encode() for text in texts)


def test_ordinary_metadata_are_within_the_budget() -> None:
    page = tags(
        {0x010F: "NIKON CORPORATION", 0x0110: "NIKON D3100", 0x0131: "Adobe Photoshop CS6 (Windows)"},
        {0x829A: IFDRational(1, 320), 0x9003: "2012:05:06 10:11:12", 0xA434: "18.0-55.0 mm f/3.5-5.6", 0x9291: "70"},
    )
    text = elements("Headline", [CAPTION.decode()]) + elements("DateCreated", ["2012-05-06T10:11:12.70"])
    assert excess(EmbeddedData(pages=[page], texts=[CAPTION, captions(["bridge", "sun"]), packet(text)])) == 0
    assert excess(EmbeddedData()) == 0


@given(st.integers(0, 250), st.integers(200, 700), st.integers(3, 50))
def test_a_picture_cut_into_pieces_is_beyond_it(seed: int, size: int, number: int) -> None:
    pieces = cut(base64_of(seed, size), number)
    assert excess(EmbeddedData(texts=[one.encode() for one in pieces])) > 0
    assert excess(EmbeddedData(texts=[captions(pieces)])) > 0
    assert excess(EmbeddedData(texts=[packet(elements("Note", pieces))])) > 0
    # In all carriers at once.
    thirds = pieces[::3], pieces[1::3], pieces[2::3]
    in_tags = tags(dict(zip(TEXT_TAGS, thirds[0], strict=False)))
    spread = EmbeddedData(pages=[in_tags], texts=[captions(thirds[1]), packet(elements("Note", thirds[2]))])
    assert number < 20 or excess(spread) > 0


def test_what_stays_plain_in_each_carrier_counts_together() -> None:
    pieces = [f"{text[:4]}{number}{text[4:8]}Q" for number, text in enumerate(cut(base64_of(3, 90), 12))]
    carriers = [captions(pieces[:4]), packet(elements("Note", pieces[4:8])), *(one.encode() for one in pieces[8:])]
    for carrier in carriers:
        assert excess(EmbeddedData(texts=[carrier])) == 0
    assert excess(EmbeddedData(texts=carriers)) > 0


def test_one_value_that_is_left_out_leaves_nothing() -> None:
    assert excess(EmbeddedData(texts=[CAPTION, base64_of(0, 2000).encode()])) == 0
    assert excess(EmbeddedData(texts=[CAPTION, *(base64_of(n, 200).encode() for n in range(2))])) > 0


def test_numbers_in_exif_data_count() -> None:
    of_picture = {0xFE00 + n: tuple(1 << 31 | 7919 * n * m for m in range(6)) for n in range(20)}
    assert MAX_NUMBERS < 20 * 6 * 4
    assert excess(EmbeddedData(pages=[tags(of_picture)])) > 0
    exposure = {0x829A: IFDRational(1, 320), 0x829D: IFDRational(28, 10), 0x8827: 400, 0xA002: 6000, 0xA003: 4000}
    assert excess(EmbeddedData(pages=[tags({}, exposure)])) == 0


def test_the_same_value_in_many_pages_counts_once() -> None:
    page = tags({0x0131: "libtiff 4.5x1b, tool.9z", 0x010E: "Slide 17b of Q4x"})
    assert excess(EmbeddedData(pages=[page] * 100)) == 0


@pytest.mark.parametrize("name", ["DocumentAncestors", "History"])
def test_properties_that_are_known_to_be_large_do_not_count(name: str) -> None:
    many = [elements(one, [base64_of(1, 600)]) for one in (name, "TextLayers")]
    assert excess(EmbeddedData(texts=[packet("".join(many))])) == 0
    # Once each.
    assert excess(EmbeddedData(texts=[packet("".join(many * 3))])) > 0


def test_binary_tags_that_are_known_to_be_large_do_not_count() -> None:
    noise = base64.b64decode(base64_of(2, 1000))
    assert excess(EmbeddedData(pages=[tags({}, {0x8828: noise, 0xA40B: noise})])) == 0
    assert excess(EmbeddedData(pages=[tags({}, {0xFE28: noise, 0xFE0B: noise})])) > 0


def test_damaged_data_count_as_far_as_they_are_kept() -> None:
    assert excess(EmbeddedData(exifs=[b"Exif\0\0nothing"], texts=[b"<x:xmpmeta><unclosed", b"\x80\0\1" * 900])) == 0


@pytest.mark.parametrize("length", [8, 10, 13, 30])
def test_letters_that_stand_for_digits_in_pieces(length: int) -> None:
    digits = base64_of(1, 600).encode().hex().translate(str.maketrans("0123456789abcdef", "abcdefghijklmnop"))
    words = " ".join(cut(digits, len(digits) // 6))
    pieces = [words[at : at + length] for at in range(0, 500, length)]
    assert excess(EmbeddedData(texts=[one.encode() for one in pieces])) > 0
    assert excess(EmbeddedData(named_texts=[(b"Description", one.encode()) for one in pieces])) > 0
    # Some of it in each carrier.
    by_tags = [tags(dict(zip(TEXT_TAGS, pieces[at : at + 6], strict=False))) for at in (0, 6, 12)]
    assert excess(EmbeddedData(pages=by_tags, texts=[captions(pieces[18:])])) > 0


def test_what_stays_beside_a_value_that_is_left_out() -> None:
    few = [f"{text[:4]}{number}{text[4:8]}Q" for number, text in enumerate(cut(base64_of(3, 40), 5))]
    assert excess(EmbeddedData(texts=[captions(few)])) == 0
    assert excess(EmbeddedData(texts=[captions(few), base64_of(0, 2000).encode()])) > 0
