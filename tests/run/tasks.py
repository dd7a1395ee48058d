"""A task for executors whose items make trouble on demand."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from anonymizer.errors import ModelError, OutputError

logger = logging.getLogger("anonymizer.test")

FULL_DISK, KILLS, KILLS_ONCE, HANGS = 13, 666, 667, 999
KILLS_ONCE_JOINED = 40
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


@dataclass
class Secret:
    """An item that leaves a mark in each process in which it is forgotten."""

    folder: Path

    def __del__(self) -> None:
        (self.folder / f"forgotten_{os.getpid()}").touch()


@dataclass(frozen=True)
class Keeping:
    """Answers each secret with another one, or with an error."""

    fails: bool = False

    def begin(self) -> Callable[[Secret], Secret]:
        return self.work

    def work(self, secret: Secret) -> Secret:
        if self.fails:
            raise OutputError("the disk is full")
        return Secret(secret.folder)

    def give_up(self, secret: Secret, reason: str) -> Secret:
        return secret

    def sweep(self, secret: Secret) -> None:
        pass


class _LastingWork:
    def listen(self, beat: Callable[[str], None]) -> None:
        self._beat = beat

    def __call__(self, number: int) -> int:
        for step in range(number):
            time.sleep(LASTS_S)
            self._beat(f"step {step + 1}")
        return 2 * number


@dataclass(frozen=True)
class Sharing(Doubling):
    """Doubles some numbers in parts whose sum they are."""

    parts: Mapping[int, Sequence[int]] = field(default_factory=dict)

    def begin(self) -> Callable[[int], int]:
        return _SharedDoubling(self)


@dataclass
class _SharedDoubling:
    task: Sharing

    def __call__(self, number: int) -> int:
        (self.task.folder / f"whole_{number}").touch()
        return self.task.work(number)

    def split(self, number: int) -> Sequence[int]:
        return self.task.parts.get(number, ())

    def prepare(self, number: int, part: int) -> tuple[int, int]:
        return self.task.work(part), os.getpid()

    def join(self, number: int, prepared: Sequence[tuple[int, int]]) -> int:
        (self.task.folder / f"processes_{number}").write_text(str(len({process for _, process in prepared})))
        if number == KILLS_ONCE_JOINED and not (self.task.folder / "mark").exists():
            (self.task.folder / "mark").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return sum(doubled for doubled, _ in prepared)
