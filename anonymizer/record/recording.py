"""What a run wrote down, to redact again from it: its report, and the detection JSON of each picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anonymizer.errors import SettingsError
from anonymizer.kinds import DEFAULT_KINDS, KINDS, Kind
from anonymizer.record.report import RECORD_FORMAT, UsedModel
from anonymizer.record.shards import find_reports, merge_reports, read_report
from anonymizer.settings import ChooseSettings
from anonymizer.types import Recorded, Source


@dataclass(frozen=True)
class Recording:
    """What the reports in a folder say of the run that recorded it."""

    version: str
    """Of the program that found the detections."""
    has_checksums: bool
    """Whether it noted those of the sources."""
    settings: Mapping[str, object]
    """Options, as in a configuration file."""
    models: Sequence[UsedModel]
    finder: str | None
    """The name of what took the place of the models."""
    kinds: tuple[Kind, ...]
    """What it looked for."""
    pictures: Mapping[str, Recorded | str]
    """By name; as text why there is no record. Films are among them."""
    chosen_by: tuple[str, ...] = ()
    """The options by which something that was found stayed visible: the records do not hold it."""
    films: Mapping[str, float] = field(default_factory=dict)
    """Frames a second of each film, on average, by name."""

    @property
    def records(self) -> set[Path]:
        """The detection JSON of all pictures."""
        return {recorded.path for recorded in self.pictures.values() if isinstance(recorded, Recorded)}

    def of(self, name: str) -> Recorded | str:
        """The record of a picture, or why there is none."""
        return self.pictures.get(name, "has no record: the run that recorded the others did not come upon it")


def read_recording(folder: Path) -> Recording:
    """
    Raises:
        SettingsError: the folder holds no report, or one that is damaged or of a version that this one does not know.
    """
    if not folder.is_dir():
        raise SettingsError(f"--detections: {folder} is not a folder")
    try:
        reports = find_reports(folder)
    except OSError as error:
        raise SettingsError(f"--detections: {folder}: {error.strerror}") from None
    if not reports:
        raise SettingsError(f"--detections: {folder} holds no report of a run, without which no record can be trusted")
    report = merge_reports([read_report(path) for path in reports])
    try:
        return _to_recording(report.head, report.files, folder)
    except _LaterVersionError as error:
        raise SettingsError(f"report {reports[0]} {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError, OSError):  # OSError: a record whose name is too long
        raise SettingsError(f"report {reports[0]} is damaged") from None


class _LaterVersionError(ValueError):
    """The records are of a version that this one does not know."""


def _to_recording(head: Mapping[str, Any], files: Sequence[Mapping[str, Any]], folder: Path) -> Recording:
    version, record_format = str(head["program"]["version"]), head.get("record_format", 0)
    if record_format > RECORD_FORMAT:
        raise _LaterVersionError(f"was written by version {version}, whose records this version cannot read")
    models = [UsedModel(m["name"], m["sha256"], tuple(m["kinds"]), dict(m["thresholds"])) for m in head["models"]]
    looked_for = head.get("kinds") or [kind for model in models for kind in model.kinds] or DEFAULT_KINDS
    return Recording(
        version=head.get("recorded_by", version),
        has_checksums=record_format > 0,
        settings=dict(head["settings"]),
        models=models,
        finder=head.get("finder"),
        kinds=tuple(kind for kind in KINDS if kind in looked_for),
        pictures={entry["file"]: _to_recorded(entry, folder) for entry in files},
        chosen_by=tuple(
            option
            for option in ChooseSettings().as_options()
            if option in head.get("chosen_by", ()) or head["settings"].get(option) is not None
        ),
        films={entry["file"]: _rate_of(entry["film"]) for entry in files if entry.get("film") is not None},
    )


def _rate_of(film: Mapping[str, Any]) -> float:
    frames, seconds = float(film["frames"]), float(film["seconds"])
    return round(frames / seconds, 3) if seconds > 0 else 25.0


def _to_recorded(entry: Mapping[str, Any], folder: Path) -> Recorded | str:
    name, status = Path(entry["file"]), entry["status"]
    if status in ("failed", "skipped"):
        return f"has no record: {status} in the run that recorded the others: {entry.get('reason')}"
    record = entry.get("record")
    if record is None and "source_sha256" in entry:
        return "has no record: the run that recorded the others wrote no detections for it"
    # Earlier versions did not say where it lies.
    names = [Path(record)] if record is not None else [name.with_suffix(".json"), Path(f"{name}.json")]
    if any(each.is_absolute() or ".." in each.parts for each in names):
        raise ValueError("a record lies outside the folder")
    path = next((folder / each for each in names if (folder / each).is_file()), None)
    if path is None:
        return f"has no record: {names[0].name} is missing"
    edits = tuple({**edit, "earlier": True} for edit in entry.get("edits", ()))
    return Recorded(path, _to_source(entry), int(entry.get("not_counted", 0)), edits)


def _to_source(entry: Mapping[str, Any]) -> Source | None:
    if "source_sha256" not in entry:
        return None
    sizes = entry.get("sizes", [[entry["width"], entry["height"]]])
    pairs = tuple((int(width), int(height)) for width, height in sizes)
    return Source(str(entry["source_sha256"]), int(entry.get("frames", 1)), pairs)
