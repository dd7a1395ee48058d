"""What a run over a folder would take: measured on a sample of it, as such a run would work on it."""

from __future__ import annotations

import random
import resource
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from anonymizer.addresses import Place
from anonymizer.errors import SettingsError
from anonymizer.files.find import find_pictures, has_extension
from anonymizer.files.read import read_file
from anonymizer.pipeline import Finder
from anonymizer.run.picture_task import PictureTask
from anonymizer.run.pool import Pool
from anonymizer.settings import DetectSettings, Settings
from anonymizer.types import Job, Result

CONFIDENCE = 0.9
"""How likely a range holds the mean over all pictures, as far as the sample is drawn well."""
_DRAWS = 2000
"""Of samples from the sample, by which the range is told (Efron 1979, "Bootstrap methods: another look at the
jackknife", percentiles)."""


class Range(NamedTuple):
    """A mean, and between what it lies."""

    mean: float
    low: float
    high: float

    def times(self, factor: float) -> Range:
        return Range(self.mean * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True)
class Estimate:
    """Of a folder."""

    pictures: int
    films: int
    """Not in the sample: how long one takes depends on its length."""
    sampled: int
    failed: Sequence[Result]
    """Pictures of the sample that a run would not be able to process."""
    picture_bytes: Range
    """Size of the file of a picture."""
    picture_s: Range
    """Seconds that a picture keeps one core busy."""
    worker_bytes: int
    """The most memory that the process took."""

    def seconds(self, cores: int) -> Range:
        """Of all pictures, on so many cores of this kind."""
        return self.picture_s.times(self.pictures / cores)

    def cost(self, price: float) -> Range:
        """
        Args:
            price: of a core for an hour.
        """
        return self.picture_s.times(self.pictures / 3600 * price)


class _Measured(NamedTuple):
    result: Result
    peak_bytes: int


@dataclass(frozen=True)
class MeasuredTask(PictureTask):
    """The task of a run, whose answers also say how much memory the process has taken at most."""

    def begin(self) -> Callable[[Job], _Measured]:  # type: ignore[override]
        work = super().begin()
        return lambda job: _Measured(work(job), _peak_bytes())

    def give_up(self, job: Job, reason: str) -> _Measured:  # type: ignore[override]
        return _Measured(super().give_up(job, reason), 0)


def estimate(
    folder: Place, settings: Settings, load: Callable[[DetectSettings], Finder], size: int, timeout_s: float = 600.0
) -> Estimate:
    """Lists a folder, and works on a sample of its pictures in one process. What it writes for that is deleted.

    Args:
        load: makes what says where faces and plates are.
        size: of the sample.
        timeout_s: seconds that a picture may take.

    Raises:
        SettingsError: the folder cannot be listed, or holds no picture.
        ModelError: a model is missing, damaged or not a detection model.
    """
    films = settings.video.video_extensions
    counts: Counter[bool] = Counter()

    def pictures() -> Iterator[Job]:
        for job in find_pictures(folder, (*settings.find.image_extensions, *films), None):
            is_film = has_extension(job.source, films)
            counts[is_film] += 1
            if not is_film:
                yield job

    sample = draw(pictures(), size)
    if not sample:
        raise SettingsError(f"input folder {folder} holds no picture")
    with tempfile.TemporaryDirectory() as scratch:
        task = MeasuredTask(folder, Path(scratch), settings, load)
        pool: Pool[Job, _Measured] = Pool(task, 1, timeout_s)
        with closing(pool):
            list(pool.run([sample[0]]))  # the first picture takes longer
            measured = [answer for _, answer in pool.run(sample)]
    done = [each for each in measured if each.result.status != "failed"]
    failed = [each.result for each in measured if each.result.status == "failed"]
    if not done:
        raise SettingsError(f"input folder {folder}: no picture of the sample can be processed: {failed[0].reason}")
    return Estimate(
        pictures=counts[False],
        films=counts[True],
        sampled=len(sample),
        failed=failed,
        picture_bytes=mean_of([len(read_file(folder / job.source)) for job in sample]),
        picture_s=mean_of([sum(each.result.seconds.values()) for each in done]),
        worker_bytes=max(each.peak_bytes for each in done),
    )


def draw(jobs: Iterable[Job], size: int) -> list[Job]:
    """A sample in which each job is as likely as any other, the same each time, in flat memory (Vitter 1985, "Random
    sampling with a reservoir", algorithm R)."""
    chance, drawn = random.Random(0), list[Job]()
    for number, job in enumerate(jobs):
        if number < size:
            drawn.append(job)
        elif (place := chance.randrange(number + 1)) < size:
            drawn[place] = job
    return [replace(job, lookalikes=()) for job in drawn]


def mean_of(values: Sequence[float]) -> Range:
    """The mean of what the values are a sample of."""
    chance = random.Random(0)
    means = sorted(statistics.fmean(chance.choices(values, k=len(values))) for _ in range(_DRAWS))
    beyond = round((1 - CONFIDENCE) / 2 * _DRAWS)
    return Range(statistics.fmean(values), means[beyond], means[-beyond - 1])


def _peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
