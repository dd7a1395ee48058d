"""What of a film file is kept beside its frames, and the names of what is not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from anonymizer.files.plain_language import is_plain
from anonymizer.settings import MetadataPolicy, VideoSettings
from anonymizer.video.facts import Chapter, FilmFacts, StreamFacts

TEXT_CODECS = ("subrip", "srt", "text", "mov_text", "ass", "ssa", "webvtt")
"""Subtitles that are text; others are pictures."""
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}")
_TIME_TAGS = ("creation_time", "date")
OF_THE_FILE = ("major_brand", "minor_version", "compatible_brands", "encoder", "software", "handler_name", "vendor_id")
"""Tags that say how the source was written, which the new file is not."""
_PLACE_TAG = re.compile(r"location|gps|latitude|longitude|xyz|geo", re.IGNORECASE)
_DEGREES = r"[-+]?\d{1,3}[.,]\d"
_EAST, _NORTH = rf"\b[EW]\W{{0,2}}{_DEGREES}", rf"\b[NS]\W{{0,2}}{_DEGREES}"
_COORDINATES = re.compile(
    r"\b(gps|lat|lon|lng|latitude|longt?itude)\b\W{0,5}[-+NSEW]?\s?\d"  # GPS (12.3, 48.1), [latitude: 48.1]
    r"|[-+]?\d{1,3}\.\d{3,}\W{1,4}[-+NSEW]?\d{1,3}\.\d{3,}"  # 48.13743, 11.57549
    r"|[-+]\d{2,3}\.\d{2,}[-+]\d{2,3}\.\d{2,}"  # +48.1374+011.5755/, ISO 6709
    r"|\d\s*\u00b0\s*\d{1,2}\s*['\u2032]"  # with degrees and minutes
    rf"|{_NORTH}.{{0,20}}{_EAST}|{_EAST}.{{0,20}}{_NORTH}"
    r"|\$G[PNL](GGA|RMC|GLL)\b",  # NMEA 0183
    re.IGNORECASE,
)
_ATTACHED = re.compile(rb"^\s*\[(Fonts|Graphics)\]", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class Selection:
    """What of a file is kept beside the frames."""

    streams: tuple[int, ...]
    """Indices of the streams that are copied."""
    chapters: tuple[Chapter, ...]
    metadata: Mapping[str, str]
    left_out: tuple[str, ...]
    """Names of what is not kept, for the report."""


def select(facts: FilmFacts, settings: VideoSettings, policy: MetadataPolicy, telemetry: Collection[int]) -> Selection:
    """Decides what is kept.

    Args:
        telemetry: indices of the subtitle streams that hold coordinates or attached files.
    """
    reasons = {stream.index: _why_not(stream, settings, telemetry) for stream in facts.streams}
    kept = tuple(index for index, reason in reasons.items() if reason is None and index != facts.index)
    names = _counted(reason for index, reason in reasons.items() if reason is not None and index != facts.index)
    if facts.has_dynamic_hdr:
        names.append("dynamic metadata of HDR10+ or Dolby Vision")
    if any(is_place(key, value) for key, value in facts.metadata.items()):
        names.append("the location")
    chapters = tuple(
        chapter if policy == "keep" and is_harmless(chapter.title) else chapter._replace(title="")
        for chapter in facts.chapters
    )
    return Selection(kept, chapters, _metadata(facts.metadata, policy), tuple(names))


def holds_coordinates(text: str) -> bool:
    """Whether a text tells a place on the earth in figures, as drones and cameras write it into subtitles."""
    return _COORDINATES.search(text) is not None


def holds_files(header: bytes) -> bool:
    """Whether the header of subtitles (Advanced SubStation Alpha) holds fonts or pictures."""
    return _ATTACHED.search(header) is not None


def is_harmless(text: str) -> bool:
    """Whether a text may be kept under the policy keep: plain language, without coordinates."""
    return is_plain(text) and not holds_coordinates(text)


def language_of(stream: StreamFacts) -> str | None:
    """The language of a stream, if it is one; the field may hold any text."""
    return stream.language if stream.language is not None and _LANGUAGE.fullmatch(stream.language) else None


class _Names(NamedTuple):
    """What is left out is called so in the report."""

    one: str
    many: str


_SOUND = _Names("sound track", "sound tracks")
_SUBTITLES = _Names("subtitle track", "subtitle tracks")
_PICTURE_SUBTITLES = _Names("subtitle track that is not text", "subtitle tracks that are not text")
_TELEMETRY = _Names("subtitle track with coordinates or files", "subtitle tracks with coordinates or files")
_COVER = _Names("picture, such as cover art", "pictures, such as cover art")
_FURTHER = _Names("further video track", "further video tracks")
_ATTACHMENT = _Names("attached file", "attached files")
_DATA = _Names("data track, such as telemetry or time code", "data tracks, such as telemetry or time code")


def _why_not(stream: StreamFacts, settings: VideoSettings, telemetry: Collection[int]) -> _Names | None:
    """Why a stream is not copied; None if it is."""
    match stream.kind:
        case "audio":
            return None if settings.audio == "keep" else _SOUND
        case "subtitle":
            if settings.subtitles == "drop":
                return _SUBTITLES
            if stream.codec not in TEXT_CODECS:
                return _PICTURE_SUBTITLES
            return _TELEMETRY if stream.index in telemetry else None
        case "video":
            return _COVER if stream.is_picture else _FURTHER
        case "attachment":
            return _ATTACHMENT
        case _:
            return _DATA


def _counted(names: Iterable[_Names]) -> list[str]:
    return [f"{number} {name.one if number == 1 else name.many}" for name, number in Counter(names).items()]


def _metadata(tags: Mapping[str, str], policy: MetadataPolicy) -> dict[str, str]:
    """The tags of the whole file that a policy keeps."""
    if policy == "strip":
        return {}
    allowed = {key: value for key, value in tags.items() if not is_place(key, value) and is_plain(value)}
    if policy == "safe":
        return {key: value for key, value in allowed.items() if key.lower() in _TIME_TAGS}
    return {key: value for key, value in allowed.items() if key.lower() not in OF_THE_FILE}


def is_place(key: str, value: str) -> bool:
    return _PLACE_TAG.search(key) is not None or holds_coordinates(value)
