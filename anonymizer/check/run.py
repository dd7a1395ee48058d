"""Carries out a check: the way of one file, and what is written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from anonymizer.check import baseline
from anonymizer.check.annotate import ANNOTATED_PX, mark
from anonymizer.check.comparison import Seen, compare
from anonymizer.check.finding import Finding
from anonymizer.check.html_page import Card, make_card, to_html
from anonymizer.check.inputs import Target
from anonymizer.check.plan import CheckPlan
from anonymizer.check.report import CheckReport
from anonymizer.check.thresholds import load_sensitive_finder
from anonymizer.check.verdicts import compare_with_record, judge
from anonymizer.detect.frames import load_finder, spread_to_neighbours
from anonymizer.errors import AnonymizerError, OutputError, PictureError, picture_boundary
from anonymizer.files.encode import encode_preview
from anonymizer.files.inspect import inspect_file
from anonymizer.files.output import make_output
from anonymizer.files.picture import Picture
from anonymizer.files.read import read_picture
from anonymizer.files.write import write_files
from anonymizer.pipeline import Finder
from anonymizer.record import detections as record
from anonymizer.types import Detection, FrameDetections


@dataclass(frozen=True)
class Finders:
    """Those of the gate, and those of the anonymizing run, which are needed for originals only."""

    sensitive: Finder
    run: Finder | None = None


@dataclass(frozen=True)
class Checked:
    """A file that was looked at."""

    target: Target
    findings: Sequence[Finding]
    picture: Picture | None
    """None if it cannot be read."""


def run_check(plan: CheckPlan, on_checked: Callable[[Checked], None] = lambda checked: None) -> CheckReport:
    """Looks at all files, and writes what the plan asks for, however the check ends.

    Args:
        on_checked: called after each file.

    Raises:
        ModelError: a model cannot be loaded.
        OutputError: something that is asked for cannot be written.
    """
    is_compared = plan.check.against is not None
    finders = Finders(
        load_sensitive_finder(plan.detect, plan.thresholds), load_finder(plan.settings.detect) if is_compared else None
    )
    report = CheckReport(plan.thresholds, not_looked_at=plan.not_looked_at, findings=list(plan.settled))
    cards = [card for finding in plan.settled if (card := make_card(finding.file, [finding], None)) is not None]
    accepted: list[baseline.Entry] = []
    if plan.check.annotate is not None:
        make_output(plan.check.annotate)
    # Says "incomplete", should the check be killed, and proves that it can be written.
    _write_report(plan, report, cards)
    try:
        for target in plan.targets:
            checked = check_file(target, plan, finders)
            if plan.check.write_baseline:
                entries = _entries(checked)
                checked = _accept(checked, entries)
                accepted += entries
            report.files.append(target.name)
            report.findings += checked.findings
            card = make_card(target.name, checked.findings, checked.picture) if plan.check.html is not None else None
            cards += [] if card is None else [card]
            if plan.check.annotate is not None:
                _annotate(checked, plan.check.annotate)
            on_checked(checked)
    except BaseException:
        with suppress(AnonymizerError):  # the first error is the one to tell
            _write_report(plan, report, cards)
        raise
    report.complete = True
    _write_report(plan, report, cards)
    if plan.check.write_baseline and plan.check.baseline is not None:
        renewed = baseline.renew(plan.accepted, accepted, set(report.files))
        _write(plan.check.baseline, baseline.to_json(renewed))
    return report


def check_file(target: Target, plan: CheckPlan, finders: Finders) -> Checked:
    """The way of one file: read, inspect, detect, judge by the record, compare with the original."""
    picture = None
    findings: list[Finding] = []
    try:
        with picture_boundary(target.name, {"folder": target.path.parent}):
            picture = read_picture(target.path, plan.settings.read)
            remarks = inspect_file(picture.content, picture.encoding.format)
            findings += [Finding(target.name, remark.kind, remark.text) for remark in remarks]
            recorded = _read_record(target, findings)
            hidden = None if recorded is None else _hidden(recorded, picture)
            for number, found in enumerate(finders.sensitive.find(picture, None)):
                of_frame = None if hidden is None else hidden[number]
                redacted = compare_with_record(picture.frames[number].view, of_frame, plan.settings)
                judged = judge(target.name, found.detections, redacted, plan.thresholds)
                findings += [replace(finding, frame=number) for finding in judged]
            if target.original is not None:
                findings += _compare(target, target.original, picture, hidden, plan, finders)
    except PictureError as error:
        findings.append(Finding(target.name, "unreadable", f"cannot be checked: {error}"))
    if picture is not None:
        findings = baseline.accept(findings, picture, plan.accepted)
    return Checked(target, findings, picture)


def _hidden(recorded: Mapping[int, Sequence[Detection]], picture: Picture) -> list[Sequence[Detection]]:
    """What the run hid in each frame, by its record."""
    found = [FrameDetections(recorded.get(number, [])) for number in range(len(picture.frames))]
    return [frame.detections for frame in spread_to_neighbours(found, picture.is_animation)]


def _read_record(target: Target, findings: list[Finding]) -> dict[int, list[Detection]] | None:
    path = next((path for path in target.records if path.is_file()), None)
    if path is None:
        return None
    try:
        return record.from_json(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        findings.append(Finding(target.name, "record", f"{path.name} beside it is damaged: {error}"))
        return None


def _compare(
    target: Target,
    path: Path,
    picture: Picture,
    hidden: Sequence[Sequence[Detection]] | None,
    plan: CheckPlan,
    finders: Finders,
) -> list[Finding]:
    assert finders.run is not None
    try:
        source = read_picture(path, plan.settings.read)
    except PictureError as error:
        return [Finding(target.name, "unreadable", f"its original {error}")]
    if len(source.frames) != len(picture.frames):
        return [Finding(target.name, "changed", "another number of frames than its original")]
    fidelity = plan.past.files.get(target.name, {}).get("fidelity")
    findings = []
    found = spread_to_neighbours(finders.run.find(source, None), source.is_animation)
    weaker = finders.sensitive.find(source, None)
    for number, (original, frame) in enumerate(zip(source.frames, picture.frames, strict=True)):
        seen = Seen(found[number].detections, found[number].in_alpha, weaker[number].detections)
        recorded = [] if hidden is None else hidden[number]
        compared = compare(target.name, source, original, frame, seen, recorded, plan.settings, fidelity)
        findings += [replace(finding, frame=number) for finding in compared]
    return findings


def _entries(checked: Checked) -> list[baseline.Entry]:
    if checked.picture is None:
        return []
    told = [finding for finding in checked.findings if finding.level != "noted" and finding.kind in baseline.ACCEPTABLE]
    return [baseline.to_entry(finding, checked.picture) for finding in told]


def _accept(checked: Checked, accepted: Sequence[baseline.Entry]) -> Checked:
    if checked.picture is None:
        return checked
    return Checked(checked.target, baseline.accept(checked.findings, checked.picture, accepted), checked.picture)


def _annotate(checked: Checked, folder: Path) -> None:
    has_boxes = any(finding.box is not None for finding in checked.findings)
    if checked.picture is None or not has_boxes:
        return
    pixels = mark(checked.picture.frames[0].view, checked.findings, ANNOTATED_PX, labels=True)
    below = Path(*[part for part in Path(checked.target.name).parts if part not in ("..", "/")])
    _write(folder / below.with_name(f"{below.name}.jpg"), encode_preview(pixels))


def _write_report(plan: CheckPlan, report: CheckReport, cards: Sequence[Card]) -> None:
    if plan.check.json is not None:
        _write(plan.check.json, report.to_json())
    if plan.check.html is not None:
        _write(plan.check.html, to_html(cards, report.summary() if report.complete else "The check did not finish."))


def _write(path: Path, content: bytes) -> None:
    try:
        write_files(path.parent, {Path(path.name): content})
    except PictureError as error:
        raise OutputError(f"{path} {error}") from None
