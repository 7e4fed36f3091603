"""How scores are printed, by `score` and `evaluate` alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from eventune.cli.output import METRICS, NARROW_COLUMNS, plain_table, print_scores
from eventune.scoring import SCORERS


def render_score(console: Console, result: Mapping[str, Any]) -> None:
    """Print a score by one definition, with what it breaks it down by."""
    constrained = ", type-constrained" if result.get("type_constrained") else ""
    summary = SCORERS[result["scorer"]].summary
    console.print(f"scorer: {result['scorer']}{constrained} ({summary}, in percent){_events_of(result)}")
    if "measures" in result:
        console.print()
        console.print(_measures_table(console, [("", result)], {"": result.get("intervals", {})}))
    else:
        print_scores(console, "", [("all", {**result["counts"], **result["metrics"]})])
        for interval in result.get("intervals", {}).values():
            low, high = interval["f1"]
            console.print(f"F1 lies in {100 * low:.2f} – {100 * high:.2f} (95 %, bootstrap over documents)")
    if "roles" in result:
        print_scores(console, "role", [(row["role"], row) for row in result["roles"]])
    if "distance" in result:
        print_scores(console, "sentences from trigger", list(result["distance"].items()))
    _render_false_alarms(console, result.get("false_alarms"))
    _render_against(console, result.get("against"))
    _render_errors(console, result.get("errors"))


def render_evaluation(console: Console, result: Mapping[str, Any]) -> None:
    """Print what `evaluate` found: a score, false alarms, or both."""
    if "scorer" in result:
        render_score(console, result)
    _render_false_alarms(console, result.get("event_free"))


def render_all(console: Console, result: Mapping[str, Any]) -> None:
    """Print the scores of several definitions side by side, and why they differ."""
    console.print("all scorers (in percent)")
    console.print()
    console.print(_measures_table(console, list(result["scores"].items()), result["intervals"]))
    notes = result["differences"]["notes"]
    if notes:
        console.print()
        console.print("where they differ on these files:")
        for note in notes:
            console.print(f"- {note}")
    for score in result["scores"].values():
        _render_false_alarms(console, score.get("false_alarms"))
    _render_against(console, result.get("against"))
    _render_errors(console, result.get("errors"))


def _render_false_alarms(console: Console, alarms: Mapping[str, Any] | None) -> None:
    if not alarms:
        return
    source = f" of {alarms['file']}" if "file" in alarms else ""
    console.print()
    console.print(
        f"false alarms: {alarms['per_thousand_sentences']:.2f} events per thousand sentences without events "
        f"({alarms['events']:,} in {alarms['sentences']:,}{source})"
    )


def _events_of(result: Mapping[str, Any]) -> str:
    """Say which events were scored, where the result tells."""
    mode = f", {result['mode']}" if "mode" in result else ""
    return f"{mode}, triggers: {result['triggers']}" if "triggers" in result else mode


def _rows(scores: list[tuple[str, Mapping[str, Any]]]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for name, score in scores:
        measures = score.get("measures") or {"arguments": {"counts": score["counts"], "metrics": score["metrics"]}}
        for measure, values in measures.items():
            yield name, measure, values


def _measures_table(
    console: Console, scores: list[tuple[str, Mapping[str, Any]]], intervals: Mapping[str, Mapping[str, Any]]
) -> Table:
    wide = console.width >= NARROW_COLUMNS
    counts = ("gold", "predicted", "matched") if wide else ("gold",)
    with_intervals = wide and any(intervals.values())
    table = plain_table("measure", *counts, *METRICS.values(), *(("F1 of 95 %",) if with_intervals else ()))
    for name, measure, values in _rows(scores):
        cells = [str(values["counts"].get(count, "–")) for count in counts]
        cells += [f"{100 * values['metrics'][metric]:.2f}" for metric in METRICS]
        if with_intervals:
            low, high = intervals[name][measure]["f1"]
            cells.append(f"{100 * low:.2f} – {100 * high:.2f}")
        table.add_row(f"{name} {measure}".strip(), *cells)
    return table


def _render_against(console: Console, against: Mapping[str, Any] | None) -> None:
    if not against:
        return
    console.print()
    console.print(f"against {against['file']}: difference of F1 in points, first minus second")
    rows = [
        (f"{name} {measure}", values)
        for name, measures in against["differences"].items()
        for measure, values in measures.items()
    ]
    # Without resamples there is neither.
    is_tested = any("p_value" in values for _, values in rows)
    table = plain_table("measure", "difference", *(("95 % from", "to", "p") if is_tested else ()))
    for name, values in rows:
        figures = [f"{100 * value:+.2f}" for value in (values["difference"], *values.get("interval", ()))]
        table.add_row(name, *figures, *([f"{values['p_value']:.4f}"] if is_tested else []))
    console.print(table)


def _render_errors(console: Console, errors: Mapping[str, Any] | None) -> None:
    if not errors:
        return
    console.print()
    console.print("arguments by kind of error")
    table = plain_table("kind", "arguments")
    for kind, count in errors["kinds"].items():
        table.add_row(kind, f"{count:,}")
    console.print(table)
    events = errors["events"]["kinds"]
    if any(count for kind, count in events.items() if kind != "matched"):
        console.print()
        console.print("events by kind of error")
        table = plain_table("kind", "events")
        for kind, count in events.items():
            table.add_row(kind, f"{count:,}")
        console.print(table)
    if errors["note"]:
        console.print(errors["note"])
