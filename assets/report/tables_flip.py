"""Tables about movement, ready for the templates: what would flip the label, and what moved since the month-end before.

Belongs here: which columns are shown and how a cell reads. Does not belong here: markup, sentences, the distances.
"""

from __future__ import annotations

from typing import Any

from assets.report.reading import Release, Row
from assets.report.words import (
    ABSENT,
    HELD,
    STATE_WORDS,
    capital,
    component_words,
    number,
    with_unit,
)

RATE = "policy_rate_change_6m_pp"
_WAYS = {
    "<": "falls below",
    ">": "rises above",
    ">=": "is at least",
    "<=": "is at most",
    "inside": "comes nearer to 0 than",
}
_THEN = {
    "leave_bubble": "the bubble ends",
    "leave_depression": "the depression ends",
    "enter_bubble": "needed for a bubble, all three together",
    "enter_depression": "needed for a depression, the score with one of the others",
    "rate_to_easing": "the rate counts as easing; the stance is then {}",
    "rate_to_tightening": "the rate counts as tightening; the stance is then {}",
    "rate_to_unchanged": "the rate counts as unchanged; the stance is then {}",
}
_MEASURES = {
    "bubble_score": "Bubble score",
    "valuation_score": "Valuation score",
    "economy_score": "Economy score",
    "credit_score": "Credit score",
    RATE: "Policy rate over six months",
}
# The spread of an input's own history: a move is near or far against it, whatever its unit.
_SPREADS = """
SELECT component, stddev_samp(value) AS spread FROM regime_evidence
WHERE as_of_date IN (SELECT as_of_date FROM regime WHERE is_month_end) GROUP BY component
"""


def thresholds(release: Release) -> list[Row]:
    """Thresholds in force, the nearest first: those of the scores, then those of the policy rate."""
    rows = release.rows(
        "SELECT DISTINCT flip, leads_to, threshold, measure, measure_value, comparison, limit_value, "
        "month_ends_needed FROM distance_to_flip WHERE as_of_date = ?",
        release.as_of,
    )
    for row in rows:
        row["distance"] = 0.0 if _holds(row) else abs(row["measure_value"] - row["limit_value"])
    return sorted(rows, key=lambda row: (row["measure"] == RATE, row["distance"], row["threshold"]))


def threshold_rows(release: Release) -> list[dict[str, str]]:
    """Each threshold in force: now, the distance, and what passing it does."""
    shown = []
    for row in thresholds(release):
        unit, decimals = ("percentage points", 2) if row["measure"] == RATE else ("", 3)
        is_rate = row["measure"] == RATE
        shown.append(
            {
                "what": f"{_MEASURES[row['measure']]} {_WAYS[row['comparison']]} "
                f"{with_unit(row['limit_value'], unit, sign=is_rate)}",
                "now": with_unit(row["measure_value"], unit, sign=is_rate),
                "distance": with_unit(row["distance"], unit, decimals) if row["distance"] else "met",
                "then": _THEN[row["flip"]].format(row["leads_to"]),
            }
        )
    return shown


def alone(release: Release) -> list[Row]:
    """Inputs that could pass a threshold by themselves, the nearest first against the spread of their own history."""
    rows = release.rows(
        f"SELECT d.*, s.spread, abs(d.required_move) / s.spread AS spreads FROM distance_to_flip AS d "
        f"JOIN ({_SPREADS}) AS s USING (component) "
        "WHERE d.as_of_date = ? AND d.reachability = 'reachable' AND d.required_move <> 0 "
        "ORDER BY spreads, d.component, d.threshold",
        release.as_of,
    )
    return rows


def reach(release: Release) -> tuple[list[str], list[str], list[str]]:
    """Inputs of the score thresholds: those that could pass one alone, those that never could, those absent."""
    rows = release.rows(
        "SELECT component, bool_or(reachability = 'reachable' AND required_move <> 0) AS can, "
        "bool_and(reachability = 'absent') AS absent FROM distance_to_flip "
        "WHERE as_of_date = ? AND condition <> 'stance' GROUP BY component ORDER BY component",
        release.as_of,
    )
    able = [row["component"] for row in rows if row["can"]]
    absent = [row["component"] for row in rows if row["absent"]]
    return able, [row["component"] for row in rows if not row["can"] and not row["absent"]], absent


def alone_table(release: Release) -> dict[str, Any]:
    """The inputs that could, nearest first, and the names of those that could not and of those absent."""
    _, cannot, absent = reach(release)
    return {
        "rows": _alone_rows(release),
        "cannot": "; ".join(component_words(name) for name in cannot),
        "absent": "; ".join(component_words(name) for name in absent),
    }


def _alone_rows(release: Release) -> list[dict[str, str]]:
    return [
        {
            "name": component_words(row["component"]),
            "now": HELD
            if row["component_value"] is None
            else with_unit(row["component_value"], row["component_unit"]),
            "needed": _needed(row),
            "spreads": number(row["spreads"], 1),
            "then": (
                f"{STATE_WORDS.get(row['leads_to'], row['leads_to'])}"
                if row["is_sufficient"]
                else f"meets {_MEASURES[row['measure']].lower()} {_symbol(row)}, not enough alone"
            ),
        }
        for row in alone(release)
    ]


def change_rows(release: Release) -> list[dict[str, str]]:
    """Inputs that moved since the month-end before, the largest effect on the score first."""
    rows = release.rows(
        "SELECT c.*, split_part(c.item, '.', 1) AS condition, split_part(c.item, '.', 2) AS component, "
        "a.contribution_change AS effect FROM what_changed AS c LEFT JOIN score_attribution AS a "
        "ON a.as_of_date = c.as_of_date AND a.compared_with_date = c.before_as_of_date "
        "AND a.component = split_part(c.item, '.', 2) "
        "WHERE c.compared_with = 'month_end_before' AND contains(c.item, '.') "
        "ORDER BY abs(coalesce(a.contribution_change, 0)) DESC, c.item"
    )
    return [_change(row) for row in rows]


def _change(row: Row) -> dict[str, Any]:
    effect = row["effect"]
    moved = effect is not None and abs(effect) >= 0.0005
    return {
        "name": component_words(row["component"]),
        "condition": capital(row["condition"]),
        **_before_and_now(row),
        "effect": number(effect, 3, sign=True) if moved else "none" if effect is not None else ABSENT,
        "direction": "" if not moved else "hot" if effect > 0 else "cold",
        "glyph": "" if not moved else "▲" if effect > 0 else "▼",
    }


def _needed(row: Row) -> str:
    """The value needed; where it is not passed on, the move to it."""
    unit = row["component_unit"]
    if row["required_value"] is None:
        return f"by {with_unit(row['required_move'], unit, sign=True)}"
    return with_unit(row["required_value"], unit)


def _before_and_now(row: Row) -> dict[str, str]:
    """Both figures; an input listed with neither has moved, and its figures are not passed on."""
    if row["value_before"] is None and row["value_now"] is None:
        return {"before": HELD, "now": HELD}
    return {
        "before": with_unit(row["value_before"], row["unit"]),
        "now": with_unit(row["value_now"], row["unit"]),
    }


def _holds(row: Row) -> bool:
    now, limit = row["measure_value"], row["limit_value"]
    return {
        "<": now < limit,
        ">": now > limit,
        ">=": now >= limit,
        "<=": now <= limit,
        "inside": abs(now) < abs(limit),
    }[row["comparison"]]


def _symbol(row: Row) -> str:
    return (
        f"{ {'<=': '≤', '>=': '≥'}.get(row['comparison'], row['comparison']) } {number(row['limit_value'])}"
    )
