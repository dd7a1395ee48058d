"""The reports of a run: one, or one for each share. Finds, reads and joins them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from anonymizer.addresses import Address, Place
from anonymizer.errors import SettingsError
from anonymizer.files.storage import is_file, opened, storage_of
from anonymizer.kinds import KINDS
from anonymizer.record.entries import Entries, Entry
from anonymizer.record.report import FILES_BEGIN, FILES_END, REPORT_NAME, is_report, render
from anonymizer.types import STATUSES

_SAME = ("program", "settings", "settings_digest", "models")
"""What reports must share to be of one job."""


_HEAD_BYTES = 64_000_000
"""More than all but the files of a report takes."""


def name_pattern(name: str) -> str:
    """Pattern for the names of a file and of its counterparts for shares, see `Shard`."""
    path = Path(name)
    return rf"{re.escape(path.stem)}(-(?P<number>\d+)-of-(?P<count>\d+))?{re.escape(path.suffix)}"


NAMES = re.compile(name_pattern(REPORT_NAME))
"""Matches those of reports in an output folder."""


@dataclass(frozen=True)
class ReportFile:
    """The content of a report."""

    name: str
    head: Mapping[str, Any]
    """All but the files."""
    files: Sequence[Mapping[str, Any]]

    @property
    def exit_code(self) -> int:
        """0, or 1 if pictures failed or are missing."""
        return 1 if self.head["totals"]["failed"] or not self.head["complete"] else 0

    def to_json(self) -> Iterator[bytes]:
        return render(self.head, self.files)


def read_report(path: Place) -> ReportFile:
    """
    Raises:
        SettingsError: the file cannot be read, or is not a report.
    """
    try:
        content, files = _read(path)
        complete = isinstance(content["complete"], bool) and all(isinstance(entry["file"], str) for entry in files)
        if not complete or not {*_SAME, "totals", "shard"}.issubset(content):
            raise ValueError
        added_totals([content["totals"]], files)
    except OSError as error:
        raise SettingsError(f"report {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise SettingsError(f"report {path} is not a report of this program, or is damaged") from None
    return ReportFile(str(path), content, files)


def _read(path: Place) -> tuple[dict[str, Any], Sequence[Entry]]:
    """The head and the files of a report. As `render` writes it, it is read line by line.

    Raises:
        ValueError: it is not JSON.
    """
    with opened(path) as file:
        head = b""
        while len(head) < _HEAD_BYTES and (line := file.readline()):
            head += line
            if line == FILES_BEGIN:
                break
        if not head.endswith(FILES_BEGIN):  # somebody else's hand
            content = json.loads(head + file.read())
            return content, content.pop("files")
        content = json.loads(head + b"]}")
        del content["files"]
        files = Entries(_entries(file))
        if file.read() != FILES_END:
            raise ValueError("the end is missing")
        return content, files


def _entries(file: BinaryIO) -> Iterator[Entry]:
    """Leaves the file behind the last one."""
    while True:
        place = file.tell()
        line = file.readline().strip()
        if not line.startswith(b"{"):
            file.seek(place)
            return
        yield json.loads(line.removesuffix(b","))
        if not line.endswith(b","):
            return


def is_whole_report(path: Place) -> bool:
    """Whether a file is a report, whatever its name."""
    if not is_report(path):
        return False
    try:
        read_report(path)
    except SettingsError:
        return False
    return True


def find_reports(folder: Place) -> list[Place]:
    """The report in an output folder, otherwise those of all shares, otherwise the only one under another name.

    Raises:
        OSError: the folder cannot be listed.
    """
    if is_file(folder / REPORT_NAME):
        return [folder / REPORT_NAME]
    files: list[Place] = [folder / name for name in _names_of_files(folder)]
    shares = [path for path in files if NAMES.fullmatch(path.name)]
    if shares:
        return shares
    others = [path for path in files if path.suffix.lower() == ".json" and is_whole_report(path)]
    return others if len(others) == 1 else []


def _names_of_files(folder: Place) -> list[str]:
    """Those directly in a folder that may be reports."""
    if isinstance(folder, Address):
        pages = storage_of(folder).list()
        return sorted(e.name for page in pages for e in page if not e.is_folder and e.name.lower().endswith(".json"))
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def merge_reports(reports: Sequence[ReportFile]) -> ReportFile:
    """One report for all, its files in the order of a listing.

    Raises:
        SettingsError: the reports are not of one job, or do not fit together.
    """
    first = reports[0]
    for report in reports[1:]:
        for key in _SAME:
            if report.head[key] != first.head[key]:
                raise SettingsError(f"reports {first.name} and {report.name} differ in their {key}: not of one job")

    def refuse(name: str) -> None:
        if len(reports) == 1:
            raise SettingsError(f"report {first.name} is damaged: it lists {name} twice")
        raise SettingsError(f"{name} is in more than one of the reports: not shares of one folder")

    together = Entries(entry for report in reports for entry in report.files)  # each share lists all folders
    files = Entries(together.in_listing_order(refuse))
    head = {
        **first.head,
        "complete": all(report.head["complete"] for report in reports) and not missing_shares(reports),
        "shard": None,
        "kinds": [kind for kind in KINDS if any(kind in report.head.get("kinds", ()) for report in reports)],
        "native_code": all(report.head.get("native_code", True) for report in reports),
        "totals": added_totals([report.head["totals"] for report in reports], files),
    }
    return ReportFile("merged", head, files)


def missing_shares(reports: Sequence[ReportFile]) -> list[str]:
    """The shares of the folder that none of the reports is of."""
    shares = [str(report.head["shard"]) for report in reports if report.head["shard"] is not None]
    number = max((int(share.partition("/")[2]) for share in shares), default=0)
    return [share for share in (f"{index}/{number}" for index in range(1, number + 1)) if share not in shares]


def added_totals(totals: Sequence[Mapping[str, Any]], files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The totals of reports together; numbers of pictures are counted anew.

    Args:
        files: their entries.
    """
    statuses = Counter(entry["status"] for entry in files)
    people = [entry["people"] for entry in files if "people" in entry]
    return {
        "pictures": len(files),
        **{status: statuses[status] for status in STATUSES},
        "unchanged": sum(each["unchanged"] for each in totals),
        "detections": _added([each["detections"] for each in totals]),
        **({"people": sum(people)} if people else {}),
        "seconds": {stage: round(s, 4) for stage, s in _added([each["seconds"] for each in totals]).items()},
        "elapsed_seconds": max(each["elapsed_seconds"] for each in totals),
        "workers": sum(each["workers"] for each in totals),
        "files_not_looked_at": totals[0]["files_not_looked_at"],  # each share lists the whole folder
        "outputs_without_input": sorted({name for each in totals for name in each["outputs_without_input"]}),
    }


def _added(counts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for count in counts:
        for key, number in count.items():
            total[key] = total.get(key, 0) + number
    return total
