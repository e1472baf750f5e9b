"""The four tiles of the first screen: the state and its history, why policy counts as it does, how sure, what ends it.

A function `tile_*` returns one sentence, as in the other parts of the page; `content` has the headings and values.
"""

from __future__ import annotations

import json
import math
from typing import Any

from assets.report.coming import rate_could_change, when
from assets.report.flip import thresholds
from assets.report.published import Release, Row
from assets.report.words import (
    capital,
    component_inside,
    counted,
    number,
    percent,
    with_unit,
)

_RATE = {1: "rate cut", 0: "rate unchanged", -1: "rate raised"}
# The next figure that could change the label alone, of the input that could.
_NEXT = """
SELECT able.component, c.release_date, c.date_basis
FROM (SELECT DISTINCT component FROM distance_to_flip
      WHERE as_of_date = ? AND reachability = 'reachable' AND required_move <> 0) AS able
JOIN release_calendar AS c ON list_contains(string_split(c.components, ', '), able.component)
ORDER BY c.release_date, able.component LIMIT 1
"""
_BALANCE_SHEET = {1: "purchases announced", 0: "no purchases or run-off announced", -1: "run-off announced"}


def content(release: Release) -> dict[str, Any]:
    """What the template shows of this part."""
    today = release.today
    state = (
        "No label" if today["bubble_score"] is None else capital(today["condition_state"].replace("_", "-"))
    )
    score = "" if today["bubble_score"] is None else f" {number(today['bubble_score'])}"
    agreement = "Not known" if today["agreement"] is None else f"{percent(today['agreement'])} agree"
    end = _nearest(release)
    return {
        "tiles": [
            ("State", f"{state}{score}", "tile_state"),
            ("Policy", capital(today["stance"]), "tile_policy"),
            ("How sure", agreement, "tile_sure"),
            ("What ends it", "Nothing yet" if end is None else _limit(end), "tile_end"),
        ]
    }


def tile_state(release: Release) -> str | None:
    """The place of the score in its history, 0 being cold and 1 hot."""
    score = release.today["bubble_score"]
    if score is None:
        return "There is no score on this date."
    row = release.row(
        "SELECT count(*) AS n, count(*) FILTER (bubble_score < ?) AS lower, min(as_of_date) AS first FROM regime "
        "WHERE is_month_end AND bubble_score IS NOT NULL AND as_of_date < ?",
        score,
        release.as_of,
    )
    if not row["n"]:
        return "The first score."
    since = f"since {row['first']:%Y}"
    if row["lower"] in (0, row["n"]):
        return f"The {'highest' if row['lower'] else 'lowest'} {since}."
    return f"Higher than {percent(row['lower'] / row['n'])} of month-ends {since}."


def tile_policy(release: Release) -> str | None:
    """What the rate and the announced balance sheet say, and the level of policy."""
    today = release.today
    rate, announced = today["rate_direction"], today["balance_sheet_direction_announced"]
    if rate is None or announced is None:
        return None
    offset = ": they offset each other" if rate and rate == -announced else ""
    level, real = today["policy_level"] or "not rated", today["real_policy_rate_pct"]
    real_rate = "" if real is None else f", real rate {with_unit(real, 'percent')}"
    return f"{capital(_RATE[rate])}, {_BALANCE_SHEET[announced]}{offset}. Level: {level}{real_rate}."


def tile_sure(release: Release) -> str | None:
    """How many variants of the method agree on the state, the range of the score, and what is missing."""
    today = release.today
    if today["agreement"] is None or today["score_p05"] is None:
        return None
    text = (
        f"Of {variants(release)} variants, on the state. Score {number(today['score_p05'])} to "
        f"{number(today['score_p95'])}. "
    )
    least, condition = min((today[f"{name}_coverage"], name) for name in ("valuation", "economy", "credit"))
    text += (
        f"{capital(condition)} lacks {percent(1 - least)} of its inputs"
        if least < 1
        else "No input is missing"
    )
    return f"{text}."


def tile_end(release: Release) -> str | None:
    """How far away the nearest threshold is, and which next release could change the label alone."""
    end = _nearest(release)
    if end is None:
        return "There is no label, so there is no threshold."
    way = "lower" if end["comparison"].startswith("<") else "higher"
    return f"{number(end['distance'])} {way}, at {counted(end['month_ends_needed'], 'month-end')}. {_next(release)}."


def variants(release: Release) -> int:
    """How many sets of thresholds, weights and confirmation `agreement` counts."""
    lists = release.rows(
        "SELECT text FROM method_parameters WHERE section = 'robustness' AND starts_with(text, '[') "
        "AND parameter <> 'era_starts'"
    )
    return math.prod(len(json.loads(row["text"])) for row in lists)


def _nearest(release: Release) -> Row | None:
    """The nearest threshold of a score that is not met."""
    rows = [row for row in thresholds(release) if not row["is_rate"]]
    return next((row for row in rows if not row["is_met"]), None)


def _limit(row: Row) -> str:
    way = row["comparison"].replace("<=", "≤").replace(">=", "≥")
    name = row["measure"].removesuffix("_score").replace("bubble", "score")
    return f"{capital(name)} {way} {number(row['limit_value'])}"


def _next(release: Release) -> str:
    """The next figure that could change the label alone, and when it comes."""
    parts = [
        f"{component_inside(row['component'])}, {when(row)}" for row in release.rows(_NEXT, release.as_of)
    ]
    if rate_could_change(release):
        parts.append("a decision on the policy rate")
    if not parts:
        return "No single figure could alone"
    return f"Next that could alone: {' or '.join(parts)}"
