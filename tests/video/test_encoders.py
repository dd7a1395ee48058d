"""Tests of anonymizer.video.encoders. What the encoders write is tested with `sink`."""

from dataclasses import replace
from fractions import Fraction

import av
import pytest
from video.frames import facts_of

from anonymizer.video.encoders import OF_CONTAINER, SOFTWARE, candidates, is_as_good, nearest_format, options_of

FACTS = replace(facts_of(96, 64), profile="High", field_order=1, time_base=Fraction(1, 12800))


@pytest.mark.parametrize("codec", SOFTWARE)
def test_the_codec_of_the_film_comes_first(codec: str) -> None:
    first = next(candidates(replace(FACTS, codec=codec)))
    assert first.codec == codec
    assert first.encoder in SOFTWARE[codec]


@pytest.mark.parametrize("container", OF_CONTAINER)
def test_films_of_unknown_codecs_get_one_of_their_container(container: str) -> None:
    names = [each.encoder for each in candidates(replace(FACTS, codec="cinepak", container=container))]
    assert names == list(OF_CONTAINER[container])


def test_alpha_is_kept_where_a_codec_of_the_container_has_it() -> None:
    facts = replace(FACTS, codec="cinepak", pixel_format="yuva420p", container="mov")
    first = next(candidates(facts))
    assert (first.encoder, first.pixel_format) == ("prores_ks", "yuva444p10le")


def test_devices_and_names_come_before() -> None:
    assert next(candidates(FACTS, "libx265")).encoder == "libx265"
    names = [each.encoder for each in candidates(FACTS, "hardware")]
    assert names[-1] == "libx264"
    assert all(name.startswith("h264_") for name in names[:-1])
    assert [each.encoder for each in candidates(FACTS, "no-such-encoder")] == ["libx264"]


@pytest.mark.parametrize(
    ("wanted", "supported", "expected"),
    [
        ("yuv420p", ["yuv444p", "yuv420p"], "yuv420p"),
        ("yuv410p", ["yuv444p", "yuv422p", "yuv420p"], "yuv420p"),
        ("yuv411p", ["yuv444p", "yuv422p", "yuv420p"], "yuv422p"),
        ("yuv420p12le", ["yuv420p", "yuv420p10le", "yuv444p"], "yuv420p10le"),
        ("yuva420p", ["yuv420p", "yuva444p"], "yuva444p"),
        ("rgb24", ["yuv420p", "yuv444p", "gray"], "yuv444p"),
        ("pal8", ["yuv420p", "gbrp"], "gbrp"),
        ("gray10le", ["yuv420p", "yuv420p10le", "gray"], "yuv420p10le"),
    ],
)
def test_the_nearest_pixel_format(wanted: str, supported: list[str], expected: str) -> None:
    assert nearest_format(wanted, supported) == expected


@pytest.mark.parametrize("codec", SOFTWARE)
@pytest.mark.parametrize("wanted", ["yuv420p", "yuv422p10le", "yuva444p", "rgb24", "gray16le", "pal8", "nv12"])
def test_every_encoder_has_a_nearest_format(codec: str, wanted: str) -> None:
    for name in SOFTWARE[codec]:
        formats = [each.name for each in av.Codec(name, "w").video_formats or ()]
        assert not formats or nearest_format(wanted, formats) in formats


def test_what_is_lost_between_two_formats() -> None:
    assert is_as_good("yuv420p", "yuv444p10le")
    assert is_as_good("nv12", "yuv420p")
    assert not is_as_good("yuv444p", "yuv420p")
    assert not is_as_good("yuv420p10le", "yuv420p")
    assert not is_as_good("yuva420p", "yuv420p")
    assert not is_as_good("yuv420p", "gray")


def test_quality_is_a_rate_factor_and_by_default_limited() -> None:
    assert options_of("libx264", FACTS, 23)["crf"] == "23"
    assert "maxrate" not in options_of("libx264", FACTS, 23, 1e6)
    assert options_of("libx264", FACTS, None, 1e6)["maxrate"] == "1200000"
    assert "maxrate" not in options_of("libx264", FACTS)
    assert options_of("mpeg4", FACTS, 14)["global_quality"] == "118"
    assert options_of("mpeg4", FACTS, 20)["global_quality"] == "236"
    assert options_of("mpeg4", FACTS, None, 1e6)["b"] == "1200000"


def test_fields_and_hdr_are_told_to_the_encoder() -> None:
    interlaced = options_of("libx264", replace(FACTS, is_interlaced=True, field_order=3))
    assert "+ilme+ildct" in interlaced["flags"]
    assert "bff=1" in interlaced["x264-params"]
    assert interlaced["threads"] == "1"
    assert options_of("libx264", FACTS)["threads"] == "1"
    assert options_of("libx264", replace(FACTS, has_b_frames=False))["bf"] == "0"
    light = (1000).to_bytes(4, "little") + (400).to_bytes(4, "little")
    assert "max-cll=1000,400" in options_of("libx265", replace(FACTS, content_light=light))["x265-params"]
    assert "hdr10" not in options_of("libx265", FACTS)["x265-params"]
    damaged = replace(FACTS, mastering_display=bytes(88), content_light=bytes(3))
    assert "master" not in options_of("libx265", damaged)["x265-params"]
