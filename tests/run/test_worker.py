"""A worker process: what it sends, how it ends, and that it never outlives who started it."""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from run.tasks import FULL_DISK, HANGS, KILLS, Doubling, Keeping, Secret

from anonymizer.errors import AnonymizerError, ModelError, OutputError
from anonymizer.run.parts import Piece
from anonymizer.run.worker import Done, Ready, Worker

needs_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")


@dataclass
class Start:
    """Starts workers, and ends them after the test."""

    folder: Path
    lifeline: int
    lifeline_end: int
    workers: list[Worker[int, int]]

    def __call__(self, is_broken: bool = False, locks: tuple[int, ...] = ()) -> Worker[int, int]:
        worker: Worker[int, int] = Worker(Doubling(self.folder, is_broken), self.lifeline, locks)
        self.workers.append(worker)
        return worker


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    start = Start(tmp_path, *os.pipe(), [])
    yield start
    for worker in start.workers:
        worker.end()
    for descriptor in (start.lifeline, start.lifeline_end):
        os.close(descriptor)


def test_it_says_when_it_is_ready_and_answers_item_by_item(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "anonymizer"):
        worker = start()
        assert worker.receive() == Ready()
        for number in (1, 2):
            piece = Piece(number)
            worker.submit(piece)
            assert worker.piece is piece
            assert isinstance(worker.receive(), logging.LogRecord)
            assert worker.receive() == Done(2 * number)
    assert caplog.messages == ["doubles 1", "doubles 2"]


def test_errors_come_as_messages(start: Start) -> None:
    broken = start(is_broken=True).receive()
    assert isinstance(broken, ModelError)
    assert str(broken) == "cannot begin"
    worker = start()
    worker.receive()
    worker.submit(Piece(FULL_DISK))
    full = worker.receive()
    assert isinstance(full, OutputError)
    assert str(full) == "the disk is full"


def test_a_process_that_dies_sends_nothing_and_says_by_which_signal(start: Start) -> None:
    worker = start()
    worker.receive()
    worker.submit(Piece(KILLS))
    assert worker.receive() is None
    assert worker.end() == "signal 9"
    worker.submit(Piece(1))  # nobody is there; that is no error here
    start.workers.clear()


def test_a_process_that_hangs_is_ended_at_once(start: Start) -> None:
    worker = start()
    worker.receive()
    worker.submit(Piece(HANGS))
    assert worker.end() == "signal 9"
    start.workers.clear()


@needs_proc
def test_only_its_parent_ends_it(start: Start) -> None:
    """Ctrl-C, and what some systems send to all processes of a service, is for the parent to decide about."""
    worker = start()
    worker.receive()
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(pid_of(worker), number)
    worker.submit(Piece(1))
    assert worker.receive() == Done(2)
    assert os.getsid(pid_of(worker)) != os.getsid(0)


@needs_proc
def test_it_ends_with_its_parent_even_in_the_middle_of_an_item(tmp_path: Path) -> None:
    lifeline, lifeline_end = os.pipe()
    worker: Worker[int, int] = Worker(Doubling(tmp_path), lifeline, ())
    worker.receive()
    pid = pid_of(worker)
    worker.submit(Piece(HANGS))
    os.close(lifeline_end)  # as the system does when the parent is gone
    assert worker.receive() is None
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert worker.end() == "exit code 1"
    os.close(lifeline)


def test_it_keeps_the_locks_of_its_parent(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    lock, other = (os.open(path, os.O_RDONLY) for _ in range(2))
    fcntl.flock(lock, fcntl.LOCK_EX)
    worker = start(locks=(lock,))
    worker.receive()
    os.close(lock)
    with pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    worker.end()
    start.workers.clear()
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(other)


def pid_of(worker: Worker[int, int]) -> int:
    """The number of its process, the only child of this one that works for a run."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    (pid,) = [pid for pid in children if b"anonymizer.run.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return int(pid)


def test_a_task_that_it_cannot_import_is_an_error_that_says_so(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = ModuleType("gone")
    gone.Vanished = type("Vanished", (Doubling,), {"__module__": "gone"})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "gone", gone)
    worker: Worker[int, int] = Worker(gone.Vanished(start.folder), start.lifeline, ())
    start.workers.append(worker)
    message = worker.receive()
    assert isinstance(message, AnonymizerError)
    assert "cannot import what it is to do" in str(message)
    assert "gone" in str(message)


@pytest.mark.parametrize("fails", [False, True])
def test_a_worker_forgets_what_it_has_answered(start: Start, tmp_path: Path, fails: bool) -> None:
    worker: Worker[Secret, Secret] = Worker(Keeping(fails), start.lifeline, ())
    try:
        assert isinstance(worker.receive(), Ready)
        worker.submit(Piece(Secret(tmp_path)))
        answer = worker.receive()
        assert isinstance(answer, OutputError if fails else Done)
        end_s = time.monotonic() + 60
        while not (tmp_path / f"forgotten_{worker._process.pid}").exists():
            assert time.monotonic() < end_s
            time.sleep(0.01)
    finally:
        worker.end()
