"""Tests of anonymizer.video.selection."""

from dataclasses import replace
from fractions import Fraction

import pytest
from video.test_encoders import FACTS

from anonymizer.settings import VideoSettings
from anonymizer.video.facts import Chapter, StreamFacts
from anonymizer.video.selection import holds_coordinates, holds_files, language_of, select

SETTINGS = VideoSettings()
STREAMS = (
    StreamFacts(0, "video", "h264"),
    StreamFacts(1, "audio", "aac", "eng"),
    StreamFacts(2, "audio", "flac"),
    StreamFacts(3, "subtitle", "subrip"),
    StreamFacts(4, "subtitle", "hdmv_pgs_subtitle"),
    StreamFacts(5, "data", None),
    StreamFacts(6, "data", None),
    StreamFacts(7, "attachment", None),
    StreamFacts(8, "video", "mjpeg", is_picture=True),
    StreamFacts(9, "video", "h264"),
    StreamFacts(10, "subtitle", "mov_text"),
)


def test_sound_and_text_are_kept_and_all_else_is_named() -> None:
    chosen = select(replace(FACTS, streams=STREAMS), SETTINGS, "strip", {10})
    assert chosen.streams == (1, 2, 3)
    assert chosen.left_out == (
        "1 subtitle track that is not text",
        "2 data tracks, such as telemetry or time code",
        "1 attached file",
        "1 picture, such as cover art",
        "1 further video track",
        "1 subtitle track with coordinates or files",
    )


def test_sound_and_subtitles_may_be_dropped() -> None:
    facts = replace(FACTS, streams=STREAMS[:4])
    chosen = select(facts, VideoSettings(audio="drop", subtitles="drop"), "strip", ())
    assert chosen.streams == ()
    assert chosen.left_out == ("2 sound tracks", "1 subtitle track")


@pytest.mark.parametrize(
    "text",
    [
        "GPS (11.5755, 48.1374, 15), D 37.42m",
        "[latitude: 48.137432] [longitude: 11.575490]",
        "HOME(E: 11.5755, N: 48.1374) 2020.05.01 12:00:00",
        "48.13743, 11.57549",
        "+48.1374+011.5755+520/",
        "N 48.1374 E 11.5755",
        "48\u00b0 8' 15\" N",
        "$GPRMC,123519,A,4807.038,N,01131.000,E",
        "GPS: 48.1374",
        "lat=48.1 lon=11.5",
    ],
)
def test_coordinates_are_seen(text: str) -> None:
    assert holds_coordinates(text)


@pytest.mark.parametrize(
    "text",
    [
        "The GPS says we turn left.",
        "It is 25\u00b0 outside.",
        "He is 1.85 m tall, and weighs 82.5 kg.",
        "At 10.30, 11.45 and 12.15 the trains leave.",
        "So long 12 friends came",
        "Call 089 1234567.",
        "1999, 2004",
    ],
)
def test_what_people_say_is_not_taken_for_coordinates(text: str) -> None:
    assert not holds_coordinates(text)


def test_files_in_headers_of_subtitles() -> None:
    assert holds_files(b"[Script Info]\nTitle: x\n[Fonts]\nfontname: a.ttf\n")
    assert not holds_files(b"[Script Info]\nTitle: x\n[Events]\nDialogue: [Fonts] are nice\n")


@pytest.mark.parametrize(
    ("language", "expected"), [("eng", "eng"), ("pt-BR", "pt-BR"), ("Jane's voice", None), (None, None)]
)
def test_languages(language: str | None, expected: str | None) -> None:
    assert language_of(StreamFacts(0, "audio", "aac", language)) == expected


TAGS = {
    "title": "A trip",
    "creation_time": "2024-05-01T10:00:00Z",
    "location": "+48.8577+002.2950/",
    "comment": "seen at 48.85770, 2.29500",
    "encoder": "Lavf60",
    "make": "Apple",
}


def test_tags_of_the_file_by_policy() -> None:
    facts = replace(FACTS, metadata=TAGS)
    assert select(facts, SETTINGS, "strip", ()).metadata == {}
    assert set(select(facts, SETTINGS, "safe", ()).metadata) == {"creation_time"}
    assert set(select(facts, SETTINGS, "keep", ()).metadata) == {"title", "creation_time", "make"}
    assert select(facts, SETTINGS, "keep", ()).left_out == ("the location",)


def test_titles_of_chapters_are_kept_under_keep_alone() -> None:
    second = Fraction(1)
    facts = replace(
        FACTS, chapters=(Chapter(0, 5, second, "Jane at home"), Chapter(5, 9, second, "48.13743, 11.57549"))
    )
    titles = {
        policy: [chapter.title for chapter in select(facts, SETTINGS, policy, ()).chapters]
        for policy in ("strip", "safe", "keep")
    }
    assert titles == {"strip": ["", ""], "safe": ["", ""], "keep": ["Jane at home", ""]}
