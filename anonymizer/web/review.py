"""A finished folder under review: its records, what people change about them, and the run that redacts again."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path, PurePosixPath

from anonymizer.errors import AnonymizerError, PictureError, SettingsError
from anonymizer.files.write import write_files
from anonymizer.formats import EXTENSIONS
from anonymizer.geometry import Box
from anonymizer.kinds import Kind
from anonymizer.record.detections import from_json
from anonymizer.record.edits import (
    NAMES,
    SAME_FROM,
    Edit,
    Edits,
    apply_edits,
    find_edits,
    parse_edits,
    read_edits,
    render_edits,
    to_entry,
)
from anonymizer.record.recording import Recording, read_recording
from anonymizer.record.report import Report
from anonymizer.run.plan import make_plan
from anonymizer.run.runner import run
from anonymizer.settings import (
    ChooseSettings,
    RedactSettings,
    ReviewSettings,
    RunSettings,
    Settings,
    settings_from_options,
)
from anonymizer.types import FrameDetections, Recorded
from anonymizer.web.limits import MAX_FILM_DETECTIONS_BYTES
from anonymizer.web.problems import Problem

_MAX_NAMED = 3
"""So many failed pictures are named."""


@dataclass
class Review:
    """One finished folder, its originals, and where what is redacted again goes."""

    folder: Path
    against: Path
    again: Path
    recording: Recording
    settings: Settings
    """Those of the run that made the folder."""
    edits_path: Path
    edits: dict[str, Sequence[Edit]]
    """By the name of the picture."""
    on_disk: bytes | None = None
    """What the file of edits held when it was last read or written here; None if there was none."""
    workers: int | None = None
    reason: str | None = None
    """Of new edits."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def names(self) -> Sequence[str]:
        """Of the pictures, in the order of the report. Requests speak of them by their place in it."""
        return list(self.recording.pictures)

    @property
    def has_films(self) -> bool:
        return not all(_is_picture(name) for name in self.recording.pictures)

    @property
    def thresholds(self) -> dict[Kind, float]:
        """From which scores on objects are hidden in the folder."""
        pairs = [pair for model in self.recording.models for pair in model.thresholds.items()]
        return {kind: min(value for other, value in pairs if other == kind) for kind, _ in pairs}

    def offer(self) -> dict[str, object]:
        """What the page is to know first."""
        return {"thresholds": self.thresholds, "edits": self.edits_path.name, "again": self.again.name}

    def describe(self) -> dict[str, object]:
        """All pictures, with their detections and edits."""
        return {"pictures": [self._describe(number, name) for number, name in enumerate(self.names)]}

    def _describe(self, number: int, name: str) -> dict[str, object]:
        plain: dict[str, object] = {"number": number, "name": name}
        recorded = self.recording.of(name)
        if not isinstance(recorded, Recorded):
            return {**plain, "problem": recorded}
        if recorded.source is None:
            return {**plain, "problem": "has a record without a checksum: run again to review it"}
        try:
            content = recorded.path.read_bytes()
            if len(content) > MAX_FILM_DETECTIONS_BYTES:
                return {**plain, "problem": "has a record that is too long for this page"}
            from_json(content)
        except OSError as error:
            return {**plain, "problem": f"has a record that cannot be read: {error.strerror}"}
        except ValueError as error:
            return {**plain, "problem": f"has a damaged record: {error}"}
        if not _is_picture(name):
            plain["film"] = {"frames": recorded.source.frames}
        sizes = recorded.source.sizes_of_frames if _is_picture(name) else recorded.source.sizes
        return {
            **plain,
            "detections": json.loads(content),
            "sizes": [list(size) for size in sizes],
            "edits": [_without_file(edit) for edit in self.edits.get(name, ())],
        }

    def original(self, number: int) -> bytes:
        """The picture that a record is of.

        Raises:
            Problem: there is none, or it has changed.
        """
        name = self._name(number)
        recorded, path = self.recording.of(name), self.against / name
        if not isinstance(recorded, Recorded) or recorded.source is None:
            raise Problem("not-found", "there is nothing to review")
        if not _is_file_in(self.against, path):
            raise Problem("not-found", "the original cannot be read: there is no such file in the folder of originals")
        try:
            content = path.read_bytes()
        except OSError as error:
            raise Problem("not-found", f"the original cannot be read: {error.strerror}") from None
        if sha256(content).hexdigest() != recorded.source.sha256:
            raise Problem("picture-failed", "the original is another file than its record is of, by their SHA-256")
        return content

    def save(self, number: int, content: bytes) -> None:
        """Takes the edits of a picture in place of those that it had, and writes all to the file.

        Args:
            content: a JSON list of entries as in edits.yaml, without `file`.

        Raises:
            Problem: an entry is wrong, or the file cannot be written, or something else has changed it.
        """
        name = self._name(number)
        with self._lock:
            before = self.edits.get(name, ())
            edits = {**self.edits, name: [self._explained(edit, before) for edit in _parse(content, name)]}
            self._check_fit(name, edits[name])
            rendered = self._render(edits)
            if _read(self.edits_path) != self.on_disk:
                detail = (
                    f"{self.edits_path.name} has changed since this review read it: end the review, and start it anew"
                )
                raise Problem("conflict", detail)
            try:
                write_files(self.edits_path.parent, {Path(self.edits_path.name): rendered})
            except AnonymizerError as error:
                raise Problem("picture-failed", f"the edits cannot be written: {error}") from None
            self.edits, self.on_disk = edits, rendered

    def _check_fit(self, name: str, edits: Sequence[Edit]) -> None:
        """
        Raises:
            Problem: a place lies outside the picture, or what an edit changes is not there.
        """
        recorded = self.recording.of(name)
        if not isinstance(recorded, Recorded) or recorded.source is None:
            raise Problem("not-found", "there is nothing to review")
        sizes = [(height, width) for width, height in recorded.source.sizes_of_frames]
        try:
            if not _is_picture(name):
                _check_film(edits, recorded.path.read_bytes(), sizes)
                return
            found = from_json(recorded.path.read_bytes(), sizes)
            frames = [found.get(number, FrameDetections([])) for number in range(len(sizes))]
            apply_edits(frames, edits, sizes, self.edits_path.name)
        except OSError as error:
            raise Problem("not-found", f"the record cannot be read: {error.strerror}") from None
        except (PictureError, ValueError) as error:
            raise Problem("bad-request", f"edits: the picture {error}") from None

    def _check_on_disk(self) -> None:
        """
        Raises:
            Problem: the file of edits is not what people see in this review.
        """
        if _read(self.edits_path) != self.on_disk:
            detail = f"{self.edits_path.name} has changed since this review read it: end the review, and start it anew"
            raise Problem("conflict", detail)

    def _explained(self, edit: Edit, before: Sequence[Edit]) -> Edit:
        """With what was written about it before."""
        known = next((one for one in before if _is_same(one, edit)), None)
        if known is not None:
            return known
        return replace(edit, reason=edit.reason or self.reason)

    def _render(self, edits: Mapping[str, Sequence[Edit]]) -> bytes:
        """The file of these edits.

        Raises:
            Problem: they would not be the same when they are read again: YAML changes some characters.
        """
        flat = [edit for of_picture in edits.values() for edit in of_picture]
        content = render_edits(flat)
        if self.edits_path.suffix != ".json":
            import yaml

            text: str = yaml.safe_dump(json.loads(content), sort_keys=False, allow_unicode=True, width=120)
            content = text.encode()
        try:
            again = parse_edits(content, self.edits_path.name).of_files.values()
        except ValueError as error:
            raise Problem("bad-request", f"edits: {error}") from None
        if [to_entry(edit) for of_picture in again for edit in of_picture] != [to_entry(edit) for edit in flat]:
            raise Problem("bad-request", "edits: a text in them holds characters that the file cannot")
        return content

    def redact_again(self) -> str:
        """Redacts all originals by the records and the edits; says what came of it.

        Raises:
            Problem: that cannot be done.
        """
        if not self._lock.acquire(blocking=False):
            raise Problem("not-done", "it is being redacted already")
        try:
            self._check_on_disk()
            edits = None if self.on_disk is None else self.edits_path
            what = RunSettings(self.against, self.again, detections=self.folder, edits=edits, workers=self.workers)
            failed: list[str] = []
            plan = make_plan(what, self.settings)
            report = run(plan, lambda result: failed.append(result.file) if result.status == "failed" else None)
        except AnonymizerError as error:
            raise Problem("picture-failed", f"nothing was redacted again: {error}") from None
        finally:
            self._lock.release()
        return _summary(report, failed, self.again)

    def _name(self, number: int) -> str:
        if not 0 <= number < len(self.names):
            raise Problem("not-found", "there is no such picture")
        return self.names[number]


def open_review(folder: Path, review: ReviewSettings) -> Review:
    """
    Args:
        folder: with the outputs of a run.

    Raises:
        SettingsError: it is none, or cannot be reviewed.
    """
    if review.against is None:
        raise SettingsError("missing --against: the folder with the originals")
    if not review.against.is_dir():
        raise SettingsError(f"--against: {review.against} is not a folder")
    recording = read_recording(folder)
    for name in recording.pictures:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise SettingsError(f"the report in {folder} names a picture outside of the input folder: {name}")
    settings = _settings_of(recording, review.overlay)
    path = find_edits(folder, recording.records) or folder / NAMES[0]
    on_disk = _read(path)  # before it is parsed: what changes it afterwards is noticed
    edits = read_edits(path) if path.is_file() else Edits()
    unknown = [name for name in edits.of_files if name not in recording.pictures]
    if unknown:
        raise SettingsError(f"edits {path}: {unknown[0]} is not in the report")
    again = review.image_output or folder.resolve().with_name(f"{folder.resolve().name}-reviewed")
    return Review(
        folder,
        review.against,
        again,
        recording,
        settings,
        path,
        dict(edits.of_files),
        on_disk,
        review.workers,
        review.reason,
    )


def _settings_of(recording: Recording, overlay: Path | None) -> Settings:
    """Those of the run, as far as they matter for what it recorded.

    Whom a gallery had left visible is not in the records, and stays so. What was only looked at is hidden by default.

    Raises:
        SettingsError: the overlay is not that of the run.
    """
    known = Settings().as_dict().keys() - ChooseSettings().as_options().keys()
    options = {key: value for key, value in recording.settings.items() if key in known}
    checksum = options.pop("overlay", None)
    if checksum is not None:
        if overlay is None:
            raise SettingsError("the run had an --overlay, whose checksum alone its report knows: give it here, too")
        content = _read(overlay)
        if content is None or sha256(content).hexdigest() != checksum:
            raise SettingsError(f"--overlay {overlay}: is not the file that the run had, by its SHA-256")
        options["overlay"] = str(overlay)
    elif overlay is not None:
        raise SettingsError("--overlay: the run had none")
    settings = settings_from_options(options)
    if settings.redact.only_detects(recording.kinds):
        return replace(settings, redact=RedactSettings())
    return settings


def _is_file_in(folder: Path, path: Path) -> bool:
    """Whether it is a file, and no pipe or device, which may keep readers waiting; links do not lead out."""
    try:
        return path.is_file() and folder.resolve() in path.resolve().parents
    except (OSError, RuntimeError, ValueError):  # a link to itself, or a name that no file can have
        return False


def _read(path: Path) -> bytes | None:
    """What a file holds; None if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        return None


def _is_picture(name: str) -> bool:
    return PurePosixPath(name).suffix.lower().removeprefix(".") in EXTENSIONS


def _check_film(edits: Sequence[Edit], record: bytes, sizes: Sequence[tuple[int, int]]) -> None:
    """
    Args:
        sizes: height and width of each frame.

    Raises:
        ValueError: a place lies outside the film, or a track is not in its record.
    """
    tracks = {detection.track for frame in from_json(record).values() for detection in frame.detections}
    for edit in edits:
        if edit.track is not None and edit.track not in tracks:
            raise ValueError(f"does not fit its edits: there is no track {edit.track}")
        if edit.frame is not None and edit.frame >= len(sizes):
            raise ValueError(f"does not fit its edits: frame {edit.frame} is beyond its {len(sizes)} frames")
        if edit.action == "add" and edit.place is not None:
            box = edit.place if isinstance(edit.place, Box) else edit.place.box
            if not box.touches(sizes[0]):
                raise ValueError(
                    f"does not fit its edits: a place lies outside its {sizes[0][1]} x {sizes[0][0]} pixels"
                )


def _without_file(edit: Edit) -> Mapping[str, object]:
    return {key: value for key, value in to_entry(edit).items() if key != "file"}


def _parse(content: bytes, name: str) -> Sequence[Edit]:
    """
    Raises:
        Problem: an entry is wrong.
    """
    try:
        entries = json.loads(content)
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise ValueError("not a list of entries")
        document = json.dumps({"edits": [{**entry, "file": name} for entry in entries]})
        return parse_edits(document.encode(), "posted.json").of(name)
    except (ValueError, RecursionError) as error:
        raise Problem("bad-request", f"edits: {error}") from None


def _is_same(one: Edit, other: Edit) -> bool:
    """Whether they mean the same, whatever is written about them."""
    for key in ("action", "kind", "frame", "to", "track", "span", "label"):
        if getattr(one, key) != getattr(other, key):
            return False
    if one.action != "add" and isinstance(one.place, Box) and isinstance(other.place, Box):
        return one.place.iou(other.place) >= SAME_FROM
    return one.place == other.place


def _summary(report: Report, failed: Sequence[str], folder: Path) -> str:
    done = report.totals.statuses["anonymized"]
    text = f"{done} pictures are in {folder}, {done - report.totals.unchanged} of them redacted again."
    if not failed:
        return text
    others = f" and {len(failed) - _MAX_NAMED} more" if len(failed) > _MAX_NAMED else ""
    return f"{text} Failed: {', '.join(failed[:_MAX_NAMED])}{others}; the report in the folder says why."
