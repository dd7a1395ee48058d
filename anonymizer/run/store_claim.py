"""Who writes to an output in a store: at most one run at a time, or one for each share.

Stores have no locks, and not all of them refuse to replace a file that is there. So each run puts a file of its own
there, and renews it while it lives. Whoever sees that of another run being renewed withdraws. Since listings of stores
show what was put before, at least one of two runs that begin together sees the other.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from anonymizer.addresses import Address
from anonymizer.errors import OutputError
from anonymizer.files.storage import Entry, local_folder, storage_of
from anonymizer.settings import Shard

logger = logging.getLogger(__name__)

RENEWED_S = 10.0
"""How often a claim is renewed, seconds."""
GIVEN_UP_S = 60.0
"""A claim that has not been renewed for so long is that of a run that was killed, seconds."""
_PREFIX = "claim-"
_OF_ALL = "all"


class StoreClaim:
    """The claim of one run, which holds until it is closed."""

    def __init__(self, root: Address, folder: Path, shard: Shard | None) -> None:
        """Claims the output, and waits for a run that seems to have been killed.

        Args:
            folder: for the files of claims.

        Raises:
            OutputError: another run is writing there, or the store cannot be written.
        """
        self.id = uuid.uuid4().hex
        self._storage = storage_of(root)
        self._root = root
        self._folder = folder
        self._share = _OF_ALL if shard is None else f"{shard.number}-of-{shard.of}"
        self._name = folder / f"{_PREFIX}{self._share}-{self.id}"
        self._renewals = 0
        self._renewed_s = time.monotonic()
        self._is_gone = False
        self._end = threading.Event()
        # Workers hold it, too: on this machine it is seen at once when all of them have ended.
        self.lock = os.open(_local_lock(self.id), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self._thread = threading.Thread(target=self._keep, daemon=True)
        try:
            self._renew()
            self._thread.start()
            for other in self._others():
                self._outwait(other)
        except OSError as error:
            self.close()
            raise OutputError(f"output {root}: {error.strerror}") from None
        except BaseException:
            self.close()
            raise

    def check(self) -> None:
        """
        Raises:
            OutputError: the claim may not hold any more.
        """
        if self._is_gone or time.monotonic() - self._renewed_s > GIVEN_UP_S * 0.75:
            raise OutputError(
                f"output {self._root}: the claim on it could not be renewed, and another run may go on there; "
                "nothing more is written"
            )

    def modified_ns(self) -> int:
        """The time by the clock of the store.

        Raises:
            OSError: it does not say.
        """
        found = self._storage.stat(self._name)
        return 0 if found is None else found.modified_ns

    def close(self) -> None:
        self._end.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(GIVEN_UP_S)
        with suppress(OSError):
            self._storage.remove(self._name)
            _local_lock(self.id).unlink(missing_ok=True)  # else it tells the next run that this one has ended
        os.close(self.lock)

    def _renew(self) -> None:
        self._renewals += 1
        began_s = time.monotonic()
        self._storage.write(self._name, b"%d" % self._renewals)
        self._renewed_s = began_s

    def _keep(self) -> None:
        while not self._end.wait(RENEWED_S):
            try:
                if self._storage.stat(self._name) is None:  # others took it for that of a killed run
                    self._is_gone = True
                    return
                self._renew()
            except OSError as error:
                logger.debug("the claim on the output cannot be renewed: %s", error.strerror)

    def _others(self) -> Iterator[Entry]:
        """The claims of other runs over the same pictures."""
        for page in self._storage.list(self._folder):
            for entry in page:
                share = entry.name.removeprefix(_PREFIX).rpartition("-")[0]
                is_apart = share != self._share and _parts(share) == _parts(self._share)
                if entry.name.startswith(_PREFIX) and entry.name != self._name.name and not is_apart:
                    yield entry

    def _outwait(self, other: Entry) -> None:
        """Waits until it is sure that the run of another claim has ended, and removes that claim.

        Raises:
            OutputError: the run goes on.
        """
        name, stamp = self._folder / other.name, other.stamp
        began_s = time.monotonic()
        while not _has_ended_here(other.name.rpartition("-")[2]) and time.monotonic() - began_s < GIVEN_UP_S:
            logger.info("waiting for another run over the same output, which may have been killed")
            time.sleep(min(1.0, GIVEN_UP_S / 10))
            now = self._storage.stat(name)
            if now is None:
                return
            if now.stamp != stamp:
                raise OutputError(f"output {self._root}: another run is writing there; wait for its end")
        self._storage.remove(name)


def _parts(share: str) -> str:
    """Into how many shares the input is divided; "all" for none."""
    return share.rpartition("-of-")[2]


def _local_lock(claim: str) -> Path:
    return local_folder() / f"{_PREFIX}{claim}"


def _has_ended_here(claim: str) -> bool:
    """Whether a run was on this machine, and it and its workers have ended. False if that is not known."""
    try:
        descriptor = os.open(_local_lock(claim), os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        _local_lock(claim).unlink(missing_ok=True)
        return True
    finally:
        os.close(descriptor)
