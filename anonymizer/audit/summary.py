"""All attacks of a run in one small table: a row for each redaction, a column for each attacker."""

from __future__ import annotations

from collections.abc import Sequence

from anonymizer.audit.identify import Attack


def summarise(attacks: Sequence[Attack]) -> list[list[str]]:
    """Rank-1 and TAR at FAR 1 % of each attacker on each redaction; the first row and the first column name them.

    Rank-1 is bold where it lies more than two standard errors above chance. Cells are empty where nobody attacked. A
    recogniser that all attackers use is named once.
    """
    redactions = list(dict.fromkeys(attack.redaction for attack in attacks))
    attackers = list(dict.fromkeys(attack.attacker for attack in attacks))
    cells = {(attack.redaction, attack.attacker): _cell(attack) for attack in attacks}
    rows = [[f"`{name}`", *(cells.get((name, attacker), "") for attacker in attackers)] for name in redactions]
    recogniser = attackers[0].split(", ")[0] if attackers else ""
    is_alone = all(attacker.startswith(f"{recogniser}, ") for attacker in attackers)
    shown = [attacker.removeprefix(f"{recogniser}, ") for attacker in attackers] if is_alone else attackers
    head = f"{recogniser}: rank-1, TAR at FAR 1 %" if attackers and is_alone else "rank-1, TAR at FAR 1 %"
    return [[head, *shown], *rows]


def _cell(attack: Attack) -> str:
    rank_1, accepted = attack.result.rank_1, attack.result.accepted_at_1_percent.value
    shown = f"{rank_1.value:.3f}" if rank_1.is_by_chance else f"**{rank_1.value:.3f}**"
    return f"{shown}, {accepted:.3f}"
