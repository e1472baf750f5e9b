"""Tables about the verdict, ready for the templates: rows of text from published rows, absent figures with a reason.

Belongs here: which columns are shown and how a cell reads. Does not belong here: markup, sentences, tables about
markets (`tables_markets.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from assets.report.figures import spells
from assets.report.reading import Release, Row
from assets.report.words import (
    ABSENT,
    COMPONENTS,
    CONDITIONS,
    STATE_WORDS,
    component_words,
    day,
    held_or,
    month,
    number,
    reason_words,
    regime_words,
    with_unit,
)

GLYPHS = {"hot": "▲", "cold": "▼", "between": "◆"}
STATE_GLYPHS = {"bubble": "▲", "depression": "▼", "mid_cycle": "◆"}
_RAW = {  # condition: column of qe_phases, unit, decimals, what it is
    "valuation": ("earnings_yield_pct", "percent", 1, "yield"),
    "economy": ("unemployment_rate_pct", "percent", 1, "jobless"),
    "inflation": ("core_pce_yoy_pct", "percent", 1, "core"),
    "credit": ("nfci_index", "none", 2, "NFCI"),
}
PHASE_NAMES = {
    "qe1": "QE1",
    "qe2": "QE2",
    "qe3": "QE3",
    "bills_2019": "Bills 2019",
    "qe4_2020": "Covid",
    "post": "The post",
    "reserves_2025": "Reserves 2025",
    "today": "Now",
}
_PHASES_SHOWN = 10
FOUR = ("valuation", "economy", "inflation", "credit")  # the order of the post's table


@dataclass(frozen=True)
class Cell:
    """A condition at a start of easing: its state in a word, score, raw figure, and the same three months on."""

    verdict: str
    score: str
    raw: str
    after: str | None
    after_score: str

    @property
    def glyph(self) -> str:
        return GLYPHS.get(self.verdict, "")

    @property
    def after_glyph(self) -> str:
        return GLYPHS.get(self.after or "", "")


def past_easing_rows(release: Release) -> list[dict[str, Any]]:
    """One row per start of purchases, the post's day and today."""
    return [
        {
            "name": PHASE_NAMES.get(phase["phase"], phase["title"]),
            "title": phase["title"],
            "day": day(phase["as_of_date"]),
            "is_today": phase["kind"] == "today",
            "hot": phase["hot_conditions"],
            "cold": phase["cold_conditions"],
            "cells": [_cell(phase, name) for name in FOUR],
            "states": _states(phase),
        }
        for phase in release.phases
    ]


def _states(phase: Row) -> list[dict[str, Any]]:
    """Condition state and score of the last month-end before, and of the third after; today only its own."""
    wanted = (("before", "before"),) if phase["kind"] != "today" else (("before", "now"),)
    found = []
    for side, word in (*wanted, ("after", "after")):
        state = phase[f"condition_state_{side}"]
        if state is not None:
            found.append(
                {
                    "side": word,
                    "glyph": STATE_GLYPHS.get(state, ""),
                    "state": STATE_WORDS.get(state, state),
                    "score": number(phase[f"bubble_score_{side}"]),
                }
            )
    return found


def _cell(phase: Row, name: str) -> Cell:
    column, unit, decimals, what = _RAW[name]
    raw = with_unit(phase[column], unit, decimals)
    return Cell(
        phase[f"{name}_verdict"] or "absent",
        number(phase[f"{name}_score"]),
        f"{raw} {what}" if phase[column] is not None else f"{what} {ABSENT}",
        phase[f"{name}_verdict_after"],
        number(phase[f"{name}_score_after"]),
    )


def evidence_groups(release: Release) -> list[dict[str, Any]]:
    """Per condition its score and its inputs, absent ones with their reason."""
    order = list(COMPONENTS)
    verdicts = next(row for row in release.phases if row["kind"] == "today")
    groups = []
    for name in CONDITIONS:
        rows = [row for row in release.evidence if row["condition"] == name]
        rows.sort(key=lambda row: (row["score"] is None, order.index(row["component"])))
        groups.append(
            {
                "name": name.capitalize(),
                "score": number(release.today[f"{name}_score"]),
                "verdict": verdicts[f"{name}_verdict"] or "absent",
                "glyph": GLYPHS.get(verdicts[f"{name}_verdict"], ""),
                "in_score": name != "inflation",
                "rows": [_evidence_row(row) for row in rows],
            }
        )
    return groups


def _evidence_row(row: Row) -> dict[str, Any]:
    name, hot_side = COMPONENTS.get(row["component"], (component_words(row["component"]), "high"))
    score = row["score"]
    counts = row["weight"] > 0
    return {
        "name": name,
        "side": f"{hot_side} is hot",
        "value": held_or(with_unit(row["value"], row["unit"]), row),
        "observed": month(row["observation_date"]),
        "place": None if score is None else round(100 * score, 1),
        "score": number(None if score is None else 100 * score, 0),
        "counts": counts,
        "is_absent": score is None,
        "why": "" if counts else reason_words(row["absent_reason"]),
    }


def phase_rows(release: Release) -> list[dict[str, str]]:
    """Runs of one label, newest first."""
    start = release.row("SELECT min(as_of_date) AS first FROM regime WHERE bubble_score IS NOT NULL")["first"]
    if start is None:
        return []
    found = spells(release, "regime", start)
    at_start = {
        row["as_of_date"]: row
        for row in release.rows(
            "SELECT as_of_date, bubble_score, stance_driver FROM regime WHERE as_of_date >= ?", start
        )
    }
    ends = release.rows("SELECT as_of_date FROM regime WHERE is_month_end AND as_of_date >= ?", start)
    days = [row["as_of_date"] for row in ends]
    rows = []
    for n, spell in enumerate(found):
        is_open = n == len(found) - 1
        inside = [when for when in days if spell.first <= when and (is_open or when < spell.end)]
        rows.append(
            {
                "first": month(spell.first),
                "last": "open" if is_open else month(inside[-1]),
                "months": str(len(inside)),
                "regime": regime_words(spell.value, at_start[spell.first]["stance_driver"]),
                "score": number(at_start[spell.first]["bubble_score"]),
            }
        )
    return rows[::-1]


def newest_phases(release: Release) -> tuple[list[dict[str, str]], int]:
    """The newest runs, and how many there are in all."""
    rows = phase_rows(release)
    return rows[:_PHASES_SHOWN], len(rows)
