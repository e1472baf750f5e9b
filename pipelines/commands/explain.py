"""`explain`: every input behind the label of a date, from the published file. Nothing is computed again."""

from __future__ import annotations

import argparse
import datetime as dt

import duckdb

from assets.report.published import Release
from assets.report.words import CONDITIONS, regime_words, withheld_or
from pipelines.commands.printed_rows import print_rows
from pipelines.release_file import Row, aligned, day, number, open_published, profile_words, rows
from pipelines.settings import ConfigurationError, load_folders, read_environment

_HEADER = (
    "condition", "input", "value", "unit", "rank", "weight", "adds", "about", "known since", "by", "series",
)  # fmt: skip
_RIGHT = ("value", "rank", "weight", "adds")


def explain(args: argparse.Namespace) -> int:
    """Print the evidence of the row of `args.date`, of the newest row without one."""
    with open_published(load_folders(read_environment()).published_path) as con:
        lines = explain_lines(con, args.date)
        print_rows(args, evidence_of(con, regime_row(con, args.date)), lines)
    return 0


def explain_lines(con: duckdb.DuckDBPyConnection, date: dt.date | None) -> list[str]:
    """The row of a date, or the nearest earlier one, with its evidence. ConfigurationError before the first row."""
    manifest = rows(con, "SELECT * FROM release_manifest")[0]
    regime = regime_row(con, date)
    evidence = evidence_of(con, regime)
    release = Release(con)
    note = [] if date in (None, regime["as_of_date"]) else [_nearest(date, manifest), ""]
    return [
        *note,
        f"{day(regime['as_of_date'])}: {regime_words(regime['regime'], regime['stance_driver'])}, "
        f"{profile_words(manifest)}",
        f"label {regime['regime']} since {day(regime['regime_since'])}; stance (a direction) "
        f"{regime['stance']} ({regime['stance_driver']}), level {regime.get('policy_level') or 'not rated'}; "
        f"condition {regime['condition_state']}; method {regime['method_version']}",
        "",
        *aligned(_HEADER, [_cells(e, release) for e in evidence], _RIGHT),
        "",
        *_sums(regime),
    ]


def evidence_of(con: duckdb.DuckDBPyConnection, regime: Row) -> list[Row]:
    """Every component of a row of `regime`: by condition, the largest contribution first."""
    evidence = rows(
        con,
        "SELECT * REPLACE (CASE WHEN score IS NOT NULL THEN contribution END AS contribution) "
        "FROM regime_evidence WHERE as_of_date = ?",
        [regime["as_of_date"]],
    )
    return sorted(evidence, key=_order)


def regime_row(con: duckdb.DuckDBPyConnection, date: dt.date | None) -> Row:
    """The row of a date, or the nearest earlier one. ConfigurationError before the first row."""
    found = rows(
        con,
        "SELECT * FROM regime WHERE ? IS NULL OR as_of_date <= ? ORDER BY as_of_date DESC LIMIT 1",
        [date, date],
    )
    if not found:
        first = con.execute("SELECT min(as_of_date) FROM regime").fetchall()[0][0]
        raise ConfigurationError(f"there is no row for {date}: the first one is {first}")
    return found[0]


def _nearest(date: dt.date | None, manifest: Row) -> str:
    if date is not None and date > manifest["as_of_date"]:
        return f"{date} is after the newest row, which is shown."
    return f"{date} has no row; the nearest earlier one is shown (month-ends and the run date have one)."


def _order(evidence: Row) -> tuple[int, bool, float, str]:
    """By condition, inputs with a weight first, the largest contribution first."""
    position = CONDITIONS.index(evidence["condition"])
    return position, evidence["weight"] == 0, -(evidence["contribution"] or 0.0), evidence["component"]


def _cells(evidence: Row, release: Release) -> tuple[str, ...]:
    missing = (evidence["absent_reason"] or "").replace("_", " ")
    return (
        evidence["condition"],
        evidence["component"],
        withheld_or(number(evidence["value"]) if evidence["value"] is not None else missing, evidence),
        evidence["unit"],
        number(evidence["rank"]),
        number(evidence["weight"], 3),
        number(evidence["contribution"], 3)
        if evidence["weight"] > 0
        else (missing if evidence["score"] else "-"),
        release.period(evidence["observation_date"], evidence["series_ids"] or ""),
        day(evidence["available_on"]),
        evidence["vintage_source"] or "-",
        evidence["series_ids"] or "-",
    )


def _sums(regime: Row) -> list[str]:
    scores = ", ".join(f"{name} {number(regime[f'{name}_score'])}" for name in CONDITIONS[:3])
    lines = [
        f"score {number(regime['bubble_score'], 3)} = mean of {scores}; `adds` sums to it. "
        f"Inflation {number(regime['inflation_score'])} is not part of it.",
        f"coverage {number(regime['coverage'])}; {number(regime['distance_to_threshold'], 3)} from the nearest "
        f"threshold; first published {regime['first_published_at']:%Y-%m-%d %H:%M} UTC",
    ]
    if regime["indeterminate_reason"]:
        lines.append(f"indeterminate: {regime['indeterminate_reason']}")
    return lines
