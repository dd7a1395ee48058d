"""Runs the pipeline over a folder: skips what is done, has the rest done, and keeps the manifest and the report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from itertools import count, islice
from pathlib import Path

from anonymizer.addresses import Address, Place
from anonymizer.errors import AnonymizerError, OutputError
from anonymizer.files.output import is_same_name, make_output
from anonymizer.record.report import Report, write_report
from anonymizer.record.trace import Trace, open_trace
from anonymizer.run.ahead import ReadingAhead, reading_ahead
from anonymizer.run.beacon import lit_beacon
from anonymizer.run.executor import Executor
from anonymizer.run.machine import auto_workers
from anonymizer.run.manifest import Inputs, Manifest
from anonymizer.run.ownership import claim_outputs
from anonymizer.run.picture_task import PictureTask
from anonymizer.run.plan import Plan
from anonymizer.run.pool import make_executor, require_sendable
from anonymizer.run.ray import RayPlace, make_ray_executor, require_ray
from anonymizer.run.store_manifest import StoreManifest
from anonymizer.settings import RunSettings
from anonymizer.types import Job, Result


def run(
    plan: Plan,
    on_result: Callable[[Result], None] = lambda result: None,
    is_stopping: Callable[[], bool] = lambda: False,
    on_beat: Callable[[Job, str], None] = lambda job, text: None,
) -> Report:
    """Carries out a plan, and writes the report however the run ends.

    Args:
        on_result: called after each picture.
        is_stopping: asked before each picture. A run that is to stop finishes what is in flight, and its report is not
            complete.
        on_beat: called while a film is worked on, with how far it is.

    Raises:
        ModelError: a model cannot be loaded; nothing has been written.
        SettingsError: the input holds no picture; nothing has been written.
        OutputError: the output cannot be written, or not any more.
    """
    task = PictureTask(plan.input, plan.output, plan.settings, plan.load, plan.edits, plan.run.mask_output)
    if plan.run.executor == "ray":
        require_ray()
    if plan.run.workers != 0:
        require_sendable(task)
    is_new_folder = isinstance(plan.output, Path) and not plan.output.exists()
    is_first_run = isinstance(plan.manifest, Path) and not plan.manifest.exists()
    for folder in (plan.output, plan.run.mask_output):
        if isinstance(folder, Path):
            make_output(folder)
    with ExitStack() as cleanup:
        manifest = cleanup.enter_context(closing(_open_manifest(plan)))
        if plan.run.executor == "ray" and isinstance(plan.manifest, Path):
            task = replace(task, beacon=cleanup.enter_context(lit_beacon(plan.manifest)))
        executor = cleanup.enter_context(closing(_make_executor(plan.run, task, manifest, is_stopping, on_beat)))
        if is_first_run or (isinstance(manifest, StoreManifest) and manifest.is_new):
            _prove_models(executor, manifest, cleanup, plan.output if is_new_folder else None)
        ahead = None
        if isinstance(plan.input, Address) and plan.run.executor == "local":
            ahead = cleanup.enter_context(reading_ahead(plan.input, executor.workers))
        with open_trace(plan.run.profile) as trace:
            return _Run(plan, executor, manifest, trace, on_result, is_stopping, ahead).run()


def _make_executor(
    what: RunSettings,
    task: PictureTask,
    manifest: Manifest,
    is_stopping: Callable[[], bool],
    on_beat: Callable[[Job, str], None],
) -> Executor[Job, Result]:
    if what.executor == "local":
        workers = what.workers
        if workers is None and (isinstance(what.input, Address) or isinstance(what.image_output, Address)):
            workers = auto_workers(are_waiting=True)
        return make_executor(task, workers, what.timeout, manifest.locks, is_stopping, on_beat)
    place = RayPlace(what.ray_address, what.ray_cpus_per_worker, what.ray_gpus_per_worker)
    return make_ray_executor(task, place, what.workers, what.timeout, is_stopping, on_beat)


def _open_manifest(plan: Plan) -> Manifest:
    if isinstance(plan.output, Address):
        return StoreManifest(
            plan.input, plan.output, plan.fingerprint, shard=plan.run.shard, overwrite=plan.run.overwrite
        )
    assert isinstance(plan.manifest, Path)
    return Manifest(
        plan.manifest,
        plan.input,
        plan.output,
        plan.fingerprint,
        is_shard=plan.run.shard is not None,
        overwrite=plan.run.overwrite,
    )


def _prove_models(
    executor: Executor[Job, Result], manifest: Manifest, cleanup: ExitStack, new_folder: Place | None
) -> None:
    """Models that do not work must leave no trace in the output, which may have been made for this run."""
    try:
        executor.start()
    except AnonymizerError:
        manifest.discard()
        cleanup.close()
        if isinstance(new_folder, Path):
            new_folder.rmdir()
        raise


class _Run:
    """One run, from the first picture to the report."""

    def __init__(
        self,
        plan: Plan,
        executor: Executor[Job, Result],
        manifest: Manifest,
        trace: Trace | None,
        on_result: Callable[[Result], None],
        is_stopping: Callable[[], bool],
        ahead: ReadingAhead | None,
    ) -> None:
        self._plan = plan
        self._ahead = ahead
        self._executor = executor
        self._manifest = manifest
        self._trace = trace
        self._on_result = on_result
        self._is_stopping = is_stopping
        self._positions = count()
        self._in_flight: dict[str, tuple[int, Inputs]] = {}
        """Position and inputs of the pictures that are being worked on, by name."""
        self._report = Report(
            plan.settings,
            plan.models,
            plan.kinds,
            finder=plan.finder,
            recorded_by=plan.recorded_by,
            chosen_by=plan.chosen_by,
            checksums=plan.checksums,
            results=manifest,
            not_looked_at=plan.listing.not_looked_at,
            shard=None if plan.run.shard is None else str(plan.run.shard),
            workers=executor.workers,
        )

    def run(self) -> Report:
        start_s = time.perf_counter()
        report = self._report
        self._write_report()  # says "incomplete", should the run be killed, and proves that it can be written
        try:
            for job, result in self._executor.run(self._handed_out()):
                if self._ahead is not None:
                    self._ahead.forget(job)
                position, inputs = self._in_flight.pop(job.name)
                self._manifest.record(position, job, result, inputs)
                self._count(result)
            report.complete = not self._is_stopping()
            if report.complete:
                for result in self._plan.listing_problems():
                    self._record_untouched(result)
                report.orphaned = self._find_orphaned()
                self._manifest.finish()
        except BaseException as error:
            with suppress(AnonymizerError):  # the first error is the one to report
                if isinstance(error, OutputError):
                    self._fail_all_in_flight("the output folder cannot be written any more")
                self._write_report()
            raise
        report.elapsed_s, report.workers = time.perf_counter() - start_s, self._executor.workers
        self._write_report()
        return report

    def _handed_out(self) -> Iterator[Job]:
        """The pictures that need work, and those in stores once they are fetched."""
        if self._ahead is None:
            yield from self._to_do()
            return
        for job in self._ahead.over(self._to_do()):
            if self._is_stopping():
                return
            yield job

    def _to_do(self) -> Iterator[Job]:
        """The pictures that need work, which the manifest knows of before they are handed out."""
        claimed = self._claimed()
        while together := list(islice(claimed, self._manifest.at_once)):
            if self._is_stopping():
                return
            self._manifest.begin([job for job, *_ in together])
            for job, position, inputs in together:
                if self._is_stopping():
                    return
                self._in_flight[job.name] = position, inputs
                yield job

    def _claimed(self) -> Iterator[tuple[Job, int, Inputs]]:
        """The pictures that need work; takes down what becomes of the others."""
        limit, overwrite = self._plan.run.limit, self._plan.run.overwrite
        for number, job in enumerate(self._plan.jobs):
            if self._is_stopping():
                return
            if limit is not None and number >= limit:
                self._record_untouched(Result(job.name, "skipped", f"beyond --limit {limit}"))
                continue
            inputs = self._manifest.inputs_of(job, self._plan.evidence_of(job))
            done = None if overwrite else self._manifest.find_done(job, inputs)
            if done is not None:
                self._record_untouched(done)
                continue
            claimed = self._claim(job, inputs)
            if isinstance(claimed, Result):
                self._record_untouched(claimed)
                continue
            yield claimed, next(self._positions), inputs

    def _claim(self, job: Job, inputs: Inputs) -> Job | Result:
        """The job, or the result if its outputs would take the place of what must stay."""
        plan = self._plan
        for other in job.lookalikes:
            if is_same_name(plan.output, other, job.target):
                reason = f"the output folder does not tell its name from that of {other.name}; rename one of them"
                return Result(job.name, "failed", reason)
        overwrite = plan.run.overwrite
        return claim_outputs(job, self._manifest, inputs, plan.output, plan.outputs_of(job), overwrite)

    def _record_untouched(self, result: Result) -> None:
        self._manifest.record_untouched(next(self._positions), result)
        self._count(result)

    def _fail_all_in_flight(self, reason: str) -> None:
        for name in self._in_flight:
            self._record_untouched(Result(name, "failed", reason))

    def _count(self, result: Result) -> None:
        self._report.totals.add(result)
        if self._trace is not None:
            self._trace.add(result)
        self._on_result(result)

    def _find_orphaned(self) -> list[str]:
        """Outputs without an input. A shard cannot know: the pictures of the others are not its own."""
        return self._manifest.orphaned() if self._plan.run.shard is None else []

    def _write_report(self) -> None:
        write_report(self._plan.report, self._report.to_json())
