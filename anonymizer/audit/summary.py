"""All attacks of a run in one small table: a row for each redaction, a column for each attacker."""

from __future__ import annotations

from collections.abc import Sequence

from anonymizer.audit.identify import Attack


def summarise(attacks: Sequence[Attack]) -> list[list[str]]:
    """Rank-1 and TAR at FAR 1 % of each attacker on each redaction; the first row and the first column name them.

    Rank-1 is bold where it lies more than two standard errors above chance. Cells are empty where nobody attacked.
    """
    redactions = list(dict.fromkeys(attack.redaction for attack in attacks))
    attackers = list(dict.fromkeys(attack.attacker for attack in attacks))
    cells = {(attack.redaction, attack.attacker): _cell(attack) for attack in attacks}
    rows = [[f"`{name}`", *(cells.get((name, attacker), "") for attacker in attackers)] for name in redactions]
    return [["rank-1, TAR at FAR 1 %", *attackers], *rows]


def _cell(attack: Attack) -> str:
    rank_1, accepted = attack.result.rank_1, attack.result.accepted_at_1_percent.value
    shown = f"{rank_1.value:.3f}" if rank_1.is_by_chance else f"**{rank_1.value:.3f}**"
    return f"{shown}, {accepted:.3f}"
