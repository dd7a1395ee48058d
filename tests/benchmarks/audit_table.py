"""Writes what `anonymize audit identify` and `film` found into the page of the audit.

    python -m tests.benchmarks.audit_table RESULTS [RESULTS ...] [--readme]

RESULTS are identify.json or film.json, all of the same faces; a redaction in several of them is taken from the last.
--readme puts the table between the marks in anonymizer/audit/README.md.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from anonymizer.audit.identify import Attack
from anonymizer.audit.scores import Identification, Share
from anonymizer.audit.summary import summarise
from anonymizer.audit.tables import to_line

README = Path(__file__).parents[2] / "anonymizer/audit/README.md"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", nargs="+", type=Path)
    parser.add_argument("--readme", action="store_true")
    arguments = parser.parse_args()
    of_redaction: dict[str, list[Attack]] = {}
    for path in arguments.results:
        for redaction, attacks in groupby(read_attacks(path), attrgetter("redaction")):
            of_redaction.pop(redaction, None)
            of_redaction[redaction] = list(attacks)
    table = table_of([attack for attacks in of_redaction.values() for attack in attacks])
    print(table)
    if arguments.readme:
        write_readme(table, f"{arguments.results[0].stem} of faces", README)


def read_attacks(path: Path) -> list[Attack]:
    """What a run found."""
    found = []
    for entry in json.loads(path.read_bytes())["attacks"]:
        redaction, attacker = entry.pop("redaction"), entry.pop("attacker")
        result: dict[str, Any] = {
            key: Share(**value) if isinstance(value, dict) else value for key, value in entry.items()
        }
        found.append(Attack(redaction, attacker, Identification(**result)))
    return found


def table_of(attacks: Sequence[Attack]) -> str:
    """In Markdown, with what it was measured on."""
    (head, *rows), first = summarise(attacks), attacks[0].result
    limit = first.rank_1.chance + 2 * first.rank_1.chance_error
    about = (
        f"{first.pictures} pictures of {first.people} people. By chance rank-1 is {first.rank_1.chance:.3f}; up to "
        f"{limit:.3f} it is within two standard errors of that, and bold above."
    )
    return "\n".join([about, "", to_line(head), to_line(["---"] * len(head)), *map(to_line, rows)])


def write_readme(table: str, what: str, readme: Path) -> None:
    """Puts a table between its marks."""
    begin, end = f"<!-- {what}: begin -->", f"<!-- {what}: end -->"
    text = readme.read_text(encoding="utf-8")
    if begin not in text or end not in text:
        sys.exit(f"{readme} lacks the lines {begin} and {end}")
    pattern = re.compile(re.escape(begin) + ".*" + re.escape(end), re.DOTALL)
    readme.write_text(pattern.sub(lambda _: f"{begin}\n{table}\n{end}", text), encoding="utf-8")


if __name__ == "__main__":
    main()
