"""MOT challenge (https://motchallenge.net/instructions): for each film `gt/gt.txt`, `gt/labels.txt`, and `seqinfo.ini`.

A line of `gt.txt` is frame from 1 on, object, left, top, width, height, 1, class, and visibility 1. Pixels have 2
decimals. What others mark as not to be evaluated is hidden all the same. `labels.txt` names the classes in their order,
as CVAT and Datumaro write them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from anonymizer.kinds import KINDS
from anonymizer.record.exports.films import ExportedFilm, FilmFormat, ReadFilm, courses_of
from anonymizer.record.exports.values import ExportedPicture, Files, ReadBox, number

PLACE = "/gt/gt.txt"
LABELS, SEQUENCE = "/gt/labels.txt", "/seqinfo.ini"
_COLUMNS = 6
"""Those that each line must have."""


def _write(film: ExportedFilm) -> Files:
    lines = sorted(_lines(film))
    width, height = film.size
    sequence = {
        "name": film.name,
        "frameRate": f"{film.rate:g}",
        "seqLength": len(film.frames),
        "imWidth": width,
        "imHeight": height,
    }
    about = "".join(f"{key}={value}\n" for key, value in sequence.items())
    return {
        PLACE: "".join(f"{text}\n" for _, _, text in lines).encode(),
        LABELS: "".join(f"{kind}\n" for kind in KINDS).encode(),
        SEQUENCE: f"[Sequence]\n{about}".encode(),
    }


def _lines(film: ExportedFilm) -> Iterator[tuple[int, int, str]]:
    """Frame from 0 on, number of the course, line."""
    picture, taken = ExportedPicture(film.name, film.size, []), set[int]()
    courses = courses_of(film)
    last = max((course.track for course in courses if course.track is not None), default=0)
    for index, course in enumerate(courses):
        named = course.track
        if named is None or named in taken:
            named = last = last + 1
        taken.add(named)
        for frame, place in course.places.items():
            one = film.frames[frame][place]
            box = picture.inside(one.box)
            places = ",".join(f"{value:.2f}" for value in (box.x_min, box.y_min, box.width, box.height))
            yield frame, index, f"{frame + 1},{named},{places},1,{KINDS.index(one.kind) + 1},1"


def _read(files: Files, film: ExportedFilm) -> ReadFilm:
    if PLACE not in files:
        raise ValueError(f"has no {PLACE[1:]}")
    labels = _text(files[LABELS]).split("\n") if LABELS in files else list(KINDS)
    frames: dict[int, list[ReadBox]] = {}
    for line, row in enumerate(csv.reader(io.StringIO(_text(files[PLACE]))), 1):
        if len(row) < _COLUMNS:
            raise ValueError(f"line {line} of {PLACE[1:]} has less than {_COLUMNS} numbers")
        frame, named, left, top, width, height, *others = map(number, row)
        if not (frame.is_integer() and named.is_integer()):
            raise ValueError(f"line {line} of {PLACE[1:]} does not begin with two whole numbers, of frame and object")
        if not 1 <= frame <= len(film.frames):
            return ReadFilm({}, problem=f"line {line}: the film has {len(film.frames)} frames, from 1 on")
        label = others[1] if len(others) > 1 else 1.0
        is_known = label.is_integer() and 1 <= label <= len(labels)
        box = ReadBox(
            f"line {line}",
            labels[int(label) - 1].strip() if is_known else f"class {label:g}",
            (left, top, left + width, top + height),
            track=int(named) if named >= 1 else None,
            group=int(named),
        )
        frames.setdefault(int(frame) - 1, []).append(box)
    return ReadFilm(frames)


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("is not text in UTF-8") from None


MOT = FilmFormat(_write, _read, place=PLACE, precision_px=0.011)
