"""How long a film is, without decoding it: so that what is too long is known before any work is done."""

from __future__ import annotations

from anonymizer.errors import TooLargeError
from anonymizer.video.source import Film


def check_length(film: Film, most_frames: int, most_s: float) -> None:
    """Goes through the packets of a film until its end, or until it is too long.

    Raises:
        TooLargeError: it has more frames, or lasts longer.
        PictureError: it is damaged.
    """
    facts = film.facts
    first: int | None = None
    with film.opened() as reading:
        for number, packet in enumerate(reading.film_packets(), 1):
            if number > most_frames:
                raise TooLargeError(f"has more than {most_frames} frames")
            time = packet.pts if packet.pts is not None else packet.dts
            if time is None:
                continue
            first = time if first is None else min(first, time)
            if facts.seconds(time + (packet.duration or 0) - first) > most_s:
                raise TooLargeError(f"lasts longer than {most_s:g} seconds")
