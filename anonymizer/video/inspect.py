"""Looks for private data in a film file beside its picture and sound, whichever program wrote it.

FFmpeg reads the tracks and tags that it knows. What it passes over, such as maker notes, unused bytes and tracks whose
content it cannot name, is found in the structure of the file itself.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from av import Packet
from av.sidedata.sidedata import Type as SideDataType
from av.stream import Stream
from av.video.frame import VideoFrame

from anonymizer.files.inspect import FileIssue, FileIssueKind
from anonymizer.files.iso_boxes import Box, find_boxes
from anonymizer.files.plain_language import is_plain
from anonymizer.video.facts import FilmFacts, StreamFacts
from anonymizer.video.selection import OF_THE_FILE, TEXT_CODECS, holds_coordinates, holds_files, is_place
from anonymizer.video.source import Reading
from anonymizer.video.structure import end_of_film

MAX_HEADER = 1 << 28
"""Bytes of the header of an MP4 file (`moov`) that are read; ten hours of film and sound have 30 MB."""
MAX_ISSUES = 100
"""Of the structure of a file: a broken one may seem to hold millions of boxes."""
SLACK_BYTES = 64
"""So many unused bytes of an MP4 file may be padding."""
MAX_MESSAGES = 64
"""Bytes of all different messages beside the pictures that may be a mark of an encoder: those met have 0 and 13."""
FIRST_FRAMES = 50
"""So many frames are searched for messages, and all key frames."""
MAX_MARKS = 16
"""Bytes other than zero in a place that is empty: FFmpeg leaves 9 where an AVI file keeps room for an index."""

_UUID_BYTES = 16
_SERIAL_TAG = re.compile(r"serial|unique|device.?id|\buuid|umid", re.IGNORECASE)
_NAME_TAG = re.compile(r"artist|author|performer|owner|director|producer|actor|camera.?man|person", re.IGNORECASE)
_HARMLESS_TAGS = ("handler_name", "timecode", "creation_time", "date", "language", "duration", "rotate")
_ENCODER_MESSAGES = (
    bytes.fromhex("dc45e9bde6d948b7962cd820d923eeef"),
    bytes.fromhex("2ca2de09b51747dbbb55a4fe7fc2fc4e"),
)
"""Beginnings of the messages in which x264 and x265 write their options."""


def issues_in_facts(facts: FilmFacts) -> Iterator[FileIssue]:
    """What the streams and tags of a film tell, as far as FFmpeg knows them."""
    for stream in facts.streams:
        if stream.index != facts.index:
            yield from _issues_in_stream(stream, is_mp4=facts.container in _MP4)
    for key, value in facts.metadata.items():
        if key.lower() not in OF_THE_FILE:
            yield from _issues_in_tag(key, value)
    for chapter in facts.chapters:
        if holds_coordinates(chapter.title):
            yield FileIssue("gps", "a position in the title of a chapter")
    if facts.has_dynamic_hdr:
        yield FileIssue("data", "dynamic metadata of HDR10+ or Dolby Vision")


_MP4 = ("mp4", "mov", "3gp")


def _issues_in_stream(stream: StreamFacts, is_mp4: bool) -> Iterator[FileIssue]:
    match stream.kind:
        case "video" if stream.is_picture:
            yield FileIssue("preview", "a picture beside the film, such as cover art or a thumbnail")
        case "video":
            yield FileIssue("preview", "a further video track, which was not looked at")
        case "subtitle" if stream.codec not in TEXT_CODECS:
            yield FileIssue("preview", "subtitles that are pictures, which were not looked at")
        case "attachment":
            yield FileIssue("data", "an attached file")
        case "data" | "unknown" if not is_mp4:  # those of MP4 files are found in their boxes
            yield FileIssue("data", "a data track, such as telemetry or time code")
        case _:
            pass
    if stream.title is not None and holds_coordinates(stream.title):
        yield FileIssue("gps", "a position in the title of a track")


def _issues_in_tag(key: str, value: str) -> Iterator[FileIssue]:
    if is_place(key, value):
        yield FileIssue("gps", f"a position in the tag {key!r}")
    elif _SERIAL_TAG.search(key):
        yield FileIssue("serial", f"a serial or unique number in the tag {key!r}")
    elif _NAME_TAG.search(key):
        yield FileIssue("name", f"a name in the tag {key!r}")
    elif key.lower() not in _HARMLESS_TAGS and not is_plain(value):
        yield FileIssue("preview", f"the tag {key!r} is not plain language: it may hold a picture")


@dataclass
class StreamInspection:
    """Takes note of what the packets and frames of a film tell while it is read."""

    facts: FilmFacts
    _found: dict[FileIssue, None] = field(default_factory=dict)
    _messages: set[bytes] = field(default_factory=set)
    _frames: int = 0
    _looks: int = 0
    """At how many frames' messages."""

    def begin(self, reading: Reading) -> None:
        """Looks at the headers of the subtitles, and at the tags of all tracks."""
        for stream in self.facts.streams:
            source = reading.stream(stream.index)
            if stream.codec in TEXT_CODECS and holds_files(source.codec_context.extradata or b""):
                self._note("data", "fonts or pictures in the header of subtitles")
            for key, value in source.metadata.items():
                if key.lower() not in OF_THE_FILE:
                    self._found |= dict.fromkeys(_issues_in_tag(key, value))

    def note_packet(self, packet: Packet[Stream]) -> None:
        """A packet of a stream beside the film's own."""
        codecs = {stream.index: stream.codec for stream in self.facts.streams}
        is_text = codecs.get(packet.stream.index) in TEXT_CODECS
        if is_text and holds_coordinates(bytes(packet).decode("utf-8", "replace")):
            self._note("gps", "positions in subtitles")

    def note_frame(self, picture: VideoFrame) -> None:
        """A decoded frame. Some cameras write messages beside its picture (SEI), with positions: from the beginning on,
        or with key frames.
        """
        self._frames += 1
        if self._frames > FIRST_FRAMES and not picture.key_frame:
            return
        for message in _messages_of(picture):
            if not message.startswith(_ENCODER_MESSAGES) and sum(map(len, self._messages)) <= MAX_MESSAGES:
                self._messages.add(message[_UUID_BYTES:])
        if sum(map(len, self._messages)) > MAX_MESSAGES:
            self._note("data", "messages beside the pictures (SEI), in which cameras write positions")
        self._looks += 1
        if self._looks % FIRST_FRAMES == 0:
            gc.collect()  # PyAV lets frames and their side data refer to each other, so that they would pile up

    @property
    def issues(self) -> list[FileIssue]:
        return list(self._found)

    def _note(self, kind: FileIssueKind, text: str) -> None:
        self._found[FileIssue(kind, text)] = None


def _messages_of(picture: VideoFrame) -> list[bytes]:
    """All messages without a registered meaning: identifiers of 16 bytes, and what follows."""
    wanted: Any = SideDataType.SEI_UNREGISTERED
    side_data: Any = picture.side_data
    try:
        every = [side_data[number] for number in range(len(side_data))]
    except (KeyError, IndexError, TypeError):  # versions of PyAV that give only one of each type
        found = side_data.get(wanted)
        return [] if found is None else [bytes(found)]
    return [bytes(one) for one in every if one.type == wanted]


def issues_in_structure(path: Path) -> list[FileIssue]:
    """What the file holds beside its tracks and tags.

    Raises:
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    issues: dict[FileIssue, None] = {}
    end = end_of_film(path)
    if end and size - end > 1:  # one may fill it up to an even length
        issues[FileIssue("trailing", f"{size - end} bytes behind the end of the film")] = None
    with open(path, "rb") as file:
        for issue in _issues_by_container(file, size):
            issues[issue] = None
            if len(issues) >= MAX_ISSUES:
                break
    return list(issues)


def _issues_by_container(file: BinaryIO, size: int) -> Iterator[FileIssue]:
    start = file.read(12)
    if start[:4] == b"\x1aE\xdf\xa3":
        yield from _issues_in_matroska(file, size)
    elif start[4:8] in _FIRST_BOXES:
        yield from _issues_in_mp4(file, size)
    elif start[:4] == b"RIFF":
        yield from _issues_in_riff(file, size)


# MP4 and QuickTime: ISO/IEC 14496-12, QuickTime File Format Specification.

_FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp")
_UNUSED = (b"free", b"skip", b"wide")
_KNOWN_BOXES = (b"ftyp", b"styp", b"moov", b"mdat", b"moof", b"mfra", b"sidx", b"ssix", b"prft", *_UNUSED)
_IN_MOOV = (b"mvhd", b"trak", b"mvex", b"iods", b"udta", b"meta", b"ctab", *_UNUSED)
_IN_TRAK = (
    *(b"tkhd", b"edts", b"mdia", b"tref", b"tapt", b"load", b"clip", b"matt", b"txas", b"trgr", b"udta", b"meta"),
    *_UNUSED,
)
_TEXT_IN_UDTA = (b"name", b"cprt", b"titl", b"auth", b"albm", b"dscp", b"gnre", b"yrrc", b"perf", b"rtng", b"clsf")
_HARMLESS_IN_UDTA = (b"meta", b"chpl", b"LOOP", b"SelO", b"AllF", b"WLOC", b"tagc", *_TEXT_IN_UDTA, *_UNUSED)
_PLACES_IN_UDTA = (b"\xa9xyz", b"loci", b"gps ", b"GPS ")
_PREVIEWS_IN_UDTA = (b"thmb", b"CNTH", b"CNDA", b"SNal", b"PICT", b"covr")
_HARMLESS_HANDLERS = (b"vide", b"soun", b"sbtl", b"subt", b"text", b"clcp", b"pict", b"auxv", b"hint")
_COUNTS_BYTES = 1


def _issues_in_mp4(file: BinaryIO, size: int) -> Iterator[FileIssue]:
    media_bytes, header, is_fragmented = 0, b"", False
    for kind, body, end in _outer_boxes(file, size):
        if kind == b"moov" and end - body <= MAX_HEADER:
            file.seek(body)
            header = file.read(end - body)
        elif kind == b"mdat":
            media_bytes += end - body
        elif kind == b"moof":
            is_fragmented = True
        elif kind in _UNUSED:
            if _has_content(file, body, end):
                yield FileIssue("trailing", f"{end - body} bytes that nothing in the file refers to")
        elif kind not in _KNOWN_BOXES:
            yield _unknown_box(kind)
    used = 0
    for box in find_boxes(header):
        if box.kind == b"trak":
            yield from _issues_in_track(header, box)
            used += _sample_bytes(header, box)
        else:
            yield from _issues_in_header(header, box, _IN_MOOV)
    if header and not is_fragmented and media_bytes - used > SLACK_BYTES and used >= 0:
        yield FileIssue("trailing", f"{media_bytes - used} bytes that no track of the film refers to")


def _outer_boxes(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind of each box, where its content begins and where it ends."""
    start = 0
    while start + 8 <= size:
        file.seek(start)
        head = file.read(16)
        length, body = int.from_bytes(head[:4], "big"), start + 8
        if length == 1:
            length, body = int.from_bytes(head[8:16], "big"), start + 16
        elif length == 0:
            length = size - start
        if length < 8 or not head[4:8].isalnum():  # behind the end of the film
            return
        yield head[4:8], body, min(start + length, size)
        start += length


def _has_content(file: BinaryIO, start: int, end: int) -> bool:
    """Whether there is more between two places than zeros and a few marks of the program that left it empty."""
    file.seek(start)
    number = 0
    while start < end and number <= MAX_MARKS:
        block = file.read(min(1 << 20, end - start))
        if not block:
            break
        number += len(block) - block.count(0)
        start += len(block)
    return number > MAX_MARKS


def _unknown_box(kind: bytes) -> FileIssue:
    name = kind.decode("latin-1")
    if kind in (b"gps ", b"GPS "):
        return FileIssue("gps", f"positions in the box {name!r}")
    if kind in _PREVIEWS_IN_UDTA or kind == b"pnot":
        return FileIssue("preview", f"a preview in the box {name!r}")
    return FileIssue("data", f"the box {name!r}, which may hold anything")


def _issues_in_header(content: bytes, box: Box, known: tuple[bytes, ...]) -> Iterator[FileIssue]:
    if box.kind == b"udta":
        for inner in find_boxes(content, box.body, box.end):
            yield from _issues_in_user_data(content, inner)
    elif box.kind in _UNUSED:
        if box.end - box.body - content.count(0, box.body, box.end) > MAX_MARKS:
            yield FileIssue("trailing", f"{box.end - box.body} bytes that nothing in the file refers to")
    elif box.kind not in known:
        yield _unknown_box(box.kind)


def _issues_in_user_data(content: bytes, box: Box) -> Iterator[FileIssue]:
    if box.kind in _PLACES_IN_UDTA:
        yield FileIssue("gps", f"a position in the user data ({box.kind.decode('latin-1')!r})")
    elif box.kind in _PREVIEWS_IN_UDTA:
        yield FileIssue("preview", f"a preview in the user data ({box.kind.decode('latin-1')!r})")
    elif box.kind in _UNUSED:
        yield from _issues_in_header(content, box, ())
    # Texts are tags, which FFmpeg reads.
    elif box.kind not in _HARMLESS_IN_UDTA and not box.kind.startswith(b"\xa9") and box.kind != bytes(4):
        yield FileIssue("data", f"a maker note in the user data ({box.kind.decode('latin-1')!r})")


def _issues_in_track(content: bytes, track: Box) -> Iterator[FileIssue]:
    for box in find_boxes(content, track.body, track.end):
        yield from _issues_in_header(content, box, _IN_TRAK)
    handler = _inner(content, track, b"mdia", b"hdlr")
    kind = content[handler.body + 8 : handler.body + 12] if handler is not None else b""
    if kind not in _HARMLESS_HANDLERS:
        entry = _inner(content, track, b"mdia", b"minf", b"stbl", b"stsd")
        name = content[entry.body + 12 : entry.body + 16].decode("latin-1") if entry is not None else "unknown"
        yield FileIssue("data", f"a data track ({name!r}), such as telemetry or time code")


def _inner(content: bytes, box: Box, *path: bytes) -> Box | None:
    """The box at a path of kinds within another one."""
    for kind in path:
        found = next((each for each in find_boxes(content, box.body, box.end) if each.kind == kind), None)
        if found is None:
            return None
        box = found
    return box


def _sample_bytes(content: bytes, track: Box) -> int:
    """How many bytes of media a track refers to; more than there are where that is not known."""
    sizes = _inner(content, track, b"mdia", b"minf", b"stbl", b"stsz")
    if sizes is None:
        return MAX_HEADER**2
    alike, number = (int.from_bytes(content[sizes.body + at : sizes.body + at + 4], "big") for at in (4, 8))
    if alike == _COUNTS_BYTES:  # QuickTime's sound: the number of samples, whatever their size
        return MAX_HEADER**2
    if alike:
        return alike * number
    table = memoryview(content)[sizes.body + 12 : min(sizes.body + 12 + 4 * number, sizes.end)]
    return sum(int.from_bytes(table[at : at + 4], "big") for at in range(0, len(table), 4))


# Matroska and WebM: RFC 9559, RFC 8794.

_SEGMENT = 0x18538067
_VOID = 0xEC
_KNOWN_ELEMENTS = (
    *(0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1F43B675, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367, _VOID, 0xBF),
)
"""SeekHead, Info, Tracks, Cluster, Cues, Attachments, Chapters, Tags, Void, CRC-32. FFmpeg reads all of them."""


def _issues_in_matroska(file: BinaryIO, size: int) -> Iterator[FileIssue]:
    for number, body, end in _elements(file, 0, size):
        if number == _SEGMENT:
            for inner, inner_body, inner_end in _elements(file, body, min(end, size)):
                if inner == _VOID and _has_content(file, inner_body, inner_end):
                    yield FileIssue("trailing", f"{inner_end - inner_body} bytes that nothing in the file refers to")
                elif inner not in _KNOWN_ELEMENTS:
                    yield FileIssue("data", f"the element {inner:X}, which may hold anything")
            return


def _elements(file: BinaryIO, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Number of each element, where its content begins and where it ends; ends at one whose length is not known."""
    while start + 2 <= end:
        file.seek(start)
        head = file.read(12)
        length_at = 9 - head[0].bit_length() if head and head[0] else 0
        if not 1 <= length_at <= 4 or len(head) <= length_at or not head[length_at]:
            return
        bytes_of_length = 9 - head[length_at].bit_length()
        mask = (1 << (7 * bytes_of_length)) - 1
        length = int.from_bytes(head[length_at : length_at + bytes_of_length], "big") & mask
        body = start + length_at + bytes_of_length
        number = int.from_bytes(head[:length_at], "big")
        if length == mask:
            if number == _SEGMENT:
                yield number, body, end
            return
        yield number, body, body + length
        start = body + length


# AVI: Multimedia Programming Interface and Data Specifications 1.0; OpenDML 1.02.

MAX_DEPTH = 8
"""Lists lie three deep in AVI files."""
_KNOWN_CHUNKS = (b"idx1", b"JUNK", b"avih", b"strh", b"strf", b"strn", b"indx", b"vprp", b"dmlh", b"ISMP", b"IDIT")
_KNOWN_LISTS = (b"hdrl", b"strl", b"odml", b"INFO")


def _issues_in_riff(file: BinaryIO, size: int) -> Iterator[FileIssue]:
    start = 0
    while start + 12 <= size:
        file.seek(start)
        head = file.read(12)
        if head[:4] != b"RIFF":
            return
        end = min(size, start + 8 + int.from_bytes(head[4:8], "little"))
        yield from _issues_in_chunks(file, start + 12, end)
        start = end + end % 2


def _issues_in_chunks(file: BinaryIO, start: int, end: int, depth: int = 0) -> Iterator[FileIssue]:
    while start + 8 <= end:
        file.seek(start)
        head = file.read(12)
        kind, length = head[:4], int.from_bytes(head[4:8], "little")
        behind = min(end, start + 8 + length)
        if kind == b"LIST" and head[8:12] in _KNOWN_LISTS:
            if head[8:12] != b"INFO" and depth < MAX_DEPTH:
                yield from _issues_in_chunks(file, start + 12, behind, depth + 1)
        elif kind == b"JUNK":
            if _has_content(file, start + 8, behind):
                yield FileIssue("trailing", f"{length} bytes that nothing in the file refers to")
        elif kind not in _KNOWN_CHUNKS and (kind != b"LIST" or head[8:12] not in (b"movi", b"rec ")):
            name = (head[8:12] if kind == b"LIST" else kind).decode("latin-1")
            what = "a maker note in the chunk" if kind == b"strd" else "the chunk"
            yield FileIssue("data", f"{what} {name!r}, which may hold anything")
        start += 8 + length + length % 2
