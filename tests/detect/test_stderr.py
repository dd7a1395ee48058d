"""The redirection of stderr, on the file descriptor itself."""

import os
from threading import Event, Thread

import pytest

from anonymizer.detect.stderr import LOG_LEVEL, STDERR, suppress_native_stderr


def test_what_is_written_inside_is_lost_and_stderr_comes_back(capfd: pytest.CaptureFixture[str]) -> None:
    os.write(STDERR, b"before ")
    with suppress_native_stderr():
        os.write(STDERR, b"inside ")
    os.write(STDERR, b"after")
    assert capfd.readouterr().err == "before after"


def test_stderr_comes_back_after_an_exception(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError), suppress_native_stderr():
        raise KeyError
    os.write(STDERR, b"after")
    assert capfd.readouterr().err == "after"


def test_stderr_comes_back_when_the_last_of_several_threads_leaves(capfd: pytest.CaptureFixture[str]) -> None:
    is_inside, may_leave = Event(), Event()

    def stay() -> None:
        with suppress_native_stderr():
            is_inside.set()
            may_leave.wait()
            os.write(STDERR, b"inside")

    thread = Thread(target=stay)
    with suppress_native_stderr():
        thread.start()
        is_inside.wait()
    os.write(STDERR, b"still inside")
    may_leave.set()
    thread.join()
    os.write(STDERR, b"after")
    assert capfd.readouterr().err == "after"


def test_a_closed_stderr_stays_closed() -> None:
    original = os.dup(STDERR)
    try:
        os.close(STDERR)
        with suppress_native_stderr():
            pass
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(STDERR)
    finally:
        os.dup2(original, STDERR)
        os.close(original)


@pytest.mark.parametrize("level", [None, "1"])
def test_the_environment_comes_back(monkeypatch: pytest.MonkeyPatch, level: str | None) -> None:
    monkeypatch.delenv(LOG_LEVEL, raising=False)
    if level is not None:
        monkeypatch.setenv(LOG_LEVEL, level)
    with suppress_native_stderr():
        assert os.environ[LOG_LEVEL] == (level or "3")
    assert os.environ.get(LOG_LEVEL) == level
