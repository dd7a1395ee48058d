# ruff: noqa: RUF001
"""Text in many languages is plain, whatever else captions hold; pictures in any encoding are not."""

import base64
import uuid
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizer.files.metadata import measure_named
from anonymizer.files.plain_language import (
    LONGEST,
    Measure,
    find_plain,
    is_plain,
    is_printable,
    measure,
    measure_bytes,
    together,
)

TEXTS = [
    "Two people stand at the bridge while the sun goes down behind the old town hall, 12 May 1998.",
    "Zwei Menschen an der Brücke: Donaudampfschifffahrtsgesellschaft, Angstschweiß, Rechtsschutz.",
    "Deux personnes se tiennent près du pont tandis que le soleil se couche derrière l'hôtel de ville.",
    "Dwie osoby stoją na moście, podczas gdy słońce zachodzi. Chrząszcz brzmi w trzcinie.",
    "Hai người đứng trên cầu trong khi mặt trời lặn sau tòa thị chính cũ của thành phố.",
    "İki kişi köprüde dururken güneş eski belediye binasının arkasında batıyor.",
    "两个人站在桥上,太阳正落在老市政厅后面。摄影:王小明,二〇二〇年五月。",
    "兩個人站在橋上,太陽正落在老市政廳後面。攝影師在傍晚拍攝了這張照片。",
    "二人が橋の上に立っていて、太陽が古い市庁舎の後ろに沈んでいます。",
    "두 사람이 다리 위에 서 있고 해가 오래된 시청 뒤로 지고 있습니다.",
    "คนสองคนยืนอยู่บนสะพานขณะที่ดวงอาทิตย์ตกหลังศาลากลางเก่า",
    "Двое людей стоят на мосту, пока солнце садится за старой ратушей.",
    "Δύο άνθρωποι στέκονται στη γέφυρα ενώ ο ήλιος δύει πίσω από το παλιό δημαρχείο.",
    "شخصان يقفان على الجسر بينما تغرب الشمس خلف مبنى البلدية القديم.",
    "שני אנשים עומדים על הגשר בזמן שהשמש שוקעת מאחורי בית העירייה הישן.",
    "दो लोग पुल पर खड़े हैं जबकि सूरज पुराने टाउन हॉल के पीछे डूब रहा है।",
]
VALUES = [
    "",
    "EF24-105mm f/4L IS USM",
    "HP PhotoSmart R607 (V01.00)",
    "https://commons.wikimedia.org/wiki/File:Town_hall_at_night.jpg",
    "xmp.iid:7c2c6a3e-1b5e-4f5e-9c39-0123456789ab",
    "2017-05-06T01:08:21+02:00",
    "Adobe XMP Core 5.6-c140 79.160451, 2017/05/06-01:08:21",
    "0.487654,0.234567,0.123456",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "UNITED NATIONS, NEW YORK - THE SECRETARY GENERAL AT THE OPENING OF THE ASSEMBLY",
]


@pytest.mark.parametrize("times", [1, 5, 20])
@pytest.mark.parametrize("text", TEXTS)
def test_languages(text: str, times: int) -> None:
    assert is_plain(" ".join([text] * times))


@pytest.mark.parametrize("value", VALUES)
def test_other_values(value: str) -> None:
    assert is_plain(value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_encodings_of_text(encoding: str) -> None:
    assert measure_bytes(TEXTS[1].encode(encoding)).is_plain


@pytest.mark.parametrize("encoding", ["shift_jis", "euc_kr", "gb18030", "cp1251"])
def test_older_encodings_of_text(encoding: str) -> None:
    text = {"shift_jis": TEXTS[8], "euc_kr": TEXTS[9], "gb18030": TEXTS[6], "cp1251": TEXTS[11]}[encoding]
    assert measure_bytes(text.encode(encoding)).is_plain


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(250, 3000))
def test_bytes_in_any_encoding(seed: int, size: int) -> None:
    data = np.random.default_rng(seed).bytes(size)
    for text in (
        data.hex(),
        data.hex(" "),
        base64.b64encode(data).decode(),
        base64.b64encode(data).decode()[::-1],
        base64.encodebytes(data).decode(),
        base64.urlsafe_b64encode(zlib.compress(data)).decode(),
        base64.b32encode(data).decode(),
        base64.a85encode(data).decode(),
        base64.b85encode(data).decode(),
        "".join(f"%{one:02x}" for one in data),
        ", ".join(map(str, data)),
        data.decode("latin-1"),
        " ".join(f"{one:03o}" for one in data),
        " ".join(f"{one / 256:.4f}" for one in data),
        " ".join(str(uuid.UUID(bytes=data[at : at + 16], version=4)) for at in range(0, len(data) - 15, 16)),
        " ".join(f"20{one % 100:02}-{one % 12 + 1:02}-01T{one % 24:02}:{one % 60:02}:00" for one in data),
        f"{TEXTS[0]} {base64.b64encode(data).decode()} {TEXTS[0]}",
        f"{TEXTS[0]} {data.hex(' ', 4)} {TEXTS[0]}",
        "".join(chr(0x4E00 + one % 0x5000) for one in np.frombuffer(data[: size // 2 * 2], np.uint16)),
    ):
        assert not is_plain(text), text[:60]
    assert not measure_bytes(data).is_plain


def test_texts_of_unusual_length() -> None:
    assert not is_plain("word " * (LONGEST // 5 + 1))


def test_letters_by_chance_are_no_words() -> None:
    letters = np.random.default_rng(0).choice(list("abcdefghijklmnop"), 2000)
    text = "".join(letters)
    assert not is_plain(" ".join(text[start : start + 6] for start in range(0, len(text), 6)))


def test_pieces_are_judged_together() -> None:
    text = base64.b64encode(np.random.default_rng(0).bytes(600)).decode()
    pieces = {start: measure(text[start : start + 30]) for start in range(0, len(text), 30)}
    caption = measure(TEXTS[0])
    assert all(one.is_plain for one in pieces.values())
    assert find_plain({**pieces, -1: caption}) == {-1}
    assert find_plain({0: pieces[0], -1: caption}) == {0, -1}


@pytest.mark.parametrize("size", [3, 8, 12, 30, 60])
@pytest.mark.parametrize("encoding", ["hexadecimal", "numbers", "letters", "UUIDs", "dates", "captioned"])
def test_pieces_of_any_size(encoding: str, size: int) -> None:
    random = np.random.default_rng(0)
    data = random.bytes(900)
    pieces = {
        "hexadecimal": [data.hex()[at : at + size] for at in range(0, 1800, size)],
        "numbers": [" ".join(map(str, data[at : at + size])) for at in range(0, 900, size)],
        "letters": [
            " ".join("".join(random.choice(list("abcdefghijklmnop"), 6)) for _ in range(size))
            for _ in range(900 // size)
        ],
        "UUIDs": [str(uuid.UUID(bytes=data[at : at + 16], version=4)) for at in range(0, 880, 16)],
        "dates": [f"20{one % 100:02}-{one % 12 + 1:02}-01 {one % 24:02}:{one % 60:02}:00" for one in data],
        "captioned": [f"{TEXTS[0]} {data.hex()[at : at + size]}" for at in range(0, 1800, size)],
    }[encoding]
    kept = find_plain({number: measure(piece) for number, piece in enumerate(pieces)})
    assert sum(len(pieces[number].removeprefix(TEXTS[0])) for number in kept) <= 160


def test_what_is_kept_beside_pieces() -> None:
    text = base64.b64encode(np.random.default_rng(0).bytes(600)).decode()
    others = [TEXTS[0], "NIKON CORPORATION", "Adobe Photoshop", "2016:10:06 16:45:37", "f/2.8", "Anna", "3"]
    measures = {text[at : at + 30]: measure(text[at : at + 30]) for at in range(0, len(text), 30)}
    measures |= {other: measure(other) for other in others}
    assert set(others) - {"NIKON CORPORATION"} == find_plain(measures)


def test_pieces_in_encodings_that_read_any_bytes() -> None:
    comments = {number: measure_bytes(text.encode("gb18030")) for number, text in enumerate(TEXTS[6:7])}
    assert find_plain(comments) == {0}
    assert find_plain({**comments, 1: measure_bytes(np.random.default_rng(0).bytes(900))}) == set()


def test_measures_add_up() -> None:
    identifier = "0123456789ABCDEF0123456789ABCDEF"
    both = together([measure(identifier), measure(identifier)])
    assert both.opaque == measure(identifier).opaque  # twice the same tells nothing new
    assert measure("") == Measure()


def test_printable_bytes() -> None:
    assert is_printable("Brücke".encode())
    assert not is_printable(b"\x01\x02\x03 binary")


_ALPHABETS = (
    "abcdefghijklmnop",
    "etaoinshrdlcumfp",  # the most frequent ones
    "aeioubcdfghklmnp",
    "abcdefghijklmnopqrstuvwxyz",
    "абвгдежзийклмноп",
    "αβγδεζηθικλμνξοπ",
)
_KEYWORDS = (b"", b"Comment", b"Description", b"Software", b"application/vnd.x+json", b"parameters", b"Creation Time")


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(_ALPHABETS),
    st.booleans(),
    st.integers(2, 30),
    st.integers(1, 50),
    st.lists(st.sampled_from(_KEYWORDS), min_size=1, max_size=5),
    st.integers(0, 3),
)
def test_letters_that_stand_for_digits(
    seed: int, letters: str, are_capitals: bool, size: int, number: int, keywords: list[bytes], captions: int
) -> None:
    """Words of any length, cut into any number of texts with any keywords, beside real captions."""
    random = np.random.default_rng(seed)
    digits = "".join(random.choice(list(letters.upper() if are_capitals else letters), 700))
    text = " ".join(digits[at : at + size] for at in range(0, len(digits), size))
    length = -(-len(text) // number)
    pieces = [text[at : at + length] for at in range(0, len(text), length)]
    measures = {
        at: measure_named(keywords[at % len(keywords)], piece.encode()) for at, piece in enumerate([*pieces, *TEXTS])
    }
    beside = range(len(pieces), len(pieces) + captions)
    kept = find_plain({at: measures[at] for at in (*range(len(pieces)), *beside)})
    assert sum(len(pieces[at]) for at in kept.difference(beside)) < 48
    assert kept.issuperset(beside)
    assert not is_plain(text)


def test_letters_beside_a_long_text() -> None:
    digits = "".join(np.random.default_rng(0).choice(list("abcdefghijklmnop"), 700))
    words = [digits[at : at + 6] for at in range(0, len(digits), 6)]
    long_text = " ".join(TEXTS[:3])
    assert not is_plain(f"{long_text} {' '.join(words)} {long_text}")
