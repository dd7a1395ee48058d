"""The results of audits as JSON, Markdown and pages of HTML that need nothing else."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, starmap
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from anonymizer.audit.identify import Attack
from anonymizer.audit.leak import Leaks
from anonymizer.audit.plates import Reading
from anonymizer.audit.reverse import Reversed
from anonymizer.audit.scores import Share
from anonymizer.audit.summary import summarise
from anonymizer.audit.tables import to_image, to_lines, to_page, write_table, write_text
from anonymizer.audit.utility import Kept, Utility
from anonymizer.files.encode import encode_png
from anonymizer.types import Pixels8

if TYPE_CHECKING:  # they need PyAV, which other audits do without
    from anonymizer.audit.film_leak import FilmLeaks
    from anonymizer.audit.plate_reader import DrawnReading

SHOWN_FACES = 24
WORST_TRACKS = 20
NAMES = 3
"""So many kinds of objects are named, the most frequent ones."""
_COLUMNS = ("redaction", "attacker", "rank-1", "rank-5", "TAR at FAR 1 %", "TAR at FAR 0.1 %", "equal error rate")


def write_attacks(
    folder: Path, name: str, attacks: Sequence[Attack], about: Mapping[str, object], missed: Sequence[str]
) -> None:
    """Writes NAME.json, NAME.md and NAME.html.

    Args:
        name: of the command.
        about: what the figures depend on.
        missed: pictures in which nothing was found; they count in no figure.
    """
    described = {**about, "missed": list(missed), "attacks": [attack.to_json() for attack in attacks]}
    write_text(folder / f"{name}.json", json.dumps(described, indent=2) + "\n")
    write_text(folder / f"{name}.md", to_markdown(attacks, missed))
    rows = "\n".join(
        "<tr>" + "".join(f"<td{_class_of(attack)}>{html.escape(cell)}</td>" for cell in _cells(attack)) + "</tr>"
        for attack in attacks
    )
    head = "".join(f"<th>{html.escape(column)}</th>" for column in _COLUMNS)
    body = f"<table><tr>{head}</tr>\n{rows}</table>\n<p>{html.escape(_note(attacks, missed))}</p>"
    sizes = _size_rows(attacks)
    if sizes:
        cells = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in sizes)
        body += "\n<table>" + "\n".join(f"<tr>{row}</tr>" for row in cells) + "</table>"
    write_text(folder / f"{name}.html", to_page("Who is it?", body))


def to_markdown(attacks: Sequence[Attack], missed: Sequence[str]) -> str:
    """A small table with one row for each redaction, one with one row for each attack, and what their figures mean."""
    lines = to_lines([_COLUMNS, *map(_cells, attacks)])
    sizes = _size_rows(attacks)
    by_size = ["", *to_lines(sizes)] if sizes else []
    return "\n".join([*to_lines(summarise(attacks)), "", *lines, "", _note(attacks, missed), *by_size, ""])


def write_reversal(folder: Path, result: Reversed) -> None:
    """Writes reverse.json, reverse.html and rows.png, which shows faces: do not publish it of people who mind."""
    write_text(folder / "reverse.json", json.dumps(result.to_json(), indent=2) + "\n")
    rows = result.rows(SHOWN_FACES)
    picture = encode_png(stack_rows(rows))
    (folder / "rows.png").write_bytes(picture)
    measured = {"redacted": result.before, "smoothed": result.smoothed, "reversed": result.after}
    cells = [[name, f"{one.error:.2%}", f"{one.psnr_db:.1f} dB", f"{one.ssim:.3f}"] for name, one in measured.items()]
    lines = to_lines([["", "mean absolute error", "PSNR", "SSIM"], *cells])
    write_text(folder / "reverse.md", "\n".join([*lines, ""]))
    table = "\n".join(f"<p>{html.escape(line)}</p>" for line in lines if "---" not in line)
    text = (
        f"Redaction {result.training.redaction}. {result.trained_on} faces to train on, {len(result.pairs)} of others "
        "held out. In each row: original, redacted, reversed, error."
    )
    body = f"<p>{html.escape(text)}</p>\n{table}\n{to_image(picture)}"
    write_text(folder / "reverse.html", to_page("Faces brought back", body))


def write_leaks(folder: Path, leaks: Leaks) -> str:
    """Writes leak.json, leak.md and leak.html; returns the second."""
    columns = ("kind", "objects", "hidden by 90 % and more", "untouched", "mean share left", "found again")
    notes = [
        f"{leaks.hidden_elsewhere:.2%} of the pixels elsewhere have changed.",
        f"{len(leaks.missing)} pictures have no output.",
        "Of these most is left:",
        *(f"- {one.picture}: {one.kind} of {one.height_px:.0f} px, {one.left:.0%} left" for one in leaks.worst()),
    ]
    rows = list(_leak_rows(leaks))
    return write_table(folder, "leak", "What is left visible", columns, rows, notes, leaks.to_json())


def write_film_leaks(folder: Path, leaks: FilmLeaks) -> str:
    """Writes leak.json, leak.md and leak.html, which shows the worst objects; returns the second."""
    columns = [
        *("film and kind", "objects", "visible", "frames", "frames with visible", "tracks", "ever visible"),
        *("longest run visible", "detail left: mean", "most"),
    ]
    rows = [
        [
            name,
            str(one.objects),
            str(one.visible),
            str(one.frames),
            str(one.frames_with_visible),
            str(one.tracks),
            str(one.tracks_ever_visible),
            f"{one.longest} frames",
            f"{one.mean_left:.3f}",
            f"{one.largest_left:.3f}",
        ]
        for name, one in leaks.summaries()
    ]
    notes = [
        f"{leaks.frames} labelled frames. {len(leaks.missing)} films have no output.",
        "Of these tracks most is visible:",
        *(
            f"- {one.film}: {one.kind} {one.track}, visible in {one.visible} of {one.frames} frames, "
            f"{one.longest} in a row, after it was hidden {one.gaps} times"
            for one in leaks.tracks()[:WORST_TRACKS]
            if one.visible
        ),
        "Of these objects most is left:",
        *(
            f"- {one.film}, frame {one.frame}: {one.kind} of {one.height_px:.0f} px, {one.left:.0%} left"
            for one, _ in leaks.shown
        ),
    ]
    shown = stack_rows([[picture] for _, picture in leaks.shown]) if leaks.shown else None
    return write_table(folder, "leak", "What is left visible", columns, rows, notes, leaks.to_json(), shown)


def write_readings(folder: Path, readings: Sequence[Reading]) -> str:
    """Writes plates.json, plates.md and plates.html; returns the second."""
    columns = ("redaction", "plates found", "read all the same", "plates missed", "of these read")
    rows = [
        [one.redaction, str(one.plates - one.missed), str(one.read), str(one.missed), str(one.missed_and_read)]
        for one in readings
    ]
    described = [reading.to_json() for reading in readings]
    return write_table(folder, "plates", "Plates read", columns, rows, [], described)


def write_drawn_readings(folder: Path, readings: Sequence[DrawnReading], about: Mapping[str, object]) -> str:
    """Writes plates.json, plates.md and plates.html; returns the second.

    Args:
        about: what the figures depend on.
    """
    columns = ("redaction", "seen", "plates", "read", "letters right", "by chance")
    rows = [
        [
            one.redaction,
            one.seen,
            str(one.plates),
            str(one.read),
            f"{one.letters:.3f}",
            f"up to {one.chance + 2 * one.chance_error:.3f}: {'yes' if one.is_by_chance else 'no'}",
        ]
        for one in readings
    ]
    notes = [f"Readers trained on {one.trained_on} plates each." for one in readings[:1]]
    described = {**about, "readings": [one.to_json() for one in readings]}
    return write_table(folder, "plates", "Drawn plates read", columns, rows, notes, described)


def write_utility(folder: Path, costs: Sequence[Utility], about: Mapping[str, object]) -> str:
    """Writes utility.json, utility.md and utility.html; returns the second.

    Args:
        about: what the figures depend on.
    """
    columns = ["redaction", "hidden", "most hidden", "unchanged outside", "largest change outside", "edges", "colours"]
    detected, classified = (any(getattr(one, part) for one in costs) for part in ("detected", "classified"))
    if detected:
        columns += ["objects found again", "of those touched", "mAP 0.5 to itself", "mAP", "mAP 0.5 by labels", "mAP"]
    if classified:
        columns += ["same class", "among five"]
    rows = [_utility_cells(one) for one in costs]
    notes = []
    for one in costs:
        names = {} if one.detected is None else dict(islice(one.detected.kept_of_name.items(), NAMES))
        notes += [f"{one.redaction}, found again: {', '.join(starmap(_kept_text, names.items()))}."] if names else []
        name, change = one.worst[0]
        if change.changed_outside > 0:
            notes.append(f"{one.redaction}: most has changed outside in {name}, {change.changed_outside:.2%} of it.")
    described = {**about, "redactions": [one.to_json() for one in costs]}
    return write_table(folder, "utility", "What redaction costs", columns, rows, notes, described)


def _utility_cells(cost: Utility) -> list[str]:
    cells = [
        cost.redaction,
        f"{cost.hidden:.2%}",
        f"{cost.most_hidden:.1%}",
        f"{cost.unchanged_outside} of {cost.pictures}",
        f"{cost.largest_outside} levels in {cost.changed_outside:.2%} of the pixels",
        f"{cost.edges_outside:.3f}",
        f"{cost.colours:.3f}",
    ]
    if cost.detected is not None:
        kept, own = cost.detected.kept, cost.detected.to_itself
        before, after = cost.detected.before, cost.detected.after
        cells += [
            f"{kept.found_again} of {kept.objects}",
            f"{kept.touched_found_again} of {kept.touched}",
            *(["", ""] if own is None else [f"{own.at_half:.3f}", f"{own.mean:.3f}"]),
            *(
                ["", ""]
                if before is None or after is None
                else [f"{before.at_half:.3f} to {after.at_half:.3f}", f"{before.mean:.3f} to {after.mean:.3f}"]
            ),
        ]
    if cost.classified is not None:
        cells += [f"{cost.classified.same_class:.3f}", f"{cost.classified.among_five:.3f}"]
    return cells


def _kept_text(name: str, kept: Kept) -> str:
    return f"{name} {kept.found_again} of {kept.objects} (touched {kept.touched_found_again} of {kept.touched})"


def stack_rows(rows: Sequence[Sequence[Pixels8]]) -> Pixels8:
    """Rows of pictures of one size as one picture, two rows beside each other."""
    bands = [np.hstack(list(row)) for row in rows]
    if len(bands) % 2:
        bands.append(np.full_like(bands[0], 255))
    gap = np.full((bands[0].shape[0], 8, 3), 255, np.uint8)
    return np.vstack([np.hstack([left, gap, right]) for left, right in zip(bands[::2], bands[1::2], strict=True)])


def _leak_rows(leaks: Leaks) -> Iterator[list[str]]:
    for kind, summary in leaks.summaries():
        again = "" if summary.looked_for_again == 0 else f"{summary.found_again} of {summary.looked_for_again}"
        yield [
            kind,
            str(summary.objects),
            f"{summary.hidden:.3f}",
            str(summary.untouched),
            f"{summary.mean_left:.3f}",
            again,
        ]


def _cells(attack: Attack) -> list[str]:
    result = attack.result
    return [
        attack.redaction,
        attack.attacker,
        _share(result.rank_1),
        _share(result.rank_5),
        _share(result.accepted_at_1_percent),
        _share(result.accepted_at_1_permille),
        f"{result.equal_error:.3f}",
    ]


def _share(share: Share) -> str:
    return f"{share.value:.3f} ({share.low:.3f} to {share.high:.3f}; chance {share.chance:.3f})"


def _size_rows(attacks: Sequence[Attack]) -> list[list[str]]:
    """Rank-1 of each attacker for faces of each size; the first row names them. Empty where sizes were not told."""
    pictures = {size: result.pictures for attack in attacks for size, result in attack.by_size.items()}
    if not pictures:
        return []
    rows = [["rank-1 by size of the face", "attacker", *(f"{size}: {number}" for size, number in pictures.items())]]
    for attack in attacks:
        of = {size: result.rank_1 for size, result in attack.by_size.items()}
        cells = [f"{of[size].value:.3f} (chance {of[size].chance:.3f})" if size in of else "" for size in pictures]
        rows.append([attack.redaction, attack.attacker, *cells])
    return rows


def _class_of(attack: Attack) -> str:
    return "" if attack.result.rank_1.is_by_chance else ' class="told"'


def _note(attacks: Sequence[Attack], missed: Sequence[str]) -> str:
    if not attacks:
        return "No attack."
    first = attacks[0].result
    limit = first.rank_1.chance + 2 * first.rank_1.chance_error
    return (
        f"{first.pictures} pictures of {first.people} people; in brackets 95 % intervals, and chance. Rank-1 up to "
        f"{limit:.3f} is within two standard errors of chance. In {len(missed)} further pictures nothing was found."
    )
