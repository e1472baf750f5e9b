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
    THIN,
    component_words,
    day,
    month,
    number,
    reason_words,
    regime_words,
    with_unit,
)

GLYPHS = {"hot": "▲", "cold": "▼", "between": "◆"}
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
_PHASES_SHOWN = 12
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
        }
        for phase in release.phases
    ]


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
        "value": with_unit(row["value"], row["unit"]),
        "observed": month(row["observation_date"]),
        "place": None if score is None else round(100 * score, 1),
        "score": number(None if score is None else 100 * score, 0),
        "counts": counts,
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


def change_rows(release: Release) -> list[dict[str, str]]:
    """Inputs whose part of the score moved by at least 0.0005 since the month-end before, the largest first."""
    rows = release.rows(
        "SELECT * FROM score_attribution WHERE as_of_date = ? AND abs(contribution_change) >= 0.0005 "
        "ORDER BY abs(contribution_change) DESC, component",
        release.as_of,
    )
    return [
        {
            "name": component_words(row["component"]),
            "condition": row["condition"],
            "before": number(row["contribution_before"], 3),
            "now": number(row["contribution"], 3),
            "change": number(row["contribution_change"], 3, sign=True),
            "direction": "hot" if row["contribution_change"] > 0 else "cold",
        }
        for row in rows
    ]


def threshold_rows(release: Release) -> list[dict[str, str]]:
    """Thresholds in force in the state of the newest row: now, limit, distance, and what passing it does."""
    today, limits = release.today, release.parameters
    state = today["condition_state"]
    wanted = {
        "bubble": (
            ("bubble_score", "state.bubble.leave_score", "falls below", "the bubble ends"),
            ("valuation_score", "state.bubble.leave_valuation", "falls below", "the bubble ends"),
        ),
        "depression": (
            ("bubble_score", "state.depression.leave_score", "rises above", "the depression ends"),
        ),
        "mid_cycle": (
            ("bubble_score", "state.bubble.enter_score", "is at least", "one of three needed for a bubble"),
            (
                "valuation_score",
                "state.bubble.enter_valuation",
                "is at least",
                "one of three needed for a bubble",
            ),
            ("credit_score", "state.bubble.enter_credit", "is at least", "one of three needed for a bubble"),
            ("bubble_score", "state.depression.enter_score", "is at most", "needed for a depression"),
        ),
    }.get(state, ())
    rows = []
    for column, parameter, way, then in wanted:
        now, limit = today[column], limits[parameter]
        rows.append(
            {
                "what": f"{column.replace('_', ' ').capitalize()} {way} {number(limit)}",
                "now": number(now),
                "distance": number(None if now is None else abs(now - limit), 3),
                "then": then,
            }
        )
    return [*rows, *_stance_rows(release)]


def _stance_rows(release: Release) -> list[dict[str, str]]:
    change = release.newest("real_yields")["policy_rate_change_6m_pp"]
    limit = release.parameters["stance.rate_change_pp"]
    announced = {1: "expanding", 0: "holding", -1: "shrinking", None: "unknown"}
    if change is None:
        return []
    side = limit if change < limit else -limit
    return [
        {
            "what": f"Policy rate over six months reaches {number(side, 2, sign=True)}{THIN}pp",
            "now": f"{number(change, 2, sign=True)}{THIN}pp",
            "distance": f"{number(abs(change - side), 2)}{THIN}pp",
            "then": "the rate counts as "
            + ("tightening" if side > 0 else "easing")
            + f"; the announced balance sheet is {announced[release.today['balance_sheet_direction_announced']]}",
        }
    ]
