"""The way of one picture: read -> find -> redact -> write -> record."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from anonymizer.addresses import Address, Place
from anonymizer.detect.frames import spread_to_neighbours
from anonymizer.detect.silhouettes import Silhouettes
from anonymizer.detect.zones import add_given
from anonymizer.errors import PictureError, VanishedError, picture_boundary
from anonymizer.files.encode import encode_picture
from anonymizer.files.library_messages import messages_of
from anonymizer.files.mask_png import encode_masks
from anonymizer.files.picture import Encoded, Frame, Picture
from anonymizer.files.read import read_picture
from anonymizer.files.write import remove_files, write_files
from anonymizer.kinds import KINDS, MODEL_KINDS, TRAITS, Kind
from anonymizer.record.detections import to_json
from anonymizer.record.edits import NO_EDITS, Edited, Edits, apply_edits
from anonymizer.redact.frame import mask_frame, redact_frame
from anonymizer.redact.warnings import redaction_warnings
from anonymizer.settings import RedactSettings, Settings, WriteSettings
from anonymizer.types import FrameDetections, Job, Recorded, Result

RedactedFrame: TypeAlias = tuple[Frame, npt.NDArray[np.bool_]]
"""A frame, and where it differs from the source, (H, W)."""


class Finder(Protocol):
    """Says what is in a picture: models do, and so can a record of an earlier run, a person or another machine."""

    @property
    def kinds(self) -> frozenset[Kind]:
        """What it looks for."""

    def find(self, picture: Picture, job: Job | None) -> Sequence[FrameDetections]:
        """What is in each frame. An empty list means that nothing is there; a finder that cannot know raises.

        Args:
            job: the picture's place in the folder; None for a picture from memory.

        Raises:
            PictureError: nothing can be said about this picture.
        """


class Choice(Protocol):
    """Says what of that stays visible."""

    def choose(self, picture: Picture, found: Sequence[FrameDetections]) -> Edited:
        """What remains to be hidden, and what the report says of the rest."""


@dataclass(frozen=True)
class PictureProcess:
    """Makes the outputs of one picture: all of them, or none."""

    input_root: Place
    output_root: Place
    finder: Finder
    settings: Settings
    edits: Edits = NO_EDITS
    """What people change about what the finder says."""
    mask_root: Path | None = None
    """Folder for the masks of jobs that have one."""
    choices: Sequence[Choice] = ()
    """What stays visible of what the finder says, one after the other, before people change it."""
    silhouettes: Silhouettes | None = None
    """Draws those that are hidden; None: none are."""

    def __call__(self, job: Job) -> Result:
        """Whatever goes wrong with the picture becomes a failed `Result`.

        No output of this or an earlier run stays under its names then, unless the picture is gone: then those of an
        earlier run stay.

        Raises:
            OutputError: no further picture can be written either; nothing has changed in the output.
        """
        return guarded(
            job, self.input_root, self.output_root, self.mask_root, lambda seconds: self._process(job, seconds)
        )

    def _process(self, job: Job, seconds: dict[str, float]) -> Result:
        settings = self.settings
        with timed(seconds, "read"):
            picture = read_picture(self.input_root / job.source, settings.read, job.ahead)
        with timed(seconds, "detect"):
            edited = self._edit(picture, find_in(picture, self.finder, job), job)
            found = add_given(picture, edited.frames, settings.detect, job.name, edited.kept)
            if self.silhouettes is not None:
                found = self.silhouettes.add(picture, found)
        result = Result(
            job.name,
            "anonymized",
            counts=_counts(found, self._kinds),
            not_counted=sum(frame.not_counted for frame in found),
            source=picture.source,
            record=job.detections_path.as_posix() if self._has_record else None,
            mask=name_of_mask(job, self.output_root, self.mask_root),
            edits=(*(job.recorded.edits if isinstance(job.recorded, Recorded) else ()), *edited.done),
        )
        if settings.redact.only_detects(self._kinds):
            with timed(seconds, "write"):
                self._write(job, found, None, self._masks(job, picture, found))
            return replace(result, status="detected")
        with timed(seconds, "redact"):
            redacted = redact_picture(picture, found, settings.redact, in_place=True)
        with timed(seconds, "write"):
            encoded = encode_redacted(picture, redacted, settings.write)
            self._write(job, found, encoded, self._masks(job, picture, found))
        return replace(
            result,
            warnings=warnings_of(picture, found, settings.redact),
            fidelity=encoded.fidelity,
            left_out=encoded.left_out,
        )

    def _edit(self, picture: Picture, found: Sequence[FrameDetections], job: Job) -> Edited:
        """
        Raises:
            PictureError: an edit does not fit the picture.
        """
        chosen = choose_all(picture, found, self.choices)
        sizes = [(frame.pixels.shape[0], frame.pixels.shape[1]) for frame in picture.frames]
        edited = apply_edits(chosen.frames, self.edits.of(job.name), sizes, self.edits.name)
        kept = [[*one, *other] for one, other in zip_longest(chosen.kept, edited.kept, fillvalue=())]
        return replace(edited, done=[*chosen.done, *edited.done], kept=kept)

    @property
    def _kinds(self) -> frozenset[Kind]:
        """What is looked for, and what people and zones add to it."""
        return self.finder.kinds | self.edits.kinds | self.settings.detect.given_kinds

    def _masks(self, job: Job, picture: Picture, found: Sequence[FrameDetections]) -> dict[Path, bytes]:
        """The file of the picture's masks, if there is to be one."""
        if job.mask_path is None:
            return {}
        settings = self.settings.redact
        shown = settings.in_any_case() if settings.only_detects(self._kinds) else settings
        return {job.mask_path: encode_masks(mask_picture(picture, found, shown))}

    def _write(
        self, job: Job, found: Sequence[FrameDetections], encoded: Encoded | None, masks: Mapping[Path, bytes]
    ) -> None:
        """The picture comes last: where it is, its detections and its mask are."""
        record = {job.detections_path: to_json(found)} if self._has_record else {}
        target = {} if encoded is None else {job.target: encoded.content}
        write_files(self.output_root, {**masks, **record, **target}, self.mask_root)
        unwanted = [] if self._has_record else [job.detections_path]
        remove_files(self.output_root, job.stale(*job.old_detections, *job.old_masks, *unwanted), self.mask_root)

    @property
    def _has_record(self) -> bool:
        """Whether detections are written; always where they are all that is."""
        return self.settings.record.write_detections or self.settings.redact.only_detects(self._kinds)


def choose_all(picture: Picture, found: Sequence[FrameDetections], choices: Sequence[Choice]) -> Edited:
    """What remains to be hidden after several choices; each is about other kinds."""
    chosen = Edited(found)
    for choice in choices:
        after = choice.choose(picture, chosen.frames)
        chosen = Edited(after.frames, [*chosen.done, *after.done], after.kept or chosen.kept)
    return chosen


def guarded(
    job: Job,
    input_root: Place,
    output_root: Place,
    mask_root: Path | None,
    process: Callable[[dict[str, float]], Result],
) -> Result:
    """What becomes of one picture or film: whatever goes wrong with it becomes a failed `Result`.

    No output of this or an earlier run stays under its names then, unless the picture is gone: then those of an
    earlier run stay.

    Args:
        process: makes the outputs; it takes down in its argument how many seconds each stage took.

    Raises:
        OutputError: no further picture can be written either; nothing has changed in the output.
    """
    began_s = time.perf_counter()
    seconds: dict[str, float] = {}
    try:
        with (
            messages_of(job.name),
            picture_boundary(job.name, {"input folder": input_root, "output folder": output_root}),
        ):
            return replace(process(seconds), seconds=seconds, began_s=began_s)
    except PictureError as error:
        return replace(to_failed(job, error, output_root, mask_root), seconds=seconds, began_s=began_s)


def to_failed(job: Job, error: PictureError, output_root: Place, mask_root: Path | None) -> Result:
    """The result of what went wrong; see `guarded`.

    Raises:
        OutputError: an output of an earlier run cannot be removed.
    """
    if not isinstance(error, VanishedError):
        remove_files(output_root, job.stale(*job.outputs), mask_root)
    return Result(job.name, "failed", str(error))


def name_of_mask(job: Job, output_root: Place, mask_root: Path | None) -> str | None:
    """Where the mask of a picture or film lies in the folder of masks; None if it has none."""
    if job.mask_path is None or mask_root is None or isinstance(output_root, Address):
        return None
    return (output_root / job.mask_path).resolve().relative_to(mask_root.resolve()).as_posix()


def find_in(picture: Picture, finder: Finder, job: Job | None = None) -> Sequence[FrameDetections]:
    """What a finder says is in a picture.

    Raises:
        PictureError: nothing can be said about it, or the answer is not one that could be redacted.
    """
    found = finder.find(picture, job)
    if len(found) != len(picture.frames):
        raise PictureError(f"has {len(picture.frames)} frames, and detections for {len(found)}")
    for frame, of_frame in zip(picture.frames, found, strict=True):
        height, width = frame.pixels.shape[:2]
        for detection in of_frame.detections:
            box = detection.redaction_box
            if detection.kind not in finder.kinds:
                raise PictureError(f"has a detection of the kind {detection.kind!r}, which was not looked for")
            if not box.touches((height, width)):
                raise PictureError(f"has a detection outside its {width} x {height} pixels: {box}")
        if not set(of_frame.in_alpha or ()).issubset(of_frame.detections):
            raise PictureError("has a detection in its alpha channel that is not among its detections")
    return found


def redact_picture(
    picture: Picture, found: Sequence[FrameDetections], settings: RedactSettings, in_place: bool = False
) -> list[RedactedFrame]:
    """The frames without what was found in them; in animations, each also without what its neighbours show.

    Args:
        in_place: the result may take the place of the picture's pixels, which saves time.
    """
    hidden = spread_to_neighbours(found, picture.is_animation)
    pairs = zip(picture.frames, hidden, strict=True)
    return [redact_frame(frame, of_frame, settings, in_place) for frame, of_frame in pairs]


def mask_picture(
    picture: Picture, found: Sequence[FrameDetections], settings: RedactSettings
) -> list[npt.NDArray[np.uint8]]:
    """How far each pixel of each frame is hidden, see `mask_frame`; in animations also for what the neighbours show."""
    pairs = zip(picture.frames, spread_to_neighbours(found, picture.is_animation), strict=True)
    return [mask_frame(frame, of_frame, settings) for frame, of_frame in pairs]


def encode_redacted(picture: Picture, redacted: Sequence[RedactedFrame], settings: WriteSettings) -> Encoded:
    """The file of a redacted picture.

    Raises:
        PictureError: it cannot be encoded, or not as --lossless-only asks.
    """
    frames, changed = zip(*redacted, strict=True)
    encoded = encode_picture(picture, frames, changed, settings.metadata)
    if settings.lossless_only and encoded.fidelity != "lossless":
        raise PictureError("cannot be kept bit for bit outside the blurred areas, as --lossless-only asks")
    return encoded


def warnings_of(picture: Picture, found: Sequence[FrameDetections], settings: RedactSettings) -> tuple[str, ...]:
    """What a user should know of the file and of what stays visible in it."""
    detections = [detection for frame in found for detection in frame.detections]
    not_counted = sum(frame.not_counted for frame in found)
    return (*picture.remarks, *not_counted_warning(not_counted), *redaction_warnings(detections, settings))


def not_counted_warning(number: int) -> list[str]:
    """What a user should know of detections where zones say that nothing counts."""
    plurals = " or ".join(TRAITS[kind].plural for kind in MODEL_KINDS)
    text = f"{plurals} stay visible, since they lie where zones say that nothing counts"
    return [f"{number} {text}"] if number else []


def _counts(found: Sequence[FrameDetections], kinds: frozenset[Kind]) -> dict[Kind, int]:
    """Detections of each kind that was looked for, over all frames."""
    found_kinds = [detection.kind for frame in found for detection in frame.detections]
    return {kind: found_kinds.count(kind) for kind in sorted(kinds, key=KINDS.index)}


@contextmanager
def timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    """Notes how long a stage took, also of one that failed."""
    start = time.perf_counter()
    try:
        yield
    finally:
        seconds[stage] = time.perf_counter() - start
