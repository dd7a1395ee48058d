"""What is done to each picture, in a form that can be sent to another process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from anonymizer.detect.detector import Detector
from anonymizer.files.write import remove_files, remove_partials
from anonymizer.settings import DetectSettings, Settings
from anonymizer.types import Job, Result


@dataclass(frozen=True)
class Task:
    """Carries out jobs, once its models are loaded."""

    input_root: Path
    output_root: Path
    settings: Settings
    load: Callable[[DetectSettings], Sequence[Detector]]

    def begin(self) -> Callable[[Job], Result]:
        """Loads the models, and returns what does the work.

        Raises:
            ModelError: a model is missing, damaged or no detection model.
        """
        # Imported here: a process that leaves the work to others need not know OpenCV and the formats.
        from anonymizer.pipeline import process

        detectors = self.load(self.settings.detect)
        return lambda job: process(job, self.input_root, self.output_root, detectors, self.settings)

    def give_up(self, job: Job, reason: str) -> Result:
        """Fails a job on which a process ended: no output of this or an earlier run stays under its names.

        Raises:
            OutputError: such an output cannot be removed.
        """
        remove_files(self.output_root, [job.target, job.record, *job.stale_records])
        return Result(job.name, "failed", reason)

    def sweep(self, job: Job) -> None:
        """Removes the hidden files of a process that was ended while it wrote."""
        remove_partials(self.output_root, [job.target, job.record])


class Executor(Protocol):
    """Who carries out a task: this process, others on this machine, or on many."""

    @property
    def workers(self) -> int:
        """How many processes share the work; 0 for this one."""

    def start(self) -> None:
        """Makes ready what is to begin before the first job, and proves that the models can be loaded.

        Raises:
            ModelError: they cannot.
        """

    def carry_out(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Result]]:
        """Takes jobs when there is somebody free to do them; yields what became of each, in any order.

        Raises:
            OutputError: no further picture can be written.
        """

    def close(self) -> None:
        """Ends at once whatever is still going on."""


class InThisProcess:
    """The executor without other processes. Nothing guards it against crashes and hangs of native code."""

    workers = 0

    def __init__(self, task: Task) -> None:
        self._task = task
        self._work: Callable[[Job], Result] | None = None

    def start(self) -> None:
        self._work = self._work or self._task.begin()

    def carry_out(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Result]]:
        for job in jobs:
            self.start()
            assert self._work is not None
            yield job, self._work(job)

    def close(self) -> None:
        pass
