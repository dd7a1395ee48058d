"""Finds for every original its output, and for every output its original."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from anonymizer.addresses import Place
from anonymizer.check.finding import Finding
from anonymizer.check.inputs import InputFile, Inputs
from anonymizer.check.previous_run import PreviousRun
from anonymizer.files.find import Listing, is_of_the_system
from anonymizer.types import Job


@dataclass(frozen=True)
class Pairing:
    files: list[InputFile]
    """With their originals."""
    findings: list[Finding]


def pair_originals(root: Place, originals: Listing, found: Inputs, previous: PreviousRun) -> Pairing:
    """
    Args:
        root: folder of the originals.
        found: what lies in the folder that is checked.
        previous: what the report of the anonymizing run says; the report itself is not in `found`.
    """
    jobs = {job.target.as_posix(): job for job in originals}
    only_detected = [job for job in jobs.values() if previous.files.get(job.name, {}).get("status") == "detected"]
    records = {job.detections_path.as_posix() for job in only_detected}
    files = {file.name: file for file in found.files}
    findings = [Finding(f"{below}/", "unreadable", f"original {why}") for below, why in originals.unreadable.items()]
    if not previous.complete:
        findings.append(Finding("report", "report", "the anonymizing run did not reach its end"))
    for name, job in jobs.items():
        finding = _judge_output(job, previous.files.get(job.name, {}), has_output=name in files)
        findings += [] if finding is None else [finding]
    findings += [
        Finding(name, "extra", "belongs to no picture among the originals") for name in files if name not in jobs
    ]
    findings += [_judge_other(name, path) for name, path in found.others.items() if name not in records]
    paired = [_with_original(file, root, jobs.get(name), previous) for name, file in files.items()]
    return Pairing(paired, findings)


def _judge_other(name: str, path: Place) -> Finding:
    if is_of_the_system(path):
        text = "was put there by the operating system, and may hold thumbnails or names: do not publish it"
        return Finding(name, "extra", text, "warning")
    return Finding(name, "extra", "is neither a picture nor what the program writes beside one")


def _with_original(file: InputFile, root: Place, job: Job | None, previous: PreviousRun) -> InputFile:
    if job is None:
        return file
    return replace(file, originals=root, fidelity=previous.files.get(file.name, {}).get("fidelity"))


def _judge_output(job: Job, entry: Mapping[str, Any], has_output: bool) -> Finding | None:
    """Whether there is an output just where the report says so."""
    status = entry.get("status")
    has_none = status in ("failed", "skipped", "detected")
    if has_output:
        return Finding(job.name, "extra", f"has an output, though the report says {status}") if has_none else None
    if status == "detected":
        return Finding(job.name, "missing", "no output: the run was told to detect only", "noted")
    if has_none:
        return Finding(job.name, "missing", f"no output: {status}, {entry.get('reason')}", "noted")
    return Finding(job.name, "missing", "no output, and no failure in the report")
