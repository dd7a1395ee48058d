"""Findings that are known and accepted, told by the content of the pictures, not by their names."""

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
"""What is in a picture file may be a false alarm; that something failed may not."""
SAME_FROM = 0.5
"""Intersection over union from which on two boxes are taken for the same place."""
VERSION = 1


@dataclass(frozen=True)
class Entry:
    """An accepted finding."""

    file: str
    """Where it was: tells apart equal areas in several pictures, and is for the reader."""
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
    # In later frames, findings are known by the whole file only.
    return Entry(finding.file, finding.kind, digest, sides, None if finding.frame else _digest_of_region(picture, box))


def accept(findings: Sequence[Finding], picture: Picture, entries: Sequence[Entry]) -> list[Finding]:
    """The findings of a picture, those that the baseline holds marked as accepted.

    Those count as known whose file is the same, byte for byte; and, wherever else the picture has changed, those in a
    box in whose place the pixels are the same, as long as the file has kept its name.
    """
    if not entries:
        return list(findings)
    digest = hashlib.sha256(picture.content).hexdigest()
    names = {finding.file for finding in findings}
    eligible = [entry for entry in entries if entry.picture == digest or entry.file in names]
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
    has_same_name = entry.file == finding.file and not finding.frame
    return entry.picture == digest or (has_same_name and entry.region == _digest_of_region(picture, box))


def _digest_of_region(picture: Picture, box: Box) -> str:
    region = picture.pixels[slices_around(box, picture.pixels.shape)]
    # The size belongs to it: the same bytes may make another picture.
    return hashlib.sha256(f"{region.dtype} {region.shape} ".encode() + region.tobytes()).hexdigest()


def renew(old: Iterable[Entry], new: Iterable[Entry], checked: Container[str]) -> list[Entry]:
    """The entries of a new baseline: of the files that were checked what is there now, of all others the old ones."""
    kept = [entry for entry in old if entry.file not in checked]
    return sorted({*kept, *new}, key=lambda entry: (entry.file, entry.kind, entry.box or (), entry.picture))


def to_json(entries: Sequence[Entry]) -> bytes:
    content = {"version": VERSION, "accepted": [asdict(entry) for entry in entries]}
    return json.dumps(content, indent=2).encode() + b"\n"


def from_json(content: bytes) -> list[Entry]:
    """
    Raises:
        ValueError: the content is no baseline.
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
        Box(*sides)  # raises where these are no sides of a box
    return Entry(str(entry["file"]), str(entry["kind"]), str(entry["picture"]), sides, entry["region"])  # type: ignore[arg-type]
