"""Whose the files are that lie where the outputs of a picture go, and what follows from that.

Files that this program wrote are replaced. Others, and those that somebody has changed since, need --overwrite.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeAlias

from anonymizer.addresses import Address, Place
from anonymizer.files.storage import read_bytes
from anonymizer.record.detections import from_json
from anonymizer.run.manifest import Inputs, Manifest
from anonymizer.types import Job, Result

State: TypeAlias = Literal["free", "own", "edited", "foreign"]
"""free: there is no file. own: it is as this program wrote it. edited: not any more. foreign: others wrote it."""


def claim_outputs(
    job: Job, manifest: Manifest, inputs: Inputs, output_root: Place, written: Sequence[Path], overwrite: bool
) -> Job | Result:
    """The job, with the files that it must leave alone; or the result, if those that are in its way must stay.

    Args:
        inputs: of the picture as it is now.
        written: which outputs will be written, the essential one first.
    """
    if not overwrite:
        states = {path: _state_of(job, path, manifest, output_root) for path in written}
        taken = [p for p in written if states[p] in ("edited", "foreign") and not manifest.is_given_up(p)]
        if taken:
            return _leave(job, manifest.find_made(job, inputs), states, taken)
    others = [path for path in job.outputs if path not in written]
    foreign = [path for path in others if not _may_be_removed(job, path, manifest, output_root, overwrite)]
    if isinstance(output_root, Address):  # where to remove what is not there costs a request
        foreign += [path for path in others if path not in foreign and manifest.look_at(path) == "nothing"]
    return replace(job, foreign=tuple(foreign))


def _state_of(job: Job, path: Path, manifest: Manifest, output_root: Place) -> State:
    there = manifest.look_at(path)
    if there != "file":
        return "free" if there == "nothing" else "foreign"
    if manifest.is_as_written(job, path) or _is_trusted(job, path, manifest, output_root):
        return "own"
    return "edited" if manifest.is_known(job, path) else "foreign"


def _is_trusted(job: Job, path: Path, manifest: Manifest, output_root: Place) -> bool:
    return manifest.is_trusted(job, path) and _looks_like_ours(job, path, output_root)


def _leave(job: Job, made: Result | None, states: Mapping[Path, State], taken: Sequence[Path]) -> Result:
    """An output of this very picture and these settings is kept; anything else in the way is a failure."""
    essential = next(iter(states))
    if made is not None and states[essential] in ("own", "edited"):
        changed = "the output" if essential in taken else f"{taken[0].name} beside the output"
        reason = f"{changed} was changed by hand since an earlier run; it stays, --overwrite makes it again"
        return replace(made, status="kept", reason=reason, seconds={}, began_s=0.0, warnings=())
    first = taken[0]
    if states[first] == "edited":
        why = "was changed by hand, and is not of the picture and the settings as they are now"
    else:
        why = "is not known to be written by this program"
    folder = "folder of masks" if first == job.mask_path else "output folder"
    advice = "move it away, or add --overwrite to replace it"
    return Result(job.name, "failed", f"{first.name} in the {folder} {why}; it stays: {advice}")


def _may_be_removed(job: Job, path: Path, manifest: Manifest, output_root: Place, overwrite: bool) -> bool:
    """With --overwrite also what looks like an output of ours: it would be taken for a new one."""
    if _state_of(job, path, manifest, output_root) in ("free", "own"):
        return True
    return (overwrite or manifest.is_given_up(path)) and _looks_like_ours(job, path, output_root)


def _looks_like_ours(job: Job, path: Path, output_root: Place) -> bool:
    return path in (job.target, job.mask_path, *job.old_masks) or _is_record(output_root / path)


def _is_record(path: Place) -> bool:
    """Whether a file holds detections."""
    try:
        from_json(read_bytes(path))
    except (OSError, ValueError):
        return False
    return True
