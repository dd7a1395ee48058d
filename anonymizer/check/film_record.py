"""What the detection JSON of a film says, frame by frame: the file may be long, and is read along with the film."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from anonymizer.check.finding import Finding
from anonymizer.record.detections import film_from_json
from anonymizer.types import Detection

MAX_TIME_OFF_S = 0.001
"""Times in the record are rounded to microseconds."""


class FilmRecord:
    """The record of one film. Ask for its frames in their order."""

    def __init__(self, file: str, name: str, entries: Iterator[tuple[int, float | None, Detection]] | None) -> None:
        """
        Args:
            file: the film, for findings.
            name: of the record.
            entries: see `film_from_json`; None if there is no record.
        """
        self._file = file
        self._name = name
        self._entries = entries
        self._next: tuple[int, float | None, Detection] | None = None
        self.findings: list[Finding] = []
        """What is wrong with the record. From there on it explains nothing."""
        self._advance()

    def in_frame(self, frame: int, time_s: float) -> list[Detection] | None:
        """What was hidden in a frame; None if nobody knows."""
        found = []
        while self._next is not None and self._next[0] == frame:
            _, recorded_s, detection = self._next
            if recorded_s is not None and abs(recorded_s - time_s) > MAX_TIME_OFF_S:
                self._give_up(f"says that frame {frame} comes at {recorded_s:.3f} s, which comes at {time_s:.3f} s")
                return None
            found.append(detection)
            self._advance()
        return None if self._entries is None else found

    def finish(self, frames: int) -> None:
        """Notes what lies behind the last frame."""
        if self._next is not None:
            self._give_up(f"speaks of frame {self._next[0]}, and the film has {frames}")

    def _advance(self) -> None:
        try:
            self._next = None if self._entries is None else next(self._entries, None)
        except (OSError, ValueError) as error:
            self._give_up(f"is damaged: {error}")

    def _give_up(self, why: str) -> None:
        self.findings.append(Finding(self._file, "record", f"{self._name} beside it {why}"))
        self._entries = self._next = None


@contextmanager
def opened_record(file: str, path: Path | None) -> Iterator[FilmRecord]:
    """
    Args:
        path: None if there is none.
    """
    if path is None:
        yield FilmRecord(file, "", None)
        return
    with ExitStack() as at_end:
        try:
            content = at_end.enter_context(open(path, "rb"))
        except OSError as error:
            record = FilmRecord(file, path.name, None)
            record.findings.append(Finding(file, "record", f"{path.name} beside it cannot be read: {error.strerror}"))
        else:
            record = FilmRecord(file, path.name, film_from_json(content))
        yield record
