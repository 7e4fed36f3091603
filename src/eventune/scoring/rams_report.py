"""What the official RAMS scorer prints with `--do_all`, byte for byte.

Source of the layout: `print_confusion` and `print_table` in `code/scorer/scoring_utils.py` and `run_evaluation` in
`code/scorer/scorer.py` of LWL-cpu/SCPRG-master. Only the order of roles with equal gold counts is ours (order of
appearance): the official one is that of a Python set and changes from run to run.
"""

from __future__ import annotations

from collections.abc import Iterator

from eventune.scoring.rams_counts import LinkTally, RamsCounts


def official_report(counts: RamsCounts) -> str:
    """Return the official scorer's output: precision and recall under swapped names, figures in percent.

    Args:
        counts: What was counted.

    Returns:
        The text, with a line feed at its end.
    """
    precision, recall, f1 = counts.total.official()
    lines = [
        *(f"not found: {event_type}" for event_type in counts.unknown_types),
        *_confusion(counts),
        *_role_table(counts),
        *_distances(counts),
        f"Precision: {precision:.4f} Recall: {recall:.4f} F1: {f1:.4f}",
    ]
    return "\n".join(lines) + "\n"


def _confusion(counts: RamsCounts) -> Iterator[str]:
    """Yield the confusion matrix in whole percent of its rows; columns are the roles that have a row."""
    sums = {role: row.total() for role, row in counts.confusion.items()}
    roles = sorted(sums, key=lambda role: -sums[role])
    yield ",".join(["", *roles])
    if not roles:
        # The official scorer prints the joined rows in one go, so no rows make an empty line.
        yield ""
    for role in roles:
        row = counts.confusion[role]
        yield ",".join([role, *(str(int(100 * row[other] / sums[role])) for other in roles)])


def _role_table(counts: RamsCounts) -> Iterator[str]:
    yield _row("ROLE", "CORRECT", "MISSING", "OVERPRED", "F1")
    empty = LinkTally()
    rows = [(role, counts.roles.get(role, empty)) for role in counts.table_roles]
    rows.sort(key=lambda row: -row[1].gold)
    for name, tally in [*rows, ("TOTAL:", counts.total)]:
        f1 = tally.official()[2]
        yield _row(name, str(tally.matched), str(tally.missed), str(tally.overpredicted), f"{f1:.2f}")


def _row(name: str, matched: str, missed: str, overpredicted: str, f1: str) -> str:
    """Return a row of the table; what is wider than its column is cut, as in the original."""
    return f"{name:20.20}    {matched:8.8}    {missed:8.8}    {overpredicted:8.8}    {f1}"


def _distances(counts: RamsCounts) -> Iterator[str]:
    for distance, tally in counts.distances.items():
        precision, recall, f1 = tally.official()
        yield (
            f" {distance} & {tally.predicted} & {precision:.1f} & {recall:.1f} & {f1:.1f} \\\\ "
            f"[p r f1 {tally.gold} gold/{tally.predicted} pred. ]"
        )
