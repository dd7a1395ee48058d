"""Findings that are known and accepted, recognised by the content of the pictures rather than their names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
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
    frames: tuple[int, int] | None = None
    """Of a film: the first and the last frame that it stands for."""


@dataclass(frozen=True)
class Content:
    """What a file is recognised by."""

    digest: str
    """SHA-256 of the file."""
    picture: Picture | None = None
    """None for films: they are known as whole files only."""


def content_of(picture: Picture) -> Content:
    return Content(hashlib.sha256(picture.content).hexdigest(), picture)


def content_of_film(path: Path) -> Content:
    """
    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return Content(digest.hexdigest())


def to_entry(finding: Finding, content: Content) -> Entry:
    if finding.box is None:
        return Entry(finding.file, finding.kind, content.digest)
    box = finding.box
    sides = (box.x_min, box.y_min, box.x_max, box.y_max)
    # The region of a later frame is not hashed: its findings are recognised by the whole file only.
    region = None if finding.frame or content.picture is None else _digest_of_region(content.picture, box)
    return Entry(finding.file, finding.kind, content.digest, sides, region, finding.frames)


def accept(findings: Sequence[Finding], content: Content, entries: Sequence[Entry]) -> list[Finding]:
    """The findings of a file; those that are in the baseline are marked as accepted.

    A finding is known if its file is the same, byte for byte. If the picture has changed elsewhere but kept its name, a
    finding with a box is known as long as the pixels in the box of the entry are the same. One name may have more
    folders before it than the other: a check of a folder names a file from there on. In a film an entry stands for its
    span of frames.
    """
    if not entries:
        return list(findings)
    names = {_last_part(finding.file) for finding in findings}
    eligible = [entry for entry in entries if entry.picture == content.digest or _last_part(entry.file) in names]
    return [
        finding.accepted()
        if finding.level in ("finding", "warning") and _is_known(finding, content, eligible)
        else finding
        for finding in findings
    ]


def _is_known(finding: Finding, content: Content, entries: Sequence[Entry]) -> bool:
    if finding.kind not in ACCEPTABLE:
        return False
    return any(entry.kind == finding.kind and _stands_for(entry, finding, content) for entry in entries)


def _stands_for(entry: Entry, finding: Finding, content: Content) -> bool:
    is_same_file = entry.picture == content.digest
    if entry.box is None or finding.box is None:
        return entry.box is None and finding.box is None and is_same_file
    box = Box(*entry.box)
    if not box.iou(finding.box) >= SAME_FROM:
        return False
    if finding.frames is not None or entry.frames is not None:
        return is_same_file and _is_within(finding.frames, entry.frames)
    if is_same_file:
        return True
    has_same_name = _may_be_same(entry.file, finding.file) and not finding.frame
    return has_same_name and content.picture is not None and entry.region == _digest_of_region(content.picture, box)


def _is_within(one: tuple[int, int] | None, other: tuple[int, int] | None) -> bool:
    return one is not None and other is not None and other[0] <= one[0] and one[1] <= other[1]


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
    span = entry.get("frames")
    frames = None if span is None else (int(span[0]), int(span[1]))
    return Entry(str(entry["file"]), str(entry["kind"]), str(entry["picture"]), sides, entry["region"], frames)  # type: ignore[arg-type]
