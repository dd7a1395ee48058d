"""Findings that are known and accepted, recognised by the content of the pictures rather than their names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from anonymizer.check.finding import Finding, FindingKind
from anonymizer.files.inspect import FILE_ISSUE_KINDS
from anonymizer.files.picture import Picture
from anonymizer.geometry import Box, slices_around
from anonymizer.kinds import KINDS

ACCEPTABLE: tuple[FindingKind, ...] = (*KINDS, *FILE_ISSUE_KINDS)
"""Only what a picture file shows or holds may be a false alarm and be accepted. Failures may not."""
SAME_FROM = 0.5
"""Boxes with at least this IoU count as the same place."""
VERSION = 1


@dataclass(frozen=True)
class Entry:
    """An accepted finding."""

    file: str
    """Name of the file, for the reader; also distinguishes equal areas in several pictures."""
    kind: str
    picture: str
    """SHA-256 of the file."""
    box: tuple[float, float, float, float] | None = None
    """x_min, y_min, x_max, y_max."""
    region: str | None = None
    """SHA-256 of the pixels in the box, in the first frame."""


def to_entry(finding: Finding, picture: Picture) -> Entry:
    digest = hashlib.sha256(picture.content).hexdigest()
    if finding.box is None:
        return Entry(finding.file, finding.kind, digest)
    box = finding.box
    sides = (box.x_min, box.y_min, box.x_max, box.y_max)
    # The region of a later frame is not hashed: its findings are recognised by the whole file only.
    return Entry(finding.file, finding.kind, digest, sides, None if finding.frame else _digest_of_region(picture, box))


def accept(findings: Sequence[Finding], picture: Picture, entries: Sequence[Entry]) -> list[Finding]:
    """The findings of a picture; those that are in the baseline are marked as accepted.

    A finding is known if its file is the same, byte for byte. If the picture has changed elsewhere but kept its name, a
    finding with a box is known as long as the pixels in the box of the entry are the same. One name may have more
    folders before it than the other: a check of a folder names a file from there on.
    """
    if not entries:
        return list(findings)
    digest = hashlib.sha256(picture.content).hexdigest()
    names = {_last_part(finding.file) for finding in findings}
    eligible = [entry for entry in entries if entry.picture == digest or _last_part(entry.file) in names]
    return [
        finding.accepted()
        if finding.level in ("finding", "warning") and _is_known(finding, picture, digest, eligible)
        else finding
        for finding in findings
    ]


def _is_known(finding: Finding, picture: Picture, digest: str, entries: Sequence[Entry]) -> bool:
    if finding.kind not in ACCEPTABLE:
        return False
    return any(entry.kind == finding.kind and _stands_for(entry, finding, picture, digest) for entry in entries)


def _stands_for(entry: Entry, finding: Finding, picture: Picture, digest: str) -> bool:
    if entry.box is None or finding.box is None:
        return entry.box is None and finding.box is None and entry.picture == digest
    box = Box(*entry.box)
    if not box.iou(finding.box) >= SAME_FROM:
        return False
    has_same_name = _may_be_same(entry.file, finding.file) and not finding.frame
    return entry.picture == digest or (has_same_name and entry.region == _digest_of_region(picture, box))


def _last_part(name: str) -> str:
    return name.rpartition("/")[2]


def _may_be_same(one: str, other: str) -> bool:
    """Whether the longer one of two paths ends with the shorter one."""
    return f"/{one}".endswith(f"/{other}") or f"/{other}".endswith(f"/{one}")


def _digest_of_region(picture: Picture, box: Box) -> str:
    region = picture.pixels[slices_around(box, picture.pixels.shape)]
    # The size is hashed too: the same bytes in another shape are another picture.
    return hashlib.sha256(f"{region.dtype} {region.shape} ".encode() + region.tobytes()).hexdigest()


def renew(old: Iterable[Entry], new: Iterable[Entry], checked: Container[str]) -> list[Entry]:
    """The entries of a new baseline: the new ones for files that were checked, the old ones for all others."""
    kept = [entry for entry in old if entry.file not in checked]
    return sorted({*kept, *new}, key=lambda entry: (entry.file, entry.kind, entry.box or (), entry.picture))


def to_json(entries: Sequence[Entry]) -> bytes:
    content = {"version": VERSION, "accepted": [asdict(entry) for entry in entries]}
    return json.dumps(content, indent=2).encode() + b"\n"


def from_json(content: bytes) -> list[Entry]:
    """
    Raises:
        ValueError: the content is not a baseline.
    """
    baseline = json.loads(content)
    try:
        if baseline["version"] != VERSION:
            raise ValueError(f"is of version {baseline['version']}, this program knows version {VERSION}")
        return [_to_entry(entry) for entry in baseline["accepted"]]
    except (KeyError, TypeError):
        raise ValueError("is no baseline of this program") from None


def _to_entry(entry: dict[str, Any]) -> Entry:
    sides = None if entry["box"] is None else tuple(map(float, entry["box"]))
    if sides is not None:
        Box(*sides)  # raises ValueError for sides that do not make a box
    return Entry(str(entry["file"]), str(entry["kind"]), str(entry["picture"]), sides, entry["region"])  # type: ignore[arg-type]
