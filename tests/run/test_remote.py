"""What runs on the other machine, without one: it is asked, and answers."""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from run.tasks import FULL_DISK, Doubling, Lasting

from anonymizer._version import __version__
from anonymizer.errors import AnonymizerError, ModelError, OutputError
from anonymizer.run.remote import Placed, RemoteMessage, RemoteWorker, Returned
from anonymizer.run.worker import Beat, Done, Ready

PACKAGE = logging.getLogger("anonymizer")


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A worker has a process of its own; this one is not."""
    handlers, level, folder = [*PACKAGE.handlers], PACKAGE.level, os.getcwd()
    with monkeypatch.context() as patch:
        patch.setattr("anonymizer.run.worker._use_one_thread", lambda: None)
        patch.setattr("os.environ", dict(os.environ))
        yield
    PACKAGE.handlers[:] = handlers
    PACKAGE.setLevel(level)
    os.chdir(folder)


def begin(task: Any, level: int = logging.WARNING) -> RemoteWorker:
    worker = RemoteWorker()
    assert worker.begin(pickle.dumps(task), level, os.getcwd()) == ([Placed("", __version__)], False)
    return worker


def take(worker: RemoteWorker, *items: int) -> Sequence[RemoteMessage]:
    """What it says to items, all of it in one reply."""
    messages, is_last = worker.take(pickle.dumps(items))
    assert is_last
    return messages


def test_it_says_when_it_is_ready_and_answers(tmp_path: Path) -> None:
    worker = begin(Doubling(tmp_path))
    assert worker.go_on() == ([Ready()], True)
    assert [take(worker, number) for number in (1, 2)] == [[Done(2)], [Done(4)]]


def test_it_answers_items_that_come_together_in_their_order(tmp_path: Path) -> None:
    worker = begin(Doubling(tmp_path))
    worker.go_on()
    assert take(worker, 3, 1, 2) == [Done(6), Done(2), Done(4)]


def test_it_gives_back_what_would_wait_for_an_item_that_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = begin(Lasting(tmp_path))
    assert worker.go_on().is_last
    monkeypatch.setattr("anonymizer.run.remote.PATIENCE_S", 0.1)
    messages, is_last = worker.take(pickle.dumps([10, 1, 2]))
    assert messages[-1] == Returned(2)
    assert not is_last
    said = list(messages)
    while not is_last:
        messages, is_last = worker.go_on()
        said += messages
    assert [message for message in said if not isinstance(message, Beat)] == [Returned(2), Done(20)]


def test_what_is_logged_comes_with_the_answer(tmp_path: Path) -> None:
    worker = begin(Doubling(tmp_path), logging.DEBUG)
    worker.go_on()
    record, done = take(worker, 3)
    assert isinstance(record, logging.LogRecord)
    assert record.getMessage() == "doubles 3"
    assert done == Done(6)


def test_long_work_is_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anonymizer.run.remote.PATIENCE_S", 0.1)
    worker = begin(Lasting(tmp_path))
    while not worker.go_on().is_last:
        pass
    messages, is_last = worker.take(pickle.dumps([3]))
    said = list(messages)
    assert not is_last
    while not is_last:
        messages, is_last = worker.go_on()
        said += messages
    assert said == [Beat("step 1"), Beat("step 2"), Beat("step 3"), Done(6)]


def test_errors_come_as_messages(tmp_path: Path) -> None:
    (error,), _ = begin(Doubling(tmp_path, is_broken=True)).go_on()
    assert isinstance(error, ModelError)
    worker = begin(Doubling(tmp_path))
    worker.go_on()
    (error,) = take(worker, FULL_DISK)
    assert isinstance(error, OutputError)


def test_a_task_that_cannot_be_imported_is_an_error_that_says_so() -> None:
    worker = RemoteWorker()
    worker.begin(b"cgone\nVanished\n.", logging.WARNING, os.getcwd())
    (error,), _ = worker.go_on()
    assert isinstance(error, AnonymizerError)
    assert "cannot import what it is to do" in str(error)


def test_it_works_in_the_folder_of_the_run_if_that_is_there(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "gone"):
        RemoteWorker().begin(pickle.dumps(Doubling(Path())), logging.WARNING, str(folder))
        assert Path.cwd() == tmp_path


def test_it_ends_with_what_started_it(tmp_path: Path) -> None:
    """Else a machine that is given up would go on with an item that others have."""
    code = (
        "import os, sys, time; sys.path[:] = {!r}\n"
        "if os.fork(): time.sleep(2); os._exit(0)\n"
        "from anonymizer.run.remote import RemoteWorker\n"
        "RemoteWorker().begin(b'N.', 30, '/'); open({!r}, 'w').write(str(os.getpid())); time.sleep(3600)"
    ).format(sys.path, str(tmp_path / "pid"))
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    deadline = time.monotonic() + 60
    while not (tmp_path / "pid").exists() or _is_running(int((tmp_path / "pid").read_text() or 0)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _is_running(pid: int) -> bool:
    """Whether a process is there, and not only its number, which somebody has to take note of."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
