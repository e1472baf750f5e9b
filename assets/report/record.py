"""The record: phases, what followed, how firm the label is, undisputed dates, caveats, checks and sources."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from typing import Any

from assets.report.published import USED, Release, Row
from assets.report.words import (
    RIGHTS_WORDS,
    capital,
    period,
    publisher_words,
    regime_words,
)

POST = "2025-11-05"
# Undisputed dates: first and last month-end, column of `regime`, expected value.
CASES = (
    ("1999-12-31", "1999-12-31", "condition_state", "bubble"),
    ("1999-12-31", "1999-12-31", "stance", "tightening"),
    ("2000-03-31", "2000-03-31", "condition_state", "bubble"),
    ("2000-03-31", "2000-03-31", "stance", "tightening"),
    ("2008-11-30", "2009-12-31", "regime", "stimulus_into_depression"),
    ("2010-11-30", "2010-11-30", "regime", "stimulus_into_depression"),
    ("2012-09-30", "2012-09-30", "stance", "stimulus"),
    ("2020-04-30", "2020-04-30", "regime", "stimulus_mid_cycle"),
    ("2020-05-31", "2020-06-30", "regime", "stimulus_into_depression"),
    ("2021-11-30", "2021-11-30", "regime", "stimulus_into_bubble"),
    ("2022-12-31", "2022-12-31", "regime", "tightening_mid_cycle"),
    ("2025-09-30", "2025-09-30", "regime", "neutral_bubble"),
    ("2025-10-31", "2026-08-31", "regime", "stimulus_into_bubble"),
    ("2026-09-30", "2026-09-30", "regime", "neutral_bubble"),
    ("2013-05-31", "2013-05-31", "stance", "stimulus"),
    ("2018-12-31", "2018-12-31", "stance", "tightening"),
    ("2019-01-31", "2019-01-31", "stance", "tightening"),
    ("2023-03-31", "2023-03-31", "stance", "tightening"),
)
_PHASES_SHOWN = 10
ASSETS = {"equities": "Equities", "treasury_10y": "10-year Treasury", "gold": "Gold"}
_MAIN_HORIZON = 12
_CODE = re.compile(r"\b[a-z]+(?:_[a-z0-9]+)+\b")
_CODES = re.compile(r" \([^)]*[a-z]_[a-z][^)]*\)")  # inputs listed in brackets are in the evidence
_FOLLOWED = """
SELECT regime, horizon_months, list(f ORDER BY list_position($1, asset)) AS cells
FROM forward_returns AS f WHERE list_contains($1, asset) GROUP BY regime, horizon_months ORDER BY regime, horizon_months
"""
# The undisputed dates as "first, last, column, expected"; found are the values in the order they first appear.
_CASES = """
SELECT c[1]::DATE AS first, max(as_of_date) AS last, c[3] AS "column", c[4] AS expected,
  list(value ORDER BY as_of_date) AS every, list_filter(every, lambda one, i: i = list_position(every, one)) AS found
FROM (SELECT string_split(unnest(?), ', ') AS c)
JOIN (UNPIVOT (FROM regime WHERE is_month_end) ON regime, stance, condition_state INTO NAME name VALUE value)
  ON name = c[3] AND as_of_date BETWEEN c[1]::DATE AND c[2]::DATE
GROUP BY c ORDER BY first, c[3]
"""
_VARIANT_ROWS = """
SELECT v.variant, avg(v.is_same_regime::INT) FILTER (r.is_month_end) AS same,
  max_by(v.regime_variant, v.as_of_date) AS label,
  max_by(v.variant_score, v.as_of_date) AS score, max_by(v.is_same_regime, v.as_of_date) AS agrees
FROM method_variants AS v JOIN regime AS r USING (as_of_date)
WHERE r.bubble_score IS NOT NULL OR v.as_of_date = ?
GROUP BY v.variant HAVING same IS NOT NULL ORDER BY same, v.variant
"""
# Absent inputs are in the evidence.
_CAVEATS = """
SELECT severity, list(text ORDER BY caveat_id) AS texts FROM caveats
WHERE applies_now AND NOT starts_with(caveat_id, 'missing_')
GROUP BY severity ORDER BY list_position(['warning', 'caution', 'note'], severity)
"""
_SOURCE_ROWS = f"""
SELECT publisher, list(series_id ORDER BY series_id) AS ids, max(last_period_end) AS newest,
  max_by(frequency, last_period_end) AS frequency,
  list(DISTINCT rights ORDER BY rights) AS rights
FROM series AS s WHERE is_published OR (rights = 'restricted' AND {USED}) GROUP BY publisher ORDER BY publisher
"""

_OUTSIDE_ROWS = r"""
SELECT who, statement, cases, misses, 1 - hit_share AS miss_share, 1 - base_share AS base_misses,
  replace(regexp_replace(miss_dates, '(-\d\d)-\d\d', '\1', 'g'), '-', chr(8209)) AS miss_months,
  status = 'registered' AS is_registered, NOT meets_threshold AS fails, replace(absent_reason, '_', ' ') AS reason
FROM outside_agreement ORDER BY miss_share DESC NULLS LAST, misses DESC, reference, rule
"""


def content(release: Release) -> dict[str, Any]:
    """What the template shows of this part."""
    phases = release.spells("regime")[::-1]
    return {
        "phases": phases[:_PHASES_SHOWN],
        "phase_count": len(phases),
        "followed": _followed_groups(release),
        "variant_rows": release.rows(_VARIANT_ROWS, release.as_of),
        "cases": [
            (*dates, list(found)) for dates, found in groupby(cases(release), itemgetter("first", "last"))
        ],
        "outside": release.rows(_OUTSIDE_ROWS),
        "caveats": release.rows(_CAVEATS),
        "failed_checks": _failed_checks(release),
        "sources": _source_rows(release),
    }


def _followed_groups(release: Release) -> list[tuple[str, list[Row]]]:
    """What followed today's label over every horizon, then every other label over twelve months."""
    rows, label = release.rows(_FOLLOWED, list(ASSETS)), release.today["regime"]
    others = [row for row in rows if row["regime"] != label and row["horizon_months"] == _MAIN_HORIZON]
    groups = [
        (f"{regime_words(label)}, as now", [row for row in rows if row["regime"] == label]),
        (f"Every other label, {_MAIN_HORIZON} months after", others),
    ]
    return [group for group in groups if group[1]]


# ---- validation


def cases(release: Release) -> list[Row]:
    """The undisputed dates the release has month-ends for: expected and found values, by date."""
    known = release.rows(_CASES, [", ".join(case) for case in CASES])
    return [{**row, "is_expected": row["found"] == [row["expected"]]} for row in known]


def unsteady(release: Release) -> list[dt.date]:
    """Month-ends of the undisputed dates that depend on hysteresis and confirmation."""
    rows = release.rows("FROM method_variants WHERE variant = 'without_hysteresis'")
    lost = {
        row["as_of_date"]
        for case in cases(release)
        for row in rows
        if case["first"] <= row["as_of_date"] <= case["last"]
        and row[f"{case['column']}_variant"] != case["expected"]
    }
    return sorted(lost)


# ---- caveats, checks and sources


def caveat_words(text: str) -> str:
    """The text of a caveat without codes."""
    return capital(_CODE.sub(lambda code: code[0].replace("_", " "), _CODES.sub("", text)))


def _failed_checks(release: Release) -> list[Row]:
    """Checks that failed, worst first: what they require, and how many rows failed."""
    rows = release.rows(
        "SELECT *, split_part(asset_key, '/', -1) AS asset FROM check_results WHERE NOT passed "
        "ORDER BY severity, asset_key, check_name LIMIT 20"
    )
    for row in rows:
        required, _, result = row["message"].partition(", first:")[0].rpartition(": ")
        row["required"] = capital(required or result)
    return rows


def _source_rows(release: Release) -> list[dict[str, Any]]:
    """A row per publisher: its releases with their series, the newest observation, and the rights."""
    grouped: dict[str, list[Row]] = {}
    for row in release.rows(_SOURCE_ROWS):
        grouped.setdefault(publisher_words(row["publisher"]), []).append(row)
    return [
        {
            "publisher": name,
            "releases": [(row["publisher"].partition(", ")[2], ", ".join(row["ids"])) for row in rows],
            "newest": _newest(rows),
            "rights": ", ".join(rights_words(right for row in rows for right in row["rights"])),
        }
        for name, rows in grouped.items()
    ]


def _newest(rows: list[Row]) -> str:
    """The period of the newest figure."""
    newest = max(rows, key=lambda row: row["newest"] or dt.date.min)
    return period(newest["newest"], newest["frequency"])


def rights_words(codes: Iterable[str]) -> list[str]:
    """Kinds of rights in words, each once."""
    return list(dict.fromkeys(RIGHTS_WORDS.get(code, code) for code in codes))
