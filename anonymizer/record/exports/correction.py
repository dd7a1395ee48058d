"""What an annotation tool changed: the objects of a file, compared with the record of the run.

Most formats cannot say everything that a record holds. So each object is compared with what the format says of the
recorded detections: where it is the same, the recorded one stays, with its score, its extent and the exact box.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import floor, isfinite

from anonymizer.errors import PictureError
from anonymizer.geometry import Box
from anonymizer.kinds import KINDS, TRAITS, Kind
from anonymizer.outlines import FARTHEST_PX, Outline, numbers_of
from anonymizer.record.exports.films import ExportedFilm, FilmFormat, ReadFilm, as_read
from anonymizer.record.exports.values import Corners, ExportedPicture, ExportFormat, ReadBox, ReadPicture, Size
from anonymizer.types import DRAWN_SCORE, Detection

_SAME_SCORE = 1e-6
_ROUNDING_PX = 0.01
"""Programs may compute the box around an outline with other roundings."""


@dataclass(frozen=True)
class Correction:
    """What became of the detections of a picture."""

    kept: Sequence[int]
    """Places of the recorded detections that are unchanged, in their order."""
    removed: Sequence[Detection]
    added: Sequence[Detection]
    """A detection whose box was changed is removed, and added."""


def check_exportable(export_format: ExportFormat, picture: ExportedPicture, folder: str) -> None:
    """
    Raises:
        PictureError: the format cannot say the name of this picture, such as one with control characters in XML.
    """
    _as_read(export_format, picture, folder)


def _as_read(export_format: ExportFormat, picture: ExportedPicture, folder: str) -> Sequence[ReadBox]:
    """What the format says of the detections of a picture, in their order."""
    try:
        read = export_format.read(export_format.write([picture], folder), {picture.name: picture.size})
        is_same = [(each.name, each.problem, len(each.boxes)) for each in read] == [
            (picture.name, None, len(picture.detections))
        ]
    except ValueError:  # also characters that cannot be encoded
        is_same = False
    if not is_same:
        raise PictureError("has a name that this format cannot hold")
    return read[0].boxes


def compare(
    export_format: ExportFormat, recorded: ExportedPicture, read: ReadPicture, kinds: Mapping[str, Kind]
) -> Correction:
    """What a file says of a picture, in terms of its record.

    Args:
        kinds: what the file's names of kinds mean, where they are not our own.

    Raises:
        PictureError: the file holds something of this picture that cannot be a detection, or is of another picture.
    """
    if read.problem is not None:
        raise PictureError(read.problem)
    _check_size(read.size, recorded.size)
    said = _as_read(export_format, recorded, "")
    kept, new = _sorted_out(said, read.boxes, kinds, export_format.precision_px)
    left = set(range(len(recorded.detections))).difference(kept)
    removed = [recorded.detections[place] for place in sorted(left)]
    return Correction(sorted(kept), removed, [_to_detection(box, kind, recorded) for box, kind in new])


def _sorted_out(
    said: Sequence[ReadBox], boxes: Sequence[ReadBox], kinds: Mapping[str, Kind], precision_px: float
) -> tuple[list[int], list[tuple[ReadBox, Kind]]]:
    """The places of recorded detections that a file holds as they are, and what is new in it.

    Args:
        said: what the format says of the recorded detections, in their order.
        boxes: what the file says.
    """
    search = _Search(said, precision_px)
    kept, new = [], []
    for box in boxes:
        kind = _kind_of(box, kinds)
        place = search.take(box, kind)
        if place is None:
            new.append((box, kind))
        else:
            kept.append(place)
    return kept, new


@dataclass(frozen=True)
class FilmCorrection:
    """What became of what was hidden in a film."""

    frames: Sequence[Sequence[Detection]]
    """What is hidden now, frame by frame."""
    added: Mapping[Kind, int]
    """How many boxes of all frames are new."""
    removed: Mapping[Kind, int]

    @property
    def has_changed(self) -> bool:
        return bool(self.added or self.removed)


def compare_film(
    film_format: FilmFormat, recorded: ExportedFilm, read: ReadFilm, kinds: Mapping[str, Kind]
) -> FilmCorrection:
    """What a file says of a film, in terms of its record; see `compare`. What is new has the number of a track.

    Raises:
        PictureError: the file holds something of this film that cannot be hidden, or is of another film.
    """
    if read.problem is not None:
        raise PictureError(read.problem)
    _check_size(read.size, recorded.size)
    try:
        said = as_read(film_format, recorded)
    except ValueError as error:
        raise PictureError(str(error)) from None
    known = max((one.track for frame in recorded.frames for one in frame if one.track is not None), default=0)
    named = max((box.track for frame in read.frames.values() for box in frame if box.track is not None), default=0)
    numbers: dict[int | None, int] = {}  # of objects that have none in the file
    picture = ExportedPicture(recorded.name, recorded.size, [])
    frames: list[Sequence[Detection]] = []
    added, removed = Counter[Kind](), Counter[Kind]()
    for index, detections in enumerate(recorded.frames):
        kept, new = _sorted_out(said[index], read.frames.get(index, ()), kinds, film_format.precision_px)
        drawn = [_to_detection(box, kind, picture) for box, kind in new]
        for place, (box, _) in enumerate(new):
            if box.track is None:
                number = numbers.setdefault(box.group, max(known, named) + len(numbers) + 1)
                drawn[place] = replace(drawn[place], track=number)
        frames.append([*(detections[place] for place in sorted(kept)), *drawn])
        added.update(one.kind for one in drawn)
        removed.update(detections[place].kind for place in set(range(len(detections))).difference(kept))
    check_kinds(frames)
    return FilmCorrection(frames, added, removed)


def check_kinds(frames: Sequence[Sequence[Detection]]) -> None:
    """
    Raises:
        PictureError: a track changes its kind on the way.
    """
    kinds: dict[int, Kind] = {}
    for index, detections in enumerate(frames):
        for one in detections:
            if one.track is not None and kinds.setdefault(one.track, one.kind) != one.kind:
                before = kinds[one.track]
                raise PictureError(f"track {one.track} is of the kind {before!r}, and {one.kind!r} in frame {index}")


def _check_size(said: tuple[float, float] | None, known: Size) -> None:
    if said is not None and said != known:
        texts = [f"{width:g} x {height:g}" for width, height in (said, known)]
        raise PictureError(f"has {texts[0]} pixels in the file, and {texts[1]} in the record")


class _Search:
    """Finds recorded detections, each once, by the cell of a grid in which their upper left corner lies."""

    def __init__(self, boxes: Sequence[ReadBox], precision_px: float) -> None:
        self._precision_px = precision_px
        self._cell_px = max(precision_px, 1e-6)
        self._boxes = boxes
        self._places: dict[tuple[int, int], list[int]] = {}
        self._taken: set[int] = set()
        for place, box in enumerate(boxes):
            around = () if box.silhouette is None else (box.silhouette.box.xyxy,)
            for corners in (box.corners, *around):
                self._places.setdefault(self._cell(corners), []).append(place)

    def _cell(self, corners: Corners) -> tuple[int, int]:
        return floor(corners[0] / self._cell_px), floor(corners[1] / self._cell_px)

    def take(self, box: ReadBox, kind: Kind) -> int | None:
        """The place of the first one that is the same and was not taken yet."""
        if not all(map(_is_near, box.corners)):
            return None
        x, y = self._cell(box.corners)
        for near in product((x - 1, x, x + 1), (y - 1, y, y + 1)):
            for place in self._places.get(near, ()):
                if place not in self._taken and self._is_same(box, kind, self._boxes[place]):
                    self._taken.add(place)
                    return place
        return None

    def _is_same(self, box: ReadBox, kind: Kind, recorded: ReadBox) -> bool:
        return (
            kind == recorded.kind
            and (self._has_same_place(box, recorded) or self._is_silhouette(box, recorded))
            and (box.score is None or recorded.score is None or abs(box.score - recorded.score) <= _SAME_SCORE)
            and (box.track is None or box.track == recorded.track)
        )

    def _has_same_place(self, box: ReadBox, recorded: ReadBox) -> bool:
        """Programs that do not know silhouettes, or extents that go with them, leave them out."""
        has_lost_silhouette = box.silhouette is None and recorded.silhouette is not None
        return (
            self._are_close(box.corners, recorded.corners)
            and ((has_lost_silhouette and box.extent is None) or self._are_close(box.extent, recorded.extent))
            and self._are_alike(box.outline, recorded.outline)
            and (has_lost_silhouette or self._are_alike(box.silhouette, recorded.silhouette))
        )

    def _is_silhouette(self, box: ReadBox, recorded: ReadBox) -> bool:
        """Whether it is what a program makes of a silhouette that takes it for the whole object, with its own box."""
        return recorded.silhouette is not None and self._are_alike(box.outline, recorded.silhouette)

    def _are_alike(self, one: Outline | None, other: Outline | None) -> bool:
        if type(one) is not type(other):
            return False
        return one is None or other is None or self._are_close(numbers_of(one), numbers_of(other))

    def _are_close(self, one: Sequence[float] | None, other: Sequence[float] | None) -> bool:
        if one is None or other is None:
            return one is other
        return len(one) == len(other) and all(abs(a - b) <= self._precision_px for a, b in zip(one, other, strict=True))


def _kind_of(box: ReadBox, kinds: Mapping[str, Kind]) -> Kind:
    kind = kinds.get(box.kind, box.kind)
    if kind not in KINDS:
        option = f"--map {shlex.quote(f'{box.kind}={KINDS[0]}')}"
        raise PictureError(f"{box.entry}: {box.kind!r} is not one of {', '.join(KINDS)}; {option} says what it is")
    return kind


def _is_near(coordinate: float) -> bool:
    """Whether it is a number that may be of a picture."""
    return isfinite(coordinate) and abs(coordinate) < FARTHEST_PX


def _to_detection(box: ReadBox, kind: Kind, picture: ExportedPicture) -> Detection:
    width, height = picture.size
    if not all(map(_is_near, (*box.corners, *(box.extent or ())))):
        raise PictureError(f"{box.entry}: a side of the box is not a number, or beyond all pictures")
    try:
        place = Box(*box.corners)
        extent = None if box.extent is None else Box(*box.extent)
    except ValueError:
        raise PictureError(f"{box.entry}: the box has a negative size") from None
    if not place.area:
        raise PictureError(f"{box.entry}: the box has no area")
    if place.x_max <= 0 or place.y_max <= 0 or place.x_min >= width or place.y_min >= height:
        raise PictureError(f"{box.entry}: the box lies outside the {width} x {height} pixels of the picture")
    score = DRAWN_SCORE if box.score is None else box.score
    if not 0 <= score <= 1:
        raise PictureError(f"{box.entry}: the score {score:g} is not between 0 and 1")
    if box.outline is not None:
        if any(abs(a - b) > _ROUNDING_PX for a, b in zip(box.corners, box.outline.box.xyxy, strict=True)):
            raise PictureError(f"{box.entry}: the outline has another box")
        return replace(Detection.of(box.outline, kind, score), track=box.track)
    if TRAITS[kind].silhouette_alone:
        score = DRAWN_SCORE  # no outline that a network draws takes the place of a box that a person has settled
    return Detection(place, score, kind, extent, track=box.track, silhouette=box.silhouette)
