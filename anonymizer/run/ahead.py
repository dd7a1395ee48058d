"""Fetches the next pictures from a store while the workers are busy with those before."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from anonymizer.addresses import Address
from anonymizer.files.find import has_extension
from anonymizer.files.storage import local_folder, storage_of
from anonymizer.formats import FILM_EXTENSIONS
from anonymizer.types import Job

AHEAD_BYTES = 256_000_000
"""So much lies in the temporary folder at most, and in memory while it comes."""
AHEAD_A_WORKER = 2
MOST_THREADS = 16


class ReadingAhead:
    """Pictures that are fetched, and not done yet."""

    def __init__(self, root: Address, workers: int, folder: Path, threads: ThreadPoolExecutor) -> None:
        self._storage = storage_of(root)
        self._most = AHEAD_A_WORKER * max(1, workers)
        self._folder = folder
        self._threads = threads
        self._held: dict[str, int] = {}
        """Bytes of each picture that is fetched and not done, by its name."""
        self._number = 0

    def over(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """The same jobs as they are fetched, so perhaps in another order; some are taken before they are asked for."""
        rest, fetched = iter(jobs), dict[Future[Job], Job]()
        job = next(rest, None)
        while job is not None or fetched:
            while job is not None and (not fetched or self._has_room(job, len(fetched))):
                fetched[self._begin(job)] = job
                job = next(rest, None)
            done = next((future for future in fetched if future.done()), None)
            if done is None:
                done = next(iter(wait(fetched, return_when=FIRST_COMPLETED).done))
            del fetched[done]
            yield done.result()

    def forget(self, job: Job) -> None:
        """A job is done."""
        self._held.pop(job.name, None)
        if job.ahead is not None:
            job.ahead.unlink(missing_ok=True)

    def _has_room(self, job: Job, number: int) -> bool:
        return number < self._most and sum(self._held.values()) + _size_of(job) <= AHEAD_BYTES

    def _begin(self, job: Job) -> Future[Job]:
        size = _size_of(job)
        if not 0 < size <= AHEAD_BYTES or has_extension(job.source, FILM_EXTENSIONS):
            as_it_is: Future[Job] = Future()
            as_it_is.set_result(job)
            return as_it_is
        self._held[job.name] = size
        self._number += 1
        return self._threads.submit(self._fetch, job, self._folder / str(self._number))

    def _fetch(self, job: Job, place: Path) -> Job:
        try:
            place.write_bytes(self._storage.read(job.source))
        except OSError:  # whoever works on it tries again, and says what is wrong
            place.unlink(missing_ok=True)
            return job
        return replace(job, ahead=place)


@contextmanager
def reading_ahead(root: Address, workers: int) -> Iterator[ReadingAhead]:
    """What was fetched and not used is gone at the end."""
    with tempfile.TemporaryDirectory(prefix="ahead-", dir=local_folder(), ignore_cleanup_errors=True) as folder:
        threads = ThreadPoolExecutor(min(MOST_THREADS, AHEAD_A_WORKER * max(1, workers)))
        try:
            yield ReadingAhead(root, workers, Path(folder), threads)
        finally:
            threads.shutdown(wait=True, cancel_futures=True)


def _size_of(job: Job) -> int:
    """Bytes, as the store said when it was listed, see `Entry.stamp`; 0 where it did not."""
    size = (job.version or "").partition(" ")[0]
    return int(size) if size.isdecimal() else 0
