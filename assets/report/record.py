"""Tables about how far the label can be relied on, ready for the templates: what followed, variants, dates, caveats.

Belongs here: which columns are shown and how a cell reads. Does not belong here: markup, sentences.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from assets.report.reading import Release, Row
from assets.report.words import (
    ABSENT,
    REGIME_WORDS,
    STATE_WORDS,
    capital,
    month,
    number,
    regime_words,
    with_unit,
)

POST = "2025-11-05"
# first and last month-end, column of `regime`, what it must say
CASES = (
    ("1999-12-31", "1999-12-31", "condition_state", "bubble"),
    ("1999-12-31", "1999-12-31", "stance", "tightening"),
    ("2000-03-31", "2000-03-31", "condition_state", "bubble"),
    ("2000-03-31", "2000-03-31", "stance", "tightening"),
    ("2008-11-30", "2009-12-31", "regime", "stimulus_into_depression"),
    ("2010-11-30", "2010-11-30", "regime", "stimulus_into_depression"),
    ("2012-09-30", "2012-09-30", "stance", "stimulus"),
    ("2020-03-31", "2020-04-30", "regime", "stimulus_mid_cycle"),
    ("2020-05-31", "2020-06-30", "regime", "stimulus_into_depression"),
    ("2021-11-30", "2021-11-30", "regime", "stimulus_into_bubble"),
    ("2022-12-31", "2022-12-31", "regime", "tightening_mid_cycle"),
    ("2025-09-30", "2025-09-30", "regime", "neutral_bubble"),
    ("2025-10-31", "2026-05-31", "regime", "stimulus_into_bubble"),
    ("2013-05-31", "2013-05-31", "stance", "stimulus"),
    ("2018-12-31", "2018-12-31", "stance", "tightening"),
    ("2019-01-31", "2019-01-31", "stance", "tightening"),
    ("2023-03-31", "2023-03-31", "stance", "tightening"),
)
ASSETS = {"equities": "Equities", "treasury_10y": "10-year Treasury", "gold": "Gold"}
MAIN_HORIZON = 12
VARIANTS = {
    "without_hysteresis": "One month-end is enough, and the entry rule also ends the state",
    "valuation_ranks_only": "Valuation without price behaviour",
    "valuation_by_families": "Valuation by families: yields and levels count the same",
    "unemployment_gap": "Unemployment less its ten-year mean, not its level",
    "rate_window_9m": "Policy rate compared over nine months",
    "rate_window_12m": "Policy rate compared over twelve months",
}
_COLUMN_WORDS = {"regime": "", "stance": "stance: ", "condition_state": "condition: "}
_CODE = re.compile(r"\b[a-z]+(?:_[a-z0-9]+)+\b")
_CODES = re.compile(r" \([^)]*[a-z]_[a-z][^)]*\)")  # inputs listed in brackets stand in the evidence
_SEVERITIES = ("warning", "caution", "note")


def followed_groups(release: Release) -> list[dict[str, Any]]:
    """What followed the label of the newest row over every horizon, then every other label over twelve months."""
    rows = release.rows("SELECT * FROM forward_returns ORDER BY regime, horizon_months")
    own, others = [], []
    for regime in dict.fromkeys(row["regime"] for row in rows):
        held = [row for row in rows if row["regime"] == regime]
        for months in dict.fromkeys(row["horizon_months"] for row in held):
            line = _followed([row for row in held if row["horizon_months"] == months])
            if regime == release.today["regime"]:
                own.append({**line, "name": f"{months} months after"})
            elif months == MAIN_HORIZON:
                others.append({**line, "name": regime_words(regime)})
    groups = [
        {"name": f"{REGIME_WORDS.get(release.today['regime'], '')}, as now", "rows": own},
        {"name": f"Every other label, {MAIN_HORIZON} months after", "rows": others},
    ]
    return [group for group in groups if group["rows"]]


def _followed(rows: list[Row]) -> dict[str, Any]:
    held = {row["asset"]: row for row in rows}
    first = rows[0]
    return {
        "spells": f"{first['spells']}",
        "closed": f"{first['closed_spells']} closed",
        "cells": [_return(held.get(asset)) for asset in ASSETS],
    }


def _return(row: Row | None) -> dict[str, str]:
    """Median first; below it what it rests on, and the interval where there are spells enough for one."""
    if row is None or row["median_return_pct"] is None:
        return {"median": ABSENT, "span": "none measured", "interval": ""}
    return {
        "median": number(row["median_return_pct"], 1, sign=True),
        "span": f"{number(row['lowest_return_pct'], 0)} to {number(row['highest_return_pct'], 0)}; "
        f"{row['closed_spells_measured']} spell{'' if row['closed_spells_measured'] == 1 else 's'}",
        "interval": ""
        if row["interval_low_pct"] is None
        else f"mean {number(row['mean_return_pct'], 1)} "
        f"[{number(row['interval_low_pct'], 0)}, {number(row['interval_high_pct'], 0)}]",
    }


def variant_rows(release: Release) -> list[dict[str, str]]:
    """Each alternative that was tested: its label on the newest row, and how often it gives the published one.

    Empty before the first score.
    """
    rows = release.rows(
        "SELECT v.variant, avg(v.is_same_regime::INT) FILTER (r.is_month_end) AS same, "
        "max_by(v.regime_variant, v.as_of_date) AS label, "
        "max_by(v.variant_score, v.as_of_date) AS score, max_by(v.is_same_regime, v.as_of_date) AS agrees "
        "FROM method_variants AS v JOIN regime AS r USING (as_of_date) "
        "WHERE r.bubble_score IS NOT NULL OR v.as_of_date = ? GROUP BY v.variant ORDER BY same, v.variant",
        release.as_of,
    )
    return [
        {
            "name": VARIANTS.get(row["variant"], capital(row["variant"].replace("_", " "))),
            "label": "the same" if row["agrees"] else REGIME_WORDS.get(str(row["label"]), ABSENT),
            "score": number(row["score"]),
            "same": with_unit(None if row["same"] is None else 100 * row["same"], "percent", 0),
        }
        for row in rows
        if row["same"] is not None
    ]


def known_cases(release: Release) -> list[Row]:
    """The known dates that the release has month-ends for: what was said, and whether all of it is what must be."""
    cases = []
    for first, last, column, expected in CASES:
        start, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
        found = release.rows(
            f'SELECT as_of_date, "{column}" AS said FROM regime WHERE is_month_end AND as_of_date BETWEEN ? AND ? '
            "ORDER BY as_of_date",
            start,
            end,
        )
        if found:
            said = list(dict.fromkeys(row["said"] for row in found))
            cases.append(
                {"first": start, "last": found[-1]["as_of_date"], "column": column, "expected": expected}
                | {"said": said, "holds": said == [expected]}
            )
    return sorted(cases, key=lambda case: (case["first"], case["column"]))


def case_rows(release: Release) -> list[dict[str, Any]]:
    """The known dates as a table; two columns of one date stand in one row."""
    shown: dict[tuple[dt.date, dt.date], dict[str, Any]] = {}
    for case in known_cases(release):
        key = (case["first"], case["last"])
        words = _COLUMN_WORDS[case["column"]]
        must = words + said_words(case["expected"])
        found = words + ", ".join(said_words(value) for value in case["said"])
        row = shown.setdefault(key, {"when": _span(*key), "must": "", "found": "", "holds": True})
        row["must"] = "; ".join(part for part in (row["must"], must) if part)
        row["found"] = "; ".join(part for part in (row["found"], found) if part)
        row["holds"] = row["holds"] and case["holds"]
    return list(shown.values())


def said_words(value: str | None) -> str:
    """A label, state or stance inside a sentence."""
    words = REGIME_WORDS.get(str(value), STATE_WORDS.get(str(value), str(value)))
    return words[:1].lower() + words[1:]


def caveat_groups(release: Release) -> list[dict[str, Any]]:
    """Caveats that apply now, by severity; inputs absent today stand in the evidence and are left out here."""
    rows = release.rows(
        "SELECT * FROM caveats WHERE applies_now AND NOT starts_with(caveat_id, 'missing_') ORDER BY caveat_id"
    )
    groups = []
    for severity in _SEVERITIES:
        texts = [
            capital(_CODE.sub(_spoken, _CODES.sub("", row["text"])))
            for row in rows
            if row["severity"] == severity
        ]
        if texts:
            groups.append({"name": severity, "title": f"{capital(severity)}s", "texts": texts})
    return groups


def _spoken(code: re.Match[str]) -> str:
    return code[0].replace("_", " ")


def _span(first: dt.date, last: dt.date) -> str:
    return month(first) if first == last else f"{month(first)} to {month(last)}"
