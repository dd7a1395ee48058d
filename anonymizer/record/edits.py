"""What people change about the detections of a picture: a list of edits, applied in order, that say who and why.

    edits:
    - file: sub/a.jpg
      add: {box: [10, 20, 30, 40]}
      reason: a tattoo
      by: Ada
      at: 2026-11-28
    - file: sub/a.jpg
      remove: {box: [174.7, 52.9, 275.3, 181.0]}
      kind: face
    - file: b.gif
      frame: 3
      resize: {box: [174.7, 52.9, 275.3, 181.0]}
      to: {ellipse: {center: [225, 120], semi_axes: [60, 80]}}
      kind: face

    - file: c.mp4
      frame: 120
      add: {box: [10, 20, 30, 40]}
      span: [3.5, 9]
    - file: c.mp4
      remove: {track: 3}
      kind: face
    - file: c.mp4
      mute: [3.5, 9]

Boxes are x_min, y_min, x_max, y_max, spans two times of a film in seconds. What was found stays as it was recorded:
without an entry everything is as if it had never been there. `video.edited` applies what is said of films.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf, isinf
from pathlib import Path, PurePosixPath
from typing import Any, Literal, TypeAlias, get_args

from anonymizer.errors import PictureError, SettingsError
from anonymizer.geometry import Box, corners_of, is_inside
from anonymizer.kinds import GIVEN_KINDS, KINDS, TRAITS, Kind
from anonymizer.outlines import Drawn, RestOutline, from_plain, place_to_plain
from anonymizer.types import DRAWN_SCORE, Detection, FrameDetections

NAMES = ("edits.yaml", "edits.yml", "edits.json")
"""What a file of edits is called beside records."""
SAME_FROM = 0.5
"""A box with at least this IoU means a detection, if it means no other one of its kind."""
DEFAULT_KIND = "area"
"""Of what is added."""

Action: TypeAlias = Literal["add", "remove", "resize", "relabel", "keep", "mute"]
"""relabel: it is of another kind. keep: the place stays visible in a run that hides everything else. mute: the sound of
a film."""
ACTIONS: tuple[Action, ...] = get_args(Action)
Place: TypeAlias = Box | Drawn
Span: TypeAlias = tuple[float, float]
"""Two times of a film in seconds, on its own clock; infinite where they are left open."""

_TEXTS = ("reason", "by", "at")
_KEYS = ("file", "frame", "span", *ACTIONS, "to", "kind", *_TEXTS)


@dataclass(frozen=True, slots=True)
class Edit:
    """One change in one picture."""

    number: int
    """Of the entry in its file, from 1 on."""
    file: str
    """Path of the picture relative to the input root, with forward slashes."""
    action: Action
    place: Place | None
    """What is added or kept; the box of what is removed, resized or relabelled. None: a track is named, or sound."""
    kind: Kind | None
    """None for a place that is kept."""
    to: Place | None = None
    """What something is resized to."""
    frame: int | None = None
    """From 0 on. None: the only one; for what is added, every one."""
    reason: str | None = None
    by: str | None = None
    at: str | None = None
    """When, as its author writes it."""
    track: int | None = None
    """Of a film: its track with this number is meant."""
    span: Span | None = None
    """Of a film: only then; what is muted. None: always."""
    label: Kind | None = None
    """What something is relabelled to."""


@dataclass(frozen=True)
class Edits:
    """Those of all pictures."""

    name: str = ""
    """Of their file, for messages."""
    of_files: Mapping[str, Sequence[Edit]] = field(default_factory=dict)
    """By the name of the picture, in their order."""

    def of(self, file: str) -> Sequence[Edit]:
        return self.of_files.get(file, ())

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds that they speak of."""
        named = (kind for edits in self.of_files.values() for edit in edits for kind in (edit.kind, edit.label))
        return frozenset(kind for kind in named if kind is not None)

    def mute(self, file: str) -> Sequence[Span]:
        """When the sound of a film is silenced."""
        return [edit.span for edit in self.of(file) if edit.action == "mute" and edit.span is not None]

    @property
    def kept(self) -> Sequence[Edit]:
        """Those that keep a place visible, which asks for a run that hides everything else."""
        return [edit for edits in self.of_files.values() for edit in edits if edit.action == "keep"]

    def require_reasons(self) -> None:
        """
        Raises:
            SettingsError: an edit has none.
        """
        for edits in self.of_files.values():
            for edit in edits:
                if not (edit.reason or "").strip():
                    why = f"entry {edit.number} gives no reason, as --require-reason asks"
                    raise SettingsError(f"edits {self.name}: {why}")


NO_EDITS = Edits()


@dataclass(frozen=True)
class Edited:
    """A picture after its edits."""

    frames: Sequence[FrameDetections]
    done: Sequence[Mapping[str, object]] = ()
    """What each edit did, for the report: its entry, its number, and the detection that it changed."""
    kept: Sequence[Sequence[Place]] = ()
    """What stays visible in each frame, where everything else is hidden; empty if nothing does in any."""


def find_edits(folder: Path, records: Container[Path] = ()) -> Path | None:
    """The file of edits beside records; None if there is none.

    Args:
        records: a picture `edits.jpg` has one of the name `edits.json`.

    Raises:
        SettingsError: there are several.
    """
    files = [file for name in NAMES if (file := folder / name).is_file() and file not in records]
    if len(files) > 1:
        raise SettingsError(f"{folder} holds {' and '.join(file.name for file in files)}: keep one of them")
    return files[0] if files else None


def read_edits(path: Path) -> Edits:
    """
    Raises:
        SettingsError: the file cannot be read, or an entry is wrong.
    """
    try:
        return parse_edits(path.read_bytes(), path.name)
    except OSError as error:
        raise SettingsError(f"edits {path}: {error.strerror}") from None
    except ValueError as error:
        raise SettingsError(f"edits {path}: {error}") from None


def parse_edits(content: bytes, name: str) -> Edits:
    """
    Args:
        content: JSON if the name ends so, else YAML.

    Raises:
        ValueError: an entry is wrong; the message names it.
    """
    document = _to_document(content, is_json=name.lower().endswith(".json"))
    if document is None:
        return Edits(name)
    if not isinstance(document, dict) or not isinstance(document.get("edits"), list) or len(document) > 1:
        raise ValueError("not a mapping with a list 'edits', and nothing else")
    of_files: dict[str, list[Edit]] = {}
    for number, entry in enumerate(document["edits"], 1):
        try:
            edit = _to_edit(entry, number)
        except ValueError as error:
            raise ValueError(f"entry {number}: {error}") from None
        of_files.setdefault(edit.file, []).append(edit)
    return Edits(name, of_files)


def render_edits(edits: Sequence[Edit]) -> bytes:
    """The inverse of `parse_edits`, as JSON; the entries are in this order, whatever their numbers."""
    return json.dumps({"edits": [to_entry(edit) for edit in edits]}, indent=2).encode() + b"\n"


def to_entry(edit: Edit) -> dict[str, object]:
    """As in the file."""
    span = None if edit.span is None else [None if isinf(time_s) else time_s for time_s in edit.span]
    named: object = {"track": edit.track} if edit.place is None else place_to_plain(edit.place)
    optional = {
        "frame": edit.frame,
        "span": None if edit.action == "mute" else span,
        "to": edit.label if edit.to is None else place_to_plain(edit.to),
        **{key: getattr(edit, key) for key in _TEXTS},
    }
    return {
        "file": edit.file,
        edit.action: span if edit.action == "mute" else named,
        **({} if edit.kind is None else {"kind": edit.kind}),
        **{key: value for key, value in optional.items() if value is not None},
    }


def _to_document(content: bytes, is_json: bool) -> object:
    if is_json:
        try:
            return json.loads(content, object_pairs_hook=_to_mapping)
        except _TwiceError:
            raise
        except (ValueError, RecursionError) as error:
            raise ValueError(f"truncated or not JSON: {error}") from None
    import yaml

    # The fast loader refuses "\udcff", a byte of a name that is not UTF-8, though PyYAML writes it so.
    is_plain = re.search(rb"\\u[dD][89a-fA-F]", content) is None

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader) if is_plain else yaml.SafeLoader):  # type: ignore[misc]
        """Refuses what YAML takes silently: a key that is there twice."""

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            keys = [key.value for key, _ in node.value]
            twice = next((key for key in keys if keys.count(key) > 1), None)
            if twice is not None:
                raise ValueError(f"key {twice!r} is there twice, in line {node.start_mark.line + 1}")
            return super().construct_mapping(node, deep)

    try:
        return yaml.load(content, Loader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not YAML: {' '.join(str(error).split())}") from None


class _TwiceError(ValueError):
    """A key is there twice."""


def _to_mapping(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    """Refuses what JSON takes silently, too."""
    keys = [key for key, _ in pairs]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise _TwiceError(f"key {twice!r} is there twice in one mapping")
    return dict(pairs)


def _to_edit(entry: object, number: int) -> Edit:
    if not isinstance(entry, dict):
        raise ValueError("it is not a mapping of keys to values")
    for key in entry:
        if key not in _KEYS:
            raise ValueError(f"{key!r} is not one of {', '.join(_KEYS)}")
    named = [action for action in ACTIONS if action in entry]
    if len(named) != 1:
        raise ValueError(f"it has {' and '.join(named) or 'none'} of {', '.join(ACTIONS)}: it must have one")
    action = named[0]
    if (action in ("resize", "relabel")) != ("to" in entry):
        raise ValueError("resize says the new place with 'to', relabel the new kind, and nothing else has it")
    frame = None if entry.get("frame") is None else _to_count("frame", entry["frame"], 0)
    file, kind = _to_file(entry.get("file")), _to_kind(entry, action)
    reason, by, at = (_to_text(key, entry.get(key)) for key in _TEXTS)
    if action == "mute":
        if frame is not None or "span" in entry:
            raise ValueError("mute says its span itself, [from, to] in seconds, and has no frame")
        return Edit(number, file, action, None, None, None, None, reason, by, at, span=_to_span(entry[action]))
    track = _to_track(entry[action]) if action in ("remove", "relabel") else None
    place = None if track is not None else _to_place(entry[action])
    if action in ("remove", "resize", "relabel") and not isinstance(place, Box | None):
        raise ValueError(f"{action} names a detection by its box, or in films by its track")
    return Edit(
        number,
        file,
        action,
        place,
        kind,
        _to_place(entry["to"]) if action == "resize" else None,
        frame,
        reason,
        by,
        at,
        track=track,
        span=None if entry.get("span") is None else _to_span(entry["span"]),
        label=_checked_kind(entry["to"]) if action == "relabel" else None,
    )


def _to_kind(entry: Mapping[str, object], action: Action) -> Kind | None:
    kind = entry.get("kind", DEFAULT_KIND if action == "add" else None)
    if action in ("keep", "mute"):
        if kind is not None:
            raise ValueError("a place that is kept has no kind, nor has sound")
        return None
    if kind is None:
        raise ValueError(f"kind is missing: of what is there to {action}?")
    return _checked_kind(kind)


def _checked_kind(kind: object) -> Kind:
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"kind {kind!r} is not one of {', '.join(KINDS)}")
    return kind


def _to_track(value: object) -> int | None:
    """The number of a track; None where something else is named."""
    if not isinstance(value, dict) or set(value) != {"track"}:
        return None
    return _to_count("track", value["track"], 1)


def _to_count(key: str, value: object, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{key} is not a whole number from {least} on")
    return value


def _to_span(value: object) -> Span:
    if not isinstance(value, list) or len(value) != 2 or all(end is None for end in value):
        raise ValueError("a span is [from, to] in seconds; one of them may be null")
    if any(isinstance(end, bool) or not isinstance(end, int | float | None) for end in value):
        raise ValueError("a span has two numbers: [from, to] in seconds; one of them may be null")
    try:
        first, last = -inf if value[0] is None else float(value[0]), inf if value[1] is None else float(value[1])
    except OverflowError:
        raise ValueError("the numbers of a span are finite") from None
    if not first <= last or (value[0] is not None and isinf(first)) or (value[1] is not None and isinf(last)):
        raise ValueError("a span goes from an earlier time to a later one, both finite")
    return first, last


def _to_file(value: object) -> str:
    """A name as a report lists it: in another form it would mean no picture, silently."""
    if not isinstance(value, str) or not value:
        raise ValueError("file is missing")
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or path.as_posix() != value:
        raise ValueError(f"file {value!r} is not a path below the input folder, as reports list it")
    return value


def _to_text(key: str, value: object) -> str | None:
    if isinstance(value, datetime.date):  # YAML reads 2026-11-28 as one
        return value.isoformat()
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{key} is not a text; put it in quotes")
    return value


def _to_place(value: object) -> Place:
    if not isinstance(value, dict) or set(value) != {"box"}:
        try:
            place = from_plain(value)
        except ValueError as error:
            raise ValueError(f"{error}; or it is a box: [x_min, y_min, x_max, y_max]") from None
        if isinstance(place, RestOutline):
            raise ValueError("a 'rest' is of runs with --hide-all-but; edits keep places there")
        return place
    sides = value["box"]
    if not isinstance(sides, list) or len(sides) != 4:
        raise ValueError("a box is [x_min, y_min, x_max, y_max]")
    if any(isinstance(side, bool) or not isinstance(side, int | float) for side in sides):
        raise ValueError("a box has four numbers: [x_min, y_min, x_max, y_max]")
    try:
        return Box(*map(float, sides))
    except OverflowError:
        raise ValueError("the numbers of a box are finite") from None


def apply_edits(
    found: Sequence[FrameDetections], edits: Sequence[Edit], sizes: Sequence[tuple[int, int]], name: str
) -> Edited:
    """What is to be hidden in a picture after its edits.

    Args:
        found: what is in each frame; not changed.
        edits: those of this picture.
        sizes: height and width of each frame.
        name: of the file of edits.

    Raises:
        PictureError: an edit does not fit the picture, or what it changes is not there.
    """
    frames, done = list(found), []
    kept: list[list[Place]] = [[] for _ in found]
    for edit in edits:
        entry = {"entry": edit.number, **to_entry(edit)}
        del entry["file"]
        try:
            for number in _frames_of(edit, sizes):
                if edit.action == "keep":
                    assert edit.place is not None
                    kept[number].append(edit.place)
                    frames[number] = approve(edit.place, frames[number])
                    continue
                frames[number], changed = _apply(edit, frames[number])
                if changed is not None:
                    entry["found"] = {
                        **place_to_plain(changed.outline or changed.redaction_box),
                        "score": changed.score,
                    }
        except ValueError as error:
            raise PictureError(f"does not fit its edits, {name} entry {edit.number}: {error}") from None
        done.append(entry)
    return Edited(frames, done, kept if any(kept) else ())


def _frames_of(edit: Edit, sizes: Sequence[tuple[int, int]]) -> Sequence[int]:
    """
    Raises:
        ValueError: the edit does not say in which frame, or what it adds would lie outside.
    """
    if edit.place is None or edit.span is not None:
        raise ValueError("tracks, spans and sound are of films only")
    if edit.frame is not None and edit.frame >= len(sizes):
        raise ValueError(f"frame {edit.frame} is beyond the {len(sizes)} frames of the picture")
    if edit.frame is None and edit.action != "add" and len(sizes) > 1:
        raise ValueError(f"the picture has {len(sizes)} frames: say in which 'frame', from 0 on")
    numbers = range(len(sizes)) if edit.frame is None else [edit.frame]
    place = edit.to if edit.to is not None else edit.place
    box = place if isinstance(place, Box) else place.box
    for number in numbers:
        height, width = sizes[number]
        if edit.action != "remove" and not box.touches((height, width)):
            raise ValueError(f"its place lies outside the {width} x {height} pixels of the picture")
    return numbers


def _apply(edit: Edit, frame: FrameDetections) -> tuple[FrameDetections, Detection | None]:
    """The frame after an edit, and the detection that it changed."""
    old = None if edit.action == "add" else meant(edit, frame.detections)
    new = None if edit.action == "remove" else _new(edit, old)
    # Of what is new, the alpha channel may show something.
    in_alpha = None if frame.in_alpha is None else _exchanged(frame.in_alpha, old, new)
    return replace(frame, detections=_exchanged(frame.detections, old, new), in_alpha=in_alpha), old


def approve(place: Place, frame: FrameDetections) -> FrameDetections:
    """The frame without what models found just in a place that is kept, or wholly in there.

    What zones and people hide stays hidden.
    """
    box = place if isinstance(place, Box) else place.box

    def still_counts(one: Detection) -> bool:
        is_approved = is_inside(one.box, corners_of(box)) or one.box.iou(box) >= SAME_FROM
        return one.kind in GIVEN_KINDS or not is_approved

    in_alpha = None if frame.in_alpha is None else [*filter(still_counts, frame.in_alpha)]
    return replace(frame, detections=[*filter(still_counts, frame.detections)], in_alpha=in_alpha)


def _exchanged(detections: Sequence[Detection], old: Detection | None, new: Detection | None) -> list[Detection]:
    kept = [one for one in detections if one is not old]
    return kept if new is None else [*kept, new]


def _new(edit: Edit, old: Detection | None) -> Detection:
    if edit.label is not None and old is not None:
        return replace(old, kind=edit.label)
    place = edit.place if edit.to is None else edit.to
    assert place is not None
    box, outline = (place, None) if isinstance(place, Box) else (place.box, place)
    if old is None:
        return Detection(box, DRAWN_SCORE, edit.kind or DEFAULT_KIND, outline=outline)
    # No outline that a network draws takes the place of a box that a person has settled.
    score = DRAWN_SCORE if TRAITS[old.kind].silhouette_alone else old.score
    return replace(old, box=box, score=score, extent=None, outline=outline, silhouette=None)


def meant(edit: Edit, detections: Sequence[Detection]) -> Detection:
    """The detection whose box an edit names.

    Raises:
        ValueError: there is none, or there are several that it could be.
    """
    assert isinstance(edit.place, Box)
    assert edit.kind is not None
    of_kind = [one for one in detections if one.kind == edit.kind]
    near = [one for one in of_kind if one.box == edit.place] or [
        one for one in of_kind if one.box.iou(edit.place) >= SAME_FROM
    ]
    if not near:
        raise ValueError(f"{TRAITS[edit.kind].one} to {edit.action} is not there")
    if len(near) > 1:
        raise ValueError(f"{len(near)} {TRAITS[edit.kind].plural} are there: name one by its exact box")
    return near[0]
