"""How far a run is: a bar on a terminal, a line now and then elsewhere."""

import io
import sys
import threading
from collections.abc import Iterator

import pytest

from anonymizer.cli.progress import Progress
from anonymizer.types import Result

DONE = Result("a.png", "anonymized", counts={"face": 2, "plate": 0})
FAILED = Result("b.png", "failed", "is empty")
SKIPPED = Result("c.png", "skipped", "beyond --limit 2")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def wait_for_the_count() -> None:
    """The thread that counts the pictures must not go on after the test."""
    for thread in threading.enumerate():
        if thread.name.endswith("(_find_total)"):
            thread.join(10)


@pytest.fixture(autouse=True)
def _counted() -> Iterator[None]:
    yield
    wait_for_the_count()


def shown(*results: Result, verbose: bool = False, quiet: bool = False, films: int = 0) -> None:
    with Progress(lambda: (5, films), verbose, quiet) as progress:
        for result in results:
            progress.show(result)


@pytest.mark.parametrize("quiet", [False, True])
def test_failures_are_named_at_once(capsys: pytest.CaptureFixture[str], quiet: bool) -> None:
    shown(DONE, FAILED, quiet=quiet)
    assert capsys.readouterr().err == "anonymize: failed: b.png: is empty\n"


def test_each_picture_is_named_on_demand(capsys: pytest.CaptureFixture[str]) -> None:
    shown(DONE, FAILED, SKIPPED, verbose=True)
    assert capsys.readouterr().err.splitlines() == [
        "anonymized: a.png: 2 faces, 0 plates",
        "anonymize: failed: b.png: is empty",
        "skipped: c.png: beyond --limit 2",
    ]


def test_only_the_first_warning_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    shown(*(Result(f"{name}.png", "anonymized", warnings=("weak", "odd")) for name in "ab"))
    assert capsys.readouterr().err == ("anonymize: warning: a.png: weak. Further such warnings are in the report.\n")


@pytest.mark.parametrize(("films", "what"), [(0, "pictures"), (3, "pictures and films"), (8, "films")])
def test_a_line_now_and_then_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, films: int, what: str
) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    counted = threading.Event()

    def count() -> tuple[int, int]:
        assert counted.wait(10)
        return 8, films

    with Progress(count, verbose=False, quiet=False) as progress:
        for seconds in (4, 4, 4):
            now += seconds
            progress.show(DONE)
        assert capsys.readouterr().err == "3 pictures, 0.2 a second\n"
        counted.set()
        wait_for_the_count()
        now += 12
        progress.show(SKIPPED)
        progress.show(DONE)
    assert capsys.readouterr().err == f"4 of 8 {what}, 0.2 a second, about 00:24 left\n"


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    shown(DONE, DONE)
    assert "picture" in terminal.getvalue()
    assert "\r" in terminal.getvalue()


def test_a_bar_of_films_counts_films(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress(lambda: (5, 5), verbose=False, quiet=False) as progress:
        wait_for_the_count()
        progress.show(DONE)
    assert "picture" not in terminal.getvalue().split("\r")[-1]


def test_nothing_is_counted_for_nobody() -> None:
    def count() -> tuple[int, int]:
        raise AssertionError("must not be asked")

    with Progress(count, verbose=False, quiet=True) as progress:
        progress.show(DONE)


def test_without_a_stderr_the_work_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    for quiet in (True, False):
        shown(DONE, FAILED, quiet=quiet)


def test_how_far_a_film_is(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anonymizer.cli.progress.SECONDS_BETWEEN_LINES", 0.0)
    with Progress(lambda: (5, 1), verbose=False, quiet=False) as progress:
        progress.tell("a.mp4", "looked at 3 of 9 frames")
    assert "a.mp4: looked at 3 of 9 frames" in capsys.readouterr().err
    with Progress(lambda: (5, 1), verbose=False, quiet=True) as progress:
        progress.tell("a.mp4", "looked at 3 of 9 frames")
    assert not capsys.readouterr().err
