"""A task for executors whose items make trouble on demand."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from anonymizer.errors import ModelError, OutputError

logger = logging.getLogger("anonymizer.test")

FULL_DISK, KILLS, KILLS_ONCE, HANGS = 13, 666, 667, 999
LASTS_S = 0.15
"""How long each step of `Lasting` takes."""


@dataclass(frozen=True)
class Doubling:
    """Doubles numbers; some of them make trouble."""

    folder: Path
    is_broken: bool = False

    def begin(self) -> Callable[[int], int]:
        if self.is_broken:
            raise ModelError("cannot begin")
        return self.work

    def work(self, number: int) -> int:
        logger.debug("doubles %d", number)
        if number == FULL_DISK:
            raise OutputError("the disk is full")
        if number == KILLS:
            os.kill(os.getpid(), signal.SIGKILL)
        if number == KILLS_ONCE and not (self.folder / "mark").exists():
            (self.folder / "mark").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if number == HANGS:
            time.sleep(3600)
        return 2 * number

    def give_up(self, number: int, reason: str) -> int:
        (self.folder / f"gave_up_{number}").write_text(reason)
        return -number

    def sweep(self, number: int) -> None:
        (self.folder / f"swept_{number}").touch()


@dataclass(frozen=True)
class Lasting(Doubling):
    """Works in as many steps as a number says, and tells of each."""

    def begin(self) -> Callable[[int], int]:
        return _LastingWork()


class _LastingWork:
    def listen(self, beat: Callable[[str], None]) -> None:
        self._beat = beat

    def __call__(self, number: int) -> int:
        for step in range(number):
            time.sleep(LASTS_S)
            self._beat(f"step {step + 1}")
        return 2 * number
