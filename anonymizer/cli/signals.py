"""Ends a run politely on Ctrl-C, or when the system asks for it: what is in hand is finished first."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from anonymizer.cli.text import echo

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Whether somebody wants the run to end."""

    def __init__(self) -> None:
        self._signal: int | None = None

    def is_wanted(self) -> bool:
        return self._signal is not None

    @property
    def exit_code(self) -> int:
        """As shells report a process that a signal ended: 130 after Ctrl-C, 143 after SIGTERM."""
        return 128 + (self._signal or signal.SIGINT)

    def take(self, number: int, frame: FrameType | None) -> None:
        """Handles a signal: the first politely, the next at once."""
        if self._signal is not None:
            raise KeyboardInterrupt
        self._signal = number
        echo("anonymize: finishing what is in hand; once more to stop at once", err=True)


@contextmanager
def polite_stop() -> Iterator[Stop]:
    """Within it, the signals ask instead of ending the program."""
    stop = Stop()
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number in _SIGNALS:
        if before[number] is not signal.SIG_IGN:  # as in the background of a shell
            signal.signal(number, stop.take)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
