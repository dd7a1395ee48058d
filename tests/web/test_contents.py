from __future__ import annotations

import pytest
from files.samples import saved

from anonymizer.web.contents import check_content, is_film, is_picture
from anonymizer.web.problems import Problem


@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "JPEG2000"])
def test_pictures_are_known_by_their_beginning(name: str) -> None:
    content = saved(name)
    assert is_picture(content)
    assert not is_film(content)
    assert not check_content(content, takes_films=True)


@pytest.mark.parametrize(
    "start",
    [
        b"\0\0\0\x18ftypmp42",
        b"\0\0\0\x14ftypqt  ",
        b"\0\0\0\x08wide\0\0\0\0mdat",
        b"\x1a\x45\xdf\xa3",
        b"RIFF\0\0\0\0AVI LIST",
        b"\0\0\x01\xba",
        b"\x47" + bytes(187) + b"\x47",
        b"OggS",
    ],
)
def test_films_are_not_taken_for_something_else(start: bytes) -> None:
    assert is_film(start)
    assert check_content(start, takes_films=True)
    with pytest.raises(Problem, match="and no films") as caught:
        check_content(start, takes_films=False)
    assert caught.value.status == 415


@pytest.mark.parametrize(
    ("content", "what", "status"),
    [(b"", "no file", 400), (b"PK\3\4", "no film, and no picture in JPEG", 415), (b"<svg/>", "no picture", 415)],
)
def test_what_is_neither_is_refused(content: bytes, what: str, status: int) -> None:
    with pytest.raises(Problem, match=what) as caught:
        check_content(content, takes_films=True)
    assert caught.value.status == status
