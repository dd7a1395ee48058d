"""A process that carries out jobs for another one, which it does not outlive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from threading import Thread

from anonymizer.errors import AnonymizerError
from anonymizer.run.executor import Task
from anonymizer.types import Job, Result

READY = "ready"
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
_ONE_THREAD = dict.fromkeys(_THREADS, "1")


class Worker:
    """The other end, in the process that hands out the jobs."""

    def __init__(self, task: Task, lifeline: int, locks: Sequence[int]) -> None:
        """Starts the process.

        Args:
            lifeline: read end of a pipe that nobody writes to; the worker ends when it is closed.
            locks: descriptors that the worker keeps for as long as it lives.
        """
        self.job: Job | None = None
        """What it works on."""
        self.deadline = float("inf")
        """When it must be done, on the clock of time.monotonic()."""
        self.is_ready = False
        """Whether its models are loaded."""
        self.connection, other_end = Pipe()
        # Not multiprocessing.Process, which runs the main script again, to the surprise of scripts without a guard.
        code = (
            f"import sys; sys.path[:] = {[str(place) for place in sys.path]!r}; "
            f"from anonymizer.run.worker import serve; serve({other_end.fileno()}, {lifeline})"
        )
        with other_end:
            self._process = subprocess.Popen(
                [sys.executable, "-c", code],
                stdin=subprocess.DEVNULL,
                pass_fds=(other_end.fileno(), lifeline, *locks),
                start_new_session=True,  # Ctrl-C reaches the parent alone, which decides
                env={**_ONE_THREAD, **os.environ},
            )
        with suppress(OSError):
            self.connection.send(task)

    def hand(self, job: Job) -> None:
        self.job = job
        with suppress(OSError):  # if it has died, that shows where its answer is awaited
            self.connection.send(job)

    def answer(self) -> Result | AnonymizerError | str | None:
        """What it sent: its result, an error that ends the run, READY, or None if it has died."""
        try:
            return self.connection.recv()  # type: ignore[no-any-return]
        except (EOFError, OSError):
            return None

    def end(self) -> str:
        """Ends the process at once, if it has not ended, and says how it ended."""
        self._process.kill()
        self.connection.close()
        code = self._process.wait()
        return f"signal {-code}" if code < 0 else f"exit code {code}"


def serve(connection_number: int, lifeline: int) -> None:
    """The life of a worker process."""
    for ignored in (signal.SIGINT, signal.SIGTERM):  # some systems send them to all processes of a service
        signal.signal(ignored, signal.SIG_IGN)
    Thread(target=_end_with_parent, args=[lifeline], daemon=True).start()
    with Connection(connection_number) as connection, suppress(EOFError, BrokenPipeError, ConnectionResetError):
        _carry_out_jobs(connection)  # until the parent is gone


def _carry_out_jobs(connection: Connection) -> None:
    task: Task = connection.recv()
    try:
        work = task.begin()
    except AnonymizerError as error:
        connection.send(error)
        return
    _use_one_thread()
    connection.send(READY)
    while True:
        job: Job = connection.recv()
        try:
            answer: Result | AnonymizerError = work(job)
        except AnonymizerError as error:
            answer = error
        connection.send(answer)


def _end_with_parent(lifeline: int) -> None:
    os.read(lifeline, 1)  # returns when the parent is gone
    os._exit(1)


def _use_one_thread() -> None:
    """The cores are shared out among the workers already."""
    import cv2

    cv2.setNumThreads(1)
