"""The report of a run: what was done, what was not, with which settings and models."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anonymizer._version import __version__
from anonymizer.addresses import Place
from anonymizer.errors import OutputError, PictureError
from anonymizer.files.find import has_extension
from anonymizer.files.storage import read_beginning
from anonymizer.files.write import write_files
from anonymizer.formats import FILM_EXTENSIONS
from anonymizer.kinds import PEOPLE_KINDS
from anonymizer.native import is_available
from anonymizer.settings import Settings
from anonymizer.types import STATUSES, Kind, Result, Source, Status

FILES_BEGIN, FILES_END = b'  "files": [\n', b"  ]\n}\n"
"""Lines between which each file that a report lists has one of its own."""
REPORT_NAME = "anonymize-report.json"
RECORD_FORMAT = 1
"""Of the detection JSON and of what a replay needs beside it. Versions before it noted no checksums of the sources."""
_PROGRAM = {"name": "anonymize", "version": __version__}


@dataclass(frozen=True)
class UsedModel:
    """A model that took part."""

    name: str
    sha256: str
    kinds: tuple[Kind, ...]
    thresholds: Mapping[Kind, float]


@dataclass
class Totals:
    """Over all pictures of a run."""

    statuses: Counter[Status] = field(default_factory=Counter)
    detections: Counter[Kind] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    """Per stage, added up over all workers."""
    unchanged: int = 0
    """Pictures that an earlier run had done."""
    people: int = 0
    """Estimated, in pictures where heads were looked for."""
    pictures_of_people: int = 0
    """Pictures where heads were looked for."""
    films: int = 0
    """Those whose names end like those of films."""

    def add(self, result: Result) -> None:
        self.statuses[result.status] += 1
        self.detections.update(result.counts)
        self.unchanged += result.unchanged
        self.films += has_extension(Path(result.file), FILM_EXTENSIONS)
        people = people_in(result)
        if people is not None:
            self.people += people
            self.pictures_of_people += 1
        if not result.unchanged:
            self.seconds.update(result.seconds)

    @property
    def pictures(self) -> int:
        """Films too."""
        return self.statuses.total()

    @property
    def fresh(self) -> int:
        """Pictures that this run worked on."""
        return self.pictures - self.statuses["skipped"] - self.statuses["kept"] - self.unchanged


@dataclass
class Report:
    """Grows while a run goes on; owns its exit code."""

    settings: Settings
    models: Sequence[UsedModel]
    kinds: tuple[Kind, ...]
    """The kinds that are looked for."""
    finder: str | None = None
    """The name of what took the place of the models; None for the models."""
    recorded_by: str | None = None
    """Version of the program that recorded the detections, where they were not found anew."""
    chosen_by: Sequence[str] = ()
    """The options by which some of what was found stayed visible then, and so is not in the records."""
    checksums: Mapping[str, str] = field(default_factory=dict)
    """Of the files and folders that the settings name, see `Settings.as_dict`."""
    results: Iterable[Result] = ()
    """In the order of the listing. After a run they are read from its manifest each time: take them before the next run
    begins or the manifest is deleted."""
    totals: Totals = field(default_factory=Totals)
    """Of the results."""
    not_looked_at: Counter[str] = field(default_factory=Counter)
    """Files with other extensions than those of pictures, counted by extension."""
    orphaned: Sequence[str] = ()
    """Pictures that are gone from the input; their outputs of earlier runs are still there."""
    shard: str | None = None
    """Which share of the folder this is, such as 2/8."""
    workers: int = 0
    """Processes that did the work; 0 where it was this one."""
    elapsed_s: float = 0.0
    """Wall-clock seconds of the run."""
    complete: bool = False
    """Whether the run reached its end."""

    @property
    def exit_code(self) -> int:
        """0, or 1 if pictures failed."""
        return 1 if self.totals.statuses["failed"] else 0

    def detections(self) -> dict[Kind, int]:
        """Detections per kind, over all pictures."""
        return {kind: self.totals.detections[kind] for kind in self.kinds}

    def to_json(self) -> Iterator[bytes]:
        """In pieces, as it may be large. Holds no absolute path, no date and nothing about the machine or its user."""
        totals = self.totals
        head: dict[str, Any] = {
            "program": _PROGRAM,
            "record_format": RECORD_FORMAT,
            "complete": self.complete,
            "shard": self.shard,
            "settings": self.settings.as_dict(self.checksums),
            "settings_digest": self.settings.digest(self.checksums),
            "models": [
                {"name": m.name, "sha256": m.sha256, "kinds": list(m.kinds), "thresholds": dict(m.thresholds)}
                for m in self.models
            ],
            "kinds": list(self.kinds),
            **({} if self.finder is None else {"finder": self.finder}),
            **({} if self.recorded_by is None else {"recorded_by": self.recorded_by}),
            **({"chosen_by": list(self.chosen_by)} if self.chosen_by else {}),
            "native_code": is_available(),
            "totals": {
                "pictures": totals.pictures,
                **{status: totals.statuses[status] for status in STATUSES},
                "unchanged": totals.unchanged,
                "detections": self.detections(),
                **({"people": totals.people} if totals.pictures_of_people else {}),
                "seconds": _rounded(totals.seconds),
                "elapsed_seconds": round(self.elapsed_s, 3),
                "workers": self.workers,
                "files_not_looked_at": dict(sorted(self.not_looked_at.items())),
                "outputs_without_input": list(self.orphaned),
            },
        }
        return render(head, (_entry(result) for result in self.results))


def people_in(result: Result) -> int | None:
    """How many people a picture shows, estimated: as many as heads, on average over its frames.

    None for films, and where heads were not looked for.
    """
    counted = [result.counts[kind] for kind in PEOPLE_KINDS if kind in result.counts]
    if not counted or result.film is not None or result.source is None:
        return None
    return round(max(counted) / max(1, result.source.frames))


def render(head: Mapping[str, Any], files: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """A report as JSON, one line for each file."""
    yield json.dumps(head, indent=2).removesuffix("\n}").encode() + b",\n" + FILES_BEGIN.removesuffix(b"\n")
    separator = b"\n    "
    for entry in files:
        yield separator + json.dumps(entry).encode()
        separator = b",\n    "
    yield b"\n" + FILES_END


def write_report(path: Place, content: Iterable[bytes]) -> None:
    """
    Raises:
        OutputError: it cannot be written.
    """
    try:
        write_files(path.parent, {Path(path.name): content})
    except PictureError as error:
        raise OutputError(f"report {path} {error}") from None


def is_report(path: Place) -> bool:
    """Whether a file looks as if this program had written it as a report."""
    try:
        beginning = read_beginning(path, 200)
    except OSError:
        return False
    return beginning.startswith(b'{\n  "program": {\n    "name": "anonymize"')


def _entry(result: Result) -> dict[str, Any]:
    entry: dict[str, Any] = {"file": result.file, "status": result.status}
    if result.reason is not None:
        entry["reason"] = result.reason
    if result.fidelity is not None:
        entry["fidelity"] = result.fidelity
    if result.source is not None:
        entry |= _source(result.source)
    if result.record is not None:
        entry["record"] = result.record
    if result.mask is not None:
        entry["mask"] = result.mask
    entry["detections"] = dict(result.counts)
    people = people_in(result)
    if people is not None:
        entry["people"] = people
    if result.not_counted:
        entry["not_counted"] = result.not_counted
    if result.film is not None:
        entry["film"] = dict(result.film)
    if result.edits:
        entry["edits"] = list(result.edits)
    entry["seconds"] = _rounded(result.seconds)
    if result.unchanged:
        entry["unchanged"] = True
    if result.left_out:
        entry["left_out"] = list(result.left_out)
    if result.warnings:
        entry["warnings"] = list(result.warnings)
    return entry


def _source(source: Source) -> dict[str, Any]:
    """Width and height are those of the first frame; "sizes" those of all frames, where they differ."""
    width, height = source.sizes[0]
    return {
        "source_sha256": source.sha256,
        "width": width,
        "height": height,
        **({"frames": source.frames} if source.frames > 1 else {}),
        **({"sizes": [list(size) for size in source.sizes]} if len(source.sizes) > 1 else {}),
    }


def _rounded(seconds: Mapping[str, float]) -> dict[str, float]:
    return {stage: round(value, 4) for stage, value in seconds.items()}
