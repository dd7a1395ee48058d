"""CVAT for video 1.1 (https://docs.cvat.ai/docs/manual/advanced/formats/format-cvat): one XML file for each film.

Boxes are given where a straight line through time would not do, as CVAT itself moves them from key frame to key frame.
Pixels have 2 decimals. Scores and the numbers of tracks are attributes, as in `cvat`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element, SubElement

from anonymizer.kinds import KINDS
from anonymizer.record.exports.cvat import SHAPES, add_attributes, add_label, annotations_in, shape_of, to_box
from anonymizer.record.exports.films import Course, ExportedFilm, FilmFormat, ReadFilm, courses_of
from anonymizer.record.exports.values import Corners, ExportedPicture, Files, ReadBox, number
from anonymizer.record.exports.xml_file import add, render
from anonymizer.types import Detection

PLACE = ".xml"
OFF_SHARE = 0.05
"""Between key frames a side may be off by this share of the box's shorter side, and by a pixel in any case."""


def _write(film: ExportedFilm) -> Files:
    root = Element("annotations")
    add(root, version="1.1")
    task = SubElement(SubElement(root, "meta"), "task")
    add(task, name=film.name, size=len(film.frames), mode="interpolation", overlap=0, start_frame=0)
    add(task, stop_frame=max(0, len(film.frames) - 1), frame_filter="")
    labels = SubElement(task, "labels")
    for kind in KINDS:
        add_label(labels, kind, changing=["score"])
    size = SubElement(task, "original_size")
    add(size, width=film.size[0], height=film.size[1])
    add(task, source=film.name)
    for index, course in enumerate(courses_of(film)):
        track = SubElement(root, "track", id=str(index), label=course.first.kind, source="auto")
        for span in course.spans():
            _add_span(track, film, course, span)
    return {PLACE: render(root)}


def _add_span(track: Element, film: ExportedFilm, course: Course, span: range) -> None:
    """Frames without a gap, and that nothing is there behind them."""
    there = [film.frames[frame][course.places[frame]] for frame in span]
    for index in _key_frames(there):
        _add_shape(track, film, span[index], there[index], is_outside=False)
    if span.stop < len(film.frames):
        _add_shape(track, film, span.stop, there[-1], is_outside=True)


def _add_shape(track: Element, film: ExportedFilm, frame: int, detection: Detection, is_outside: bool) -> None:
    tag, places = shape_of(ExportedPicture(film.name, film.size, []), detection)
    about = {"frame": str(frame), "keyframe": "1", "outside": str(int(is_outside)), "occluded": "0"}
    add_attributes(SubElement(track, tag, {**about, **places, "z_order": "0"}), detection)


def _key_frames(there: Sequence[Detection]) -> list[int]:
    """The indexes of the shapes from which the others follow, nearly."""
    if any(one.outline is not None for one in there):
        return list(range(len(there)))
    keys, index = [0], 0
    while index < len(there) - 1:
        last = index + 1
        while last + 1 < len(there) and _is_straight(there[index : last + 2]):
            last += 1
        keys.append(last)
        index = last
    return keys


def _is_straight(there: Sequence[Detection]) -> bool:
    first, last = there[0].box, there[-1].box
    for index, one in enumerate(there[1:-1], 1):
        between = _between(first.xyxy, last.xyxy, index / (len(there) - 1))
        limit = max(1.0, OFF_SHARE * min(one.box.width, one.box.height))
        if max(abs(a - b) for a, b in zip(between, one.box.xyxy, strict=True)) > limit:
            return False
    return True


def _between(one: Corners, other: Corners, share: float) -> Corners:
    x_min, y_min, x_max, y_max = (a + share * (b - a) for a, b in zip(one, other, strict=True))
    return x_min, y_min, x_max, y_max


def _read(files: Files, film: ExportedFilm) -> ReadFilm:
    root = annotations_in(files)
    if root.find("image") is not None:
        raise ValueError("is of pictures; export the task from CVAT as 'CVAT for video 1.1'")
    task = root.find("meta/task")
    if task is None:
        raise ValueError("has no <task>: export a task from CVAT, not a project")
    size, said = task.find("original_size"), task.findtext("size")
    if said is not None and number(said) != len(film.frames):
        return ReadFilm({}, problem=f"has {said} frames in the file, and {len(film.frames)} in the record")
    frames: dict[int, list[ReadBox]] = {}
    for index, track in enumerate(root.iterfind("track")):
        wrong = next((shape.tag for shape in track if shape.tag not in SHAPES), None)
        if wrong is not None:
            return ReadFilm({}, problem=f"track {track.get('id')}: a <{wrong}> cannot be hidden")
        for frame, box in _boxes_of(track, index, len(film.frames)):
            if not 0 <= frame < len(film.frames):
                return ReadFilm({}, problem=f"{box.entry}: the film has {len(film.frames)} frames")
            frames.setdefault(frame, []).append(box)
    sides = None if size is None else (number(size.findtext("width")), number(size.findtext("height")))
    return ReadFilm(frames, sides)


def _boxes_of(track: Element, group: int, frames: int) -> Iterator[tuple[int, ReadBox]]:
    """What a track says of all frames, also of those between its key frames."""
    shapes = sorted(((_frame_of(shape), shape) for shape in track), key=lambda pair: pair[0])
    kind, name = track.get("label", ""), track.get("id", str(group))
    for index, (frame, shape) in enumerate(shapes):
        if shape.get("outside") == "1":
            continue
        box = to_box(f"track {name}, frame {frame}", shape, kind)
        yield frame, _in_group(box, group, box.corners, f"frame {frame}", name, is_given=True)
        end, after = shapes[index + 1] if index + 1 < len(shapes) else (frames, None)
        moves = after is not None and after.tag == shape.tag == "box"
        goal = to_box("", after, kind).corners if moves and after is not None else box.corners
        for other in range(frame + 1, end):
            corners = _between(box.corners, goal, (other - frame) / (end - frame))
            yield other, _in_group(box, group, corners, f"frame {other}", name, is_given=False)


def _in_group(box: ReadBox, group: int, corners: Corners, where: str, name: str, is_given: bool) -> ReadBox:
    score, outline = (box.score, box.outline) if is_given else (None, box.outline)
    return ReadBox(f"track {name}, {where}", box.kind, corners, score, box.track, None, outline, group)


def _frame_of(shape: Element) -> int:
    text = shape.get("frame", "")
    if not text.isdecimal():
        raise ValueError(f"has a <{shape.tag}> without the number of its frame")
    return int(text)


CVAT_VIDEO = FilmFormat(_write, _read, place=PLACE, precision_px=0.011)
