"""Tests of anonymizer.video.structure."""

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from video.film_samples import TIME_BASE, write_film

from anonymizer.video.structure import end_of_film, is_film, is_webm, missing_bytes, packet_size

FILMS = {"a.mp4": "libx264", "a.mov": "mpeg4", "a.mkv": "ffv1", "a.webm": "libvpx", "a.avi": "mjpeg", "a.ts": "libx264"}


@pytest.mark.parametrize(("name", "codec"), FILMS.items())
def test_a_file_that_was_cut_anywhere_is_not_whole(tmp_path: Path, name: str, codec: str) -> None:
    film = write_film(tmp_path / name, codec, frames=5, pixel_format="yuvj420p" if codec == "mjpeg" else "yuv420p")
    content = film.read_bytes()
    assert missing_bytes(film) == 0
    for size in range(1100, len(content), max(1, len(content) // 50)):
        film.write_bytes(content[:size])
        if name != "a.ts" or size % 188:
            assert missing_bytes(film) > 0, size


@pytest.mark.parametrize(("name", "codec"), FILMS.items())
def test_webm_is_known_by_its_header_whatever_its_name(tmp_path: Path, name: str, codec: str) -> None:
    film = write_film(tmp_path / name, codec, frames=1, pixel_format="yuvj420p" if codec == "mjpeg" else "yuv420p")
    assert is_webm(film.rename(tmp_path / "film")) is (name == "a.webm")


def test_fragmented_files_are_whole_only_between_two_boxes(tmp_path: Path) -> None:
    options = {"movflags": "frag_keyframe+empty_moov"}
    film = write_film(tmp_path / "a.mp4", options={"g": "5"}, container_options=options)
    content = film.read_bytes()
    cut = content.rindex(b"moof") - 4
    film.write_bytes(content[:cut])
    assert missing_bytes(film) == 0
    film.write_bytes(content[: cut + 9])
    assert missing_bytes(film) > 0


def test_what_follows_behind_the_last_box_does_no_harm(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mp4", frames=2)
    with open(film, "ab") as file:
        file.write(b"\xff\xff\xff\xff\0\0\0\0some trailing bytes")
    assert missing_bytes(film) == 0


@pytest.mark.parametrize(
    "start",
    [b"", b"\x1aE\xdf\xa3", b"\0\0\0\x01ftyp", b"RIFF\0\0\0\0AVI ", bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")],
)
@given(rest=st.binary(max_size=200))
def test_any_bytes_have_an_answer(tmp_path_factory: pytest.TempPathFactory, start: bytes, rest: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(start + rest)
    assert missing_bytes(path) >= 0


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.ts", "a.wmv", "a.mpg"])
def test_films_are_known_by_their_content(tmp_path: Path, name: str) -> None:
    codec = {"a.wmv": "wmv2", "a.mpg": "mpeg2video"}.get(name, "mpeg4" if name == "a.avi" else "libx264")
    path = write_film(tmp_path / name, codec, time_base=Fraction(1, 25) if name in ("a.mpg", "a.wmv") else TIME_BASE)
    assert is_film(path.rename(tmp_path / "unnamed"))


@pytest.mark.parametrize(
    "content", [b"", b"text", b"\0\0\0\x20ftypheic", b"\xff\xd8\xff\xe0", b"RIFF\0\0\0\0WEBP", b"GGGG"]
)
def test_others_are_not(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other").write_bytes(content)
    assert not is_film(tmp_path / "other")
    assert not is_film(tmp_path / "gone")
    assert not is_film(tmp_path)


def test_a_box_to_the_end_of_the_file_ends_there(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"\0\0\0\x10ftypmp42\0\0\0\0" + b"\0\0\0\0mdat" + bytes(100))
    assert end_of_film(tmp_path / "a.mp4") == 124


def test_the_size_of_packets(tmp_path: Path) -> None:
    assert packet_size(write_film(tmp_path / "a.ts", frames=3)) == 188
    assert packet_size(write_film(tmp_path / "a.m2ts", frames=3)) == 192
    assert packet_size(write_film(tmp_path / "a.mp4", frames=3)) is None
