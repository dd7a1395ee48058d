"""A part of a film by time, as a film of its own: what lies before and after it is never written.

The film is decoded from beginning to end all the same, since only so it is certain that nothing is missing. Times are
shifted so that the part begins when the film did, in each stream by a whole number of its units.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from av import Packet
from av.stream import Stream

from anonymizer.errors import PictureError
from anonymizer.video.facts import Chapter, FilmFacts
from anonymizer.video.source import Film, FilmFrame, Reading


@dataclass(frozen=True)
class Cut:
    """From when to when, on the clock of the file."""

    first_s: Fraction
    end_s: Fraction | None
    """None: to the end."""
    start_s: Fraction = Fraction(0)
    """When the film begins, and then the part."""

    def holds(self, time: int | None, time_base: Fraction) -> bool:
        """Whether something that begins at a time belongs to it; what has no time does not."""
        if time is None:
            return False
        moment = time * time_base
        return self.first_s <= moment and (self.end_s is None or moment < self.end_s)

    def shift(self, time_base: Fraction) -> int:
        """What is taken from all times, in units of a time base."""
        return round((self.first_s - self.start_s) / time_base)


@dataclass(frozen=True)
class TrimmedFilm(Film):
    """A film that was opened, of which a part counts. The facts are those of the part."""

    whole: FilmFacts = field(kw_only=True)
    """Of the whole film."""
    cut: Cut = field(kw_only=True)
    on_skipped: Callable[[int], None] = field(kw_only=True)
    """Called with the number of frames that were passed over so far."""

    @property
    def is_whole(self) -> bool:
        return False

    def packet_times(self) -> list[tuple[int, bool]]:
        """None is known: the processes that look ahead would look at frames of the whole film."""
        return []

    @contextmanager
    def opened(self) -> Iterator[Reading]:
        """One way through the part; see `Film.opened`."""
        with Film(self.path, self.whole, self.settings).opened() as reading:
            yield TrimmedReading(reading, self.whole, self.cut, self.on_skipped)


class TrimmedReading(Reading):
    """One way through a part of a film. Packets of the film itself are not told: none of them is copied."""

    def __init__(self, whole: Reading, facts: FilmFacts, cut: Cut, on_skipped: Callable[[int], None]) -> None:
        self._whole = whole
        self._facts = facts
        self._cut = cut
        self._on_skipped = on_skipped
        self.film_bytes = 0
        self.on_packet: Callable[[Packet[Stream]], None] = lambda packet: None
        whole.on_packet = self._count

    def _count(self, packet: Packet[Any]) -> None:
        if self._cut.holds(packet.pts, packet.time_base):
            self.film_bytes += packet.size

    def stream(self, index: int) -> Stream:
        return self._whole.stream(index)

    def film_packets(self) -> Iterator[Packet[Any]]:
        return iter(())

    def __iter__(self) -> Iterator[FilmFrame | Packet[Stream]]:
        """
        Raises:
            PictureError: the film is damaged, or shows no frame in the part.
        """
        base, index = self._facts.time_base, 0
        for item in self._whole:
            if isinstance(item, FilmFrame):
                if self._cut.holds(item.time, base):
                    yield FilmFrame(index, item.time - self._cut.shift(base), item.picture)
                    index += 1
                else:
                    self._on_skipped(item.index + 1 - index)
            elif self._cut.holds(item.pts, item.time_base):
                shift = self._cut.shift(item.time_base)
                item.pts = None if item.pts is None else item.pts - shift
                item.dts = None if item.dts is None else item.dts - shift
                yield item
        if not index:
            raise PictureError("shows no frame between --video-from and --video-to")


def trim(
    film: Film, first_s: float, end_s: float | None, on_skipped: Callable[[int], None] = lambda number: None
) -> Film:
    """The part of a film between two times, in seconds from its first frame on; the film itself if that is all.

    Frames and packets belong to it that begin in it.

    Args:
        on_skipped: called with the number of frames that were passed over so far.

    Raises:
        PictureError: the film is damaged.
    """
    if not first_s and end_s is None:
        return film
    facts = film.facts
    with film.opened() as reading:
        start = next((item.time for item in reading if isinstance(item, FilmFrame)), 0) * facts.time_base
    cut = Cut(start + _exact(first_s), None if end_s is None else start + _exact(end_s), start)
    end = facts.end
    if cut.end_s is not None and (end is None or end * facts.time_base > cut.end_s):
        end = int(cut.end_s / facts.time_base)
    part = replace(
        facts,
        end=None if end is None else end - cut.shift(facts.time_base),
        announced_frames=None,
        chapters=tuple(_chapters(facts, cut)),
    )
    return TrimmedFilm(film.path, part, film.settings, whole=facts, cut=cut, on_skipped=on_skipped)


def _exact(seconds: float) -> Fraction:
    """As people write it: 0.4 is a little more in binary digits."""
    return Fraction(seconds).limit_denominator(10**6)


def _chapters(facts: FilmFacts, cut: Cut) -> Iterator[Chapter]:
    for chapter in facts.chapters:
        base = chapter.time_base
        first = max(chapter.start, round(cut.first_s / base))
        end = chapter.end if cut.end_s is None else min(chapter.end, round(cut.end_s / base))
        if first < end:
            yield chapter._replace(start=first - cut.shift(base), end=end - cut.shift(base))
