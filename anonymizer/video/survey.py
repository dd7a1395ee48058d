"""What the first pass over a film takes down on its way, beside what is to be hidden."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator

from av import Packet
from av.stream import Stream

from anonymizer.video.facts import FilmFacts
from anonymizer.video.packets import CONTAINERS, FilmPackets
from anonymizer.video.selection import TEXT_CODECS, holds_coordinates, holds_files
from anonymizer.video.source import Film, FilmFrame
from anonymizer.video.verify import Account


class Survey:
    """A film whose frames are gone through once; afterwards it is known what the file holds."""

    def __init__(self, film: Film, on_frame: Callable[[int], None] = lambda number: None) -> None:
        """
        Args:
            on_frame: called with the number of frames so far.
        """
        self._film = film
        self._on_frame = on_frame
        self.account = Account(film.facts.time_base)
        self.times = array("q")
        """When each frame is shown, in units of the time base."""
        self.telemetry: set[int] = set()
        """Indices of the subtitle streams that hold coordinates or files."""
        self.bit_rate: float | None = None
        """Of the film's stream, bits a second."""
        self.packets: FilmPackets | None = None
        """Those of the film, where parts of it may be copied."""

    @property
    def facts(self) -> FilmFacts:
        return self._film.facts

    def frames(self) -> Iterator[FilmFrame]:
        """All frames, see `Film.frames`.

        Raises:
            PictureError: the film is damaged.
        """
        with self._film.opened() as reading:
            texts = {stream.index for stream in self.facts.streams if stream.codec in TEXT_CODECS}
            self.telemetry |= {index for index in texts if holds_files(_header_of(reading.stream(index)))}
            if self._film.is_whole and self.facts.codec == "h264" and self.facts.container in CONTAINERS:
                self.packets = FilmPackets(_header_of(reading.stream(self.facts.index)))
                reading.on_packet = self._note_packet
            for item in self.account.noted(reading):
                if isinstance(item, FilmFrame):
                    self.times.append(item.time)
                    self._on_frame(len(self.times))
                    yield item
                elif item.stream.index in texts and _tells_a_place(item):
                    self.telemetry.add(item.stream.index)
            self.bit_rate = self._bit_rate(reading.film_bytes)

    @property
    def duration_s(self) -> float:
        """From the first frame to where the last one ends, as far as that is known."""
        first, last = self.times[0], self.times[-1]
        usual = (last - first) / max(1, len(self.times) - 1)
        end = self.facts.end if self.facts.end is not None and self.facts.end > last else last + usual
        return float((end - first) * self.facts.time_base)

    def _note_packet(self, packet: Packet[Stream]) -> None:
        if self.packets is not None:
            self.packets.note(bytes(packet), packet.pts, packet.dts, not packet.is_discard)

    def _bit_rate(self, film_bytes: int) -> float | None:
        return 8 * film_bytes / self.duration_s if self.times and self.duration_s > 0 else None


def _tells_a_place(packet: Packet[Stream]) -> bool:
    return holds_coordinates(bytes(packet).decode("utf-8", "replace"))


def _header_of(stream: Stream) -> bytes:
    return stream.codec_context.extradata or b""
