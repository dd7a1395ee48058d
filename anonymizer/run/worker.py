"""A process that works on items for another one, which it does not outlive."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from logging.handlers import QueueHandler
from multiprocessing.connection import Connection, Pipe
from threading import Thread
from typing import Any, Generic, Protocol, TypeAlias

from anonymizer.errors import AnonymizerError
from anonymizer.files.library_messages import catch_messages
from anonymizer.run.executor import Answer, Item, LongWork, Task
from anonymizer.run.parts import Piece, carry_out

_PACKAGE = __name__.partition(".")[0]
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
ONE_THREAD = dict.fromkeys(_THREADS, "1")


@dataclass(frozen=True)
class Ready:
    """The worker has made everything ready, and can work on items."""


@dataclass(frozen=True)
class Done(Generic[Answer]):
    """The answer to the piece of work that the worker was given."""

    answer: Answer


@dataclass(frozen=True)
class Beat:
    """The worker goes on with an item that takes long."""

    text: str
    """How far it is."""


Message: TypeAlias = Ready | Beat | Done[Answer] | AnonymizerError | logging.LogRecord
"""What a worker sends. An error ends the run; what it logged is logged here already."""


class Channel(Protocol):
    """The way to who hands out the items, seen from the worker."""

    def send(self, message: Any, /) -> None: ...
    def recv(self) -> Any: ...


class Worker(Generic[Item, Answer]):
    """The other end, in the process that hands out the items."""

    def __init__(self, task: Task[Item, Answer], lifeline: int, locks: Sequence[int]) -> None:
        """Starts the process.

        Args:
            lifeline: read end of a pipe that nobody writes to; the worker ends when it is closed.
            locks: descriptors that the worker keeps for as long as it lives.
        """
        self.piece: Piece[Item] | None = None
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
                env={**ONE_THREAD, **os.environ},
            )
        with suppress(OSError):
            self.connection.send((task, logging.getLogger(_PACKAGE).getEffectiveLevel()))

    def submit(self, piece: Piece[Item]) -> None:
        self.piece = piece
        with suppress(OSError):  # if it has died, that shows where its answer is awaited
            self.connection.send(piece)

    def receive(self) -> Message[Answer] | None:
        """The next message; None if it has died. Waits for one, but never for a second."""
        try:
            message: Message[Answer] = self.connection.recv()
        except (EOFError, OSError):
            return None
        if isinstance(message, logging.LogRecord):
            logging.getLogger(message.name).handle(message)
        return message

    def end(self, grace_s: float = 0.0) -> str:
        """Ends the process, if it has not ended, and says how it ended.

        Args:
            grace_s: how long it may take to end by itself, which tells why it does.
        """
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(grace_s)
        self._process.kill()
        self.connection.close()
        code = self._process.wait()
        return f"signal {-code}" if code < 0 else f"exit code {code}"


def serve(connection_number: int, lifeline: int) -> None:
    """The life of a worker process."""
    for ignored in (signal.SIGINT, signal.SIGTERM):  # some systems send them to all processes of a service
        signal.signal(ignored, signal.SIG_IGN)
    Thread(target=_end_with_parent, args=[lifeline], daemon=True).start()
    with (
        catch_messages(),
        Connection(connection_number) as connection,
        suppress(EOFError, BrokenPipeError, ConnectionResetError),
    ):
        work_for(connection)  # until the parent is gone


class _Forward(QueueHandler):
    """Sends what is logged here, with tracebacks as text, to the process that hands out the items."""

    def __init__(self, connection: Channel) -> None:
        super().__init__(connection)  # type: ignore[arg-type]
        self._connection = connection

    def enqueue(self, record: logging.LogRecord) -> None:
        self._connection.send(record)


def work_for(connection: Channel) -> None:
    """Receives a task and the level of the log, says when it is ready, and answers item after item.

    Raises:
        EOFError: nobody hands out items any more.
    """
    try:
        task, level = connection.recv()
    except (ImportError, AttributeError) as error:
        text = "a worker process cannot import what it is to do; it must lie at the top level of a module"
        connection.send(AnonymizerError(f"{text}, or use --workers 0: {error}"))
        return
    logger = logging.getLogger(_PACKAGE)
    logger.setLevel(level)
    logger.addHandler(_Forward(connection))
    try:
        work = task.begin()
    except AnonymizerError as error:
        connection.send(error)
        return
    except Exception as error:
        logger.debug("the worker process cannot begin", exc_info=True)
        connection.send(AnonymizerError(f"a worker process cannot begin: {type(error).__name__}: {error}"))
        return
    _use_one_thread()
    if isinstance(work, LongWork):
        work.listen(lambda text: connection.send(Beat(text)))
    connection.send(Ready())
    while True:
        piece = connection.recv()
        try:
            message: Done[object] | AnonymizerError = Done(carry_out(work, piece))
        except AnonymizerError as error:
            message = error
        connection.send(message)
        del piece, message  # they may be large, or nobody's business any more, and the next ones may take long to come


def _end_with_parent(lifeline: int) -> None:
    os.read(lifeline, 1)  # returns when the parent is gone
    os._exit(1)


def _use_one_thread() -> None:
    """The cores are shared out among the workers already."""
    import cv2

    cv2.setNumThreads(1)
