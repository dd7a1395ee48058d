"""Writes what `anonymize audit` found into the page of the audit, one table at a time.

    python -m tests.benchmarks.audit_table NAME RESULTS [RESULTS ...] [--readme]

NAME is that of the table, see `NAMES`. RESULTS are identify.json, film.json or plates.json, all of the same faces or
of drawn plates; what stands in several of them is taken from the last. --readme puts the table between the marks of its
name in anonymizer/audit/README.md.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from anonymizer.audit.identify import Attack
from anonymizer.audit.plate_reader import DrawnReading
from anonymizer.audit.redactions import NAMED
from anonymizer.audit.scores import Identification, Share
from anonymizer.audit.summary import summarise
from anonymizer.audit.tables import to_lines

README = Path(__file__).parents[2] / "anonymizer/audit/README.md"
SHOWN = {"identify": "pictures", "facenet": "pictures", "film": "films", "real-films": "stretches"}
"""What people are told by, in each table of people."""
NAMES = (*SHOWN, "plates")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("results", nargs="+", type=Path)
    parser.add_argument("--readme", action="store_true")
    arguments = parser.parse_args()
    what = SHOWN.get(arguments.name)
    table = table_of_plates(arguments.results) if what is None else table_of_people(arguments.results, what)
    print(table)
    if arguments.readme:
        write_readme(table, arguments.name, README)


def table_of_people(paths: Sequence[Path], what: str) -> str:
    """A row for each attacker, a column for each redaction, and on how many of what it was measured."""
    read = {(one.redaction, one.attacker): one for path in paths for one in read_attacks(path)}
    attacks = dict(sorted(read.items(), key=lambda item: _order(item[0][0])))
    first = next(iter(attacks.values())).result
    about = (
        f"{first.pictures} {what} of {first.people} people. {_by_chance(list(attacks.values()))}. What lies within two "
        f"standard errors of that is by chance too, and bold above. TAR at FAR 1 % is "
        f"{first.accepted_at_1_percent.chance:.3f} by chance."
    )
    return "\n".join([about, "", *to_lines(list(zip(*summarise(list(attacks.values())), strict=True)))])


def _by_chance(attacks: Sequence[Attack]) -> str:
    """What is by chance, and up to where; apart for attackers whose galleries are of other sizes."""
    attackers: dict[str, list[str]] = {}
    for attack in attacks:
        of = attack.result.rank_1
        share = f"{of.chance:.4f}, up to {of.chance + 2 * of.chance_error:.4f}"
        attackers.setdefault(share, []).append(attack.attacker.rpartition(", ")[2])
    if len(attackers) == 1:
        return f"By chance rank-1 is {next(iter(attackers))}"
    parts = [f"{share} ({', '.join(dict.fromkeys(names))})" for share, names in attackers.items()]
    return f"By chance rank-1 is {'; '.join(parts)}"


def table_of_plates(paths: Sequence[Path]) -> str:
    """A row for each redaction, two columns for stills and for films each."""
    readings = {(one.redaction, one.seen): one for path in paths for one in read_readings(path)}
    seen = list(dict.fromkeys(seen for _, seen in readings))
    head = ["", *(f"{each}: {what}" for each in seen for what in ("plates read", "letters right"))]
    names = sorted({name for name, _ in readings}, key=_order)
    rows = [[f"`{name}`", *(c for each in seen for c in _plate_cells(readings.get((name, each))))] for name in names]
    return "\n".join(to_lines([head, *rows]))


def read_attacks(path: Path) -> list[Attack]:
    """What a run found about people."""
    found = []
    for entry in json.loads(path.read_bytes())["attacks"]:
        redaction, attacker = entry.pop("redaction"), entry.pop("attacker")
        entry.pop("by_size", None)  # the page has no room for it
        result: dict[str, Any] = {
            key: Share(**value) if isinstance(value, dict) else value for key, value in entry.items()
        }
        found.append(Attack(redaction, attacker, Identification(**result)))
    return found


def read_readings(path: Path) -> list[DrawnReading]:
    """What a run found about drawn plates."""
    return [DrawnReading(**entry) for entry in json.loads(path.read_bytes())["readings"]]


def write_readme(table: str, name: str, readme: Path) -> None:
    """Puts a table between its marks."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    text = readme.read_text(encoding="utf-8")
    if begin not in text or end not in text:
        sys.exit(f"{readme} lacks the lines {begin} and {end}")
    pattern = re.compile(re.escape(begin) + ".*" + re.escape(end), re.DOTALL)
    readme.write_text(pattern.sub(lambda _: f"{begin}\n{table}\n{end}", text), encoding="utf-8")


def _order(redaction: str) -> tuple[int, str]:
    """That of the page; others come last."""
    names = list(NAMED)
    return names.index(redaction) if redaction in names else len(names), redaction


def _plate_cells(reading: DrawnReading | None) -> list[str]:
    if reading is None:
        return ["", ""]
    read, letters = f"{reading.read} of {reading.plates}", f"{reading.letters:.3f}"
    limit = reading.chance + 2 * reading.chance_error
    told = f"**{letters}**" if reading.letters > limit else f"{letters}, up to {limit:.3f} by chance"
    return [f"**{read}**" if reading.read else read, told]


if __name__ == "__main__":
    main()
