"""The record: phases, what followed, how firm the label is, undisputed dates, caveats, checks and sources."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any

from assets.report.published import USED, Release, Row
from assets.report.tiles import variants
from assets.report.words import (
    CONDITIONS,
    RIGHTS_WORDS,
    capital,
    counted,
    in_words,
    label_words,
    listed,
    month,
    number,
    percent,
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
VARIANTS = {
    "without_hysteresis": "One month-end is enough, and the entry rule also ends the state",
    "valuation_ranks_only": "Valuation without price behaviour",
    "valuation_by_families": "Valuation by families: yields and levels count the same",
    "unemployment_gap": "Unemployment less its ten-year mean, not its level",
    "rate_window_9m": "Policy rate compared over nine months",
    "rate_window_12m": "Policy rate compared over twelve months",
}
_PARAMETERS = {
    "confirmation_months": "the months of confirmation",
    "threshold_shifts": "the height of the thresholds",
    "valuation_rank_shares": "the share of ranks in valuation",
    "spread_weights": "the weight of spreads in credit",
}
_COLUMN_WORDS = {"regime": "", "stance": "stance: ", "condition_state": "condition: "}
_CODE = re.compile(r"\b[a-z]+(?:_[a-z0-9]+)+\b")
_CODES = re.compile(r" \([^)]*[a-z]_[a-z][^)]*\)")  # inputs listed in brackets are in the evidence
_VARIANT_ROWS = """
SELECT v.variant, avg(v.is_same_regime::INT) FILTER (r.is_month_end) AS same,
  max_by(v.regime_variant, v.as_of_date) AS label,
  max_by(v.variant_score, v.as_of_date) AS score, max_by(v.is_same_regime, v.as_of_date) AS agrees
FROM method_variants AS v JOIN regime AS r USING (as_of_date)
WHERE r.bubble_score IS NOT NULL OR v.as_of_date = ?
GROUP BY v.variant HAVING same IS NOT NULL ORDER BY same, v.variant
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
  status = 'registered' AS is_registered, replace(absent_reason, '_', ' ') AS reason
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
        "cases": _case_rows(release),
        "outside": release.rows(_OUTSIDE_ROWS),
        "caveats": _caveat_groups(release),
        "failed_checks": _failed_checks(release),
        "sources": _source_rows(release),
    }


# ---- phases, and what followed


def phases_runs(release: Release) -> str | None:
    """How many runs of one label there are, and the longest."""
    runs = release.spells("regime")
    if not runs:
        return "No month-end of this release has a score, so there are no phases."
    months = sorted(run["month_ends"] for run in runs)
    longest = max(reversed(runs), key=lambda run: run["month_ends"])
    name = label_words(regime_words(longest["value"], longest["stance_driver"]))
    return (
        f"{counted(len(runs), 'run').capitalize()} of one label since {month(runs[0]['first'])}; half of them lasted "
        f"{counted(months[(len(months) - 1) // 2], 'month-end')} or fewer, the longest {longest['month_ends']}: "
        f"{name}, from {month(longest['first'])}."
    )


def followed(release: Release) -> str | None:
    """How many spells are behind what followed."""
    found = release.row(
        "SELECT coalesce(max(spells), 0) AS spells, coalesce(max(closed_spells), 0) AS closed "
        "FROM forward_returns WHERE regime = ?",
        release.today["regime"],
    )
    spells, closed = found["spells"], found["closed"]
    least = int(release.parameters["forward_returns.minimum_closed_spells"])
    if not spells:
        return "There is no label today, so there are no spells to follow."
    ended = f"{in_words(closed)} of them closed" if spells > 1 else "closed" if closed else "still open"
    few = f": too few for an interval, which needs {counted(least, 'closed spell')}" if closed < least else ""
    return (
        f"Today's label has had **{counted(spells, 'spell')}**, {ended}{few}. These returns describe one history; "
        "they are not a forecast."
    )


def _followed_groups(release: Release) -> list[dict[str, Any]]:
    """What followed today's label over every horizon, then every other label over twelve months."""
    cells: dict[tuple[str, int], dict[str, Row]] = {}
    for row in release.rows("SELECT * FROM forward_returns ORDER BY regime, horizon_months"):
        cells.setdefault((row["regime"], row["horizon_months"]), {})[row["asset"]] = row
    own, others = [], []
    for (regime, months), by_asset in cells.items():
        of_assets = [by_asset[asset] for asset in ASSETS]
        if regime == release.today["regime"]:
            own.append({"name": f"{months} months after", "cells": of_assets})
        elif months == _MAIN_HORIZON:
            others.append({"name": regime_words(regime), "cells": of_assets})
    groups = [
        {"name": f"{regime_words(release.today['regime'])}, as now", "rows": own},
        {"name": f"Every other label, {_MAIN_HORIZON} months after", "rows": others},
    ]
    return [group for group in groups if group["rows"]]


# ---- how firm the label is


def firm_range(release: Release) -> str | None:
    """The score under drawn weights, and the state under other parameters."""
    today = release.today
    if today["score_p05"] is None or today["agreement"] is None:
        return "There is no score today, so there is no range around it."
    draws = int(release.parameters["robustness.weight_draws"])
    return (
        f"With {draws:,} random sets of weights, nine scores in ten lie between **{number(today['score_p05'])}** and "
        f"**{number(today['score_p95'])}**. Of {variants(release)} sets of thresholds, weights and confirmation "
        f"{percent(today['agreement'])} give today's state."
    )


def firm_parameters(release: Release) -> str | None:
    """Which parameter decides the most over the record, and how often the score is near a threshold."""
    rows = release.rows(
        "SELECT parameter, avg(disagreement_share) AS share FROM parameter_sensitivity "
        "WHERE disagreement_share IS NOT NULL GROUP BY parameter ORDER BY share DESC, parameter LIMIT 1"
    )
    if not rows:
        return None
    near = release.parameters["robustness.near_threshold"]
    scored = release.row(
        "SELECT count(*) AS n, count(*) FILTER (distance_to_threshold <= ?) AS near FROM regime "
        "WHERE is_month_end AND bubble_score IS NOT NULL",
        near,
    )
    parameter = rows[0]["parameter"]
    return (
        f"Over the record {_PARAMETERS.get(parameter, parameter.replace('_', ' '))} mattered most: changing this alone "
        f"changes the state in {percent(rows[0]['share'])} of pairs of sets. The score was within {number(near)} of a "
        f"threshold on {scored['near']} of {scored['n']} month-ends."
    )


def firm_revised(release: Release) -> str | None:
    """The labels as known then against today's figures, and the figures that arrived late."""
    row = release.row(
        "SELECT count(*) AS n, count(*) FILTER (v.is_same_regime) AS same, "
        "count(*) FILTER (v.score_revision <> 0) AS moved "
        "FROM regime_revised AS v JOIN regime AS r USING (as_of_date) "
        "WHERE r.is_month_end AND r.bubble_score IS NOT NULL"
    )
    if not row["n"]:
        return None
    late = release.row("SELECT count(*) AS n, count(DISTINCT series_id) AS series FROM late_figures")
    moved = (
        f"revisions changed {counted(row['moved'], 'score')}"
        if row["moved"]
        else "no revision changed a score"
    )
    arrived = (
        f"{counted(late['n'], 'figure').capitalize()} of {counted(late['series'], 'series', 'series')} "
        "arrived too late for a live row, which stays as published."
        if late["n"]
        else "No figure arrived late."
    )
    return (
        f"With today's figures {row['same']} of {row['n']} month-ends have the label that the figures known then gave; "
        f"{moved}. {arrived}"
    )


# ---- validation


def cases_hold(release: Release) -> str | None:
    """How many of the undisputed dates have the expected value."""
    cases = _cases(release)
    if not cases:
        return "This release has no month-end among the undisputed dates."
    good = sum(case["is_expected"] for case in cases)
    return f"The method gives the expected result in **{good} of {len(cases)}** statements about undisputed dates."


def cases_unsteady(release: Release) -> str | None:
    """Which of them depend on hysteresis and confirmation."""
    cases = _cases(release)
    if not cases:
        return None
    rows = release.rows("SELECT * FROM method_variants WHERE variant = 'without_hysteresis'")
    lost = {
        row["as_of_date"]
        for case in cases
        for row in rows
        if case["first"] <= row["as_of_date"] <= case["last"]
        and row[f"{case['column']}_variant"] != case["expected"]
    }
    if not lost:
        return "Without hysteresis and confirmation the results would be the same."
    return f"Without hysteresis and confirmation it would not for {listed([month(when) for when in sorted(lost)])}."


def misfits(release: Release) -> str | None:
    """Conditions that were hot when a programme after 2008 was announced, against the post's account."""
    parts = []
    for row in release.past_easing:
        for name in CONDITIONS:
            if row[f"{name}_verdict"] == "hot":
                after = row[f"{name}_verdict_after"]
                later = f" and {after} three month-ends later" if after else ""
                parts.append(f"{name} was hot at {row['phase'].upper()}{later}")
    return f"Contrary to the post's account, {listed(parts)}." if parts else None


def _cases(release: Release) -> list[Row]:
    """The undisputed dates the release has month-ends for: expected and found values, by date."""
    cases = []
    for first, last, column, expected in CASES:
        row = release.row(
            f'SELECT ?::DATE AS first, max(as_of_date) AS last, list("{column}" ORDER BY as_of_date) AS found '
            "FROM regime WHERE is_month_end AND as_of_date BETWEEN ?::DATE AND ?::DATE",
            *(first, first, last),
        )
        if row["found"]:
            found = list(dict.fromkeys(row["found"]))
            about = {"column": column, "expected": expected, "found": found}
            cases.append({**row, **about, "is_expected": found == [expected]})
    return sorted(cases, key=lambda case: (case["first"], case["column"]))


def _case_rows(release: Release) -> list[dict[str, Any]]:
    """The undisputed dates as a table; columns about the same dates share a row."""
    by_date: dict[tuple[dt.date, dt.date], list[Row]] = {}
    for case in _cases(release):
        by_date.setdefault((case["first"], case["last"]), []).append(case)
    return [
        {
            "when": month(first) if first == last else f"{month(first)} to {month(last)}",
            "expected": "; ".join(
                _COLUMN_WORDS[case["column"]] + label_words(case["expected"]) for case in cases
            ),
            "found": "; ".join(
                _COLUMN_WORDS[case["column"]] + ", ".join(map(label_words, case["found"])) for case in cases
            ),
            "is_expected": all(case["is_expected"] for case in cases),
        }
        for (first, last), cases in by_date.items()
    ]


# ---- caveats, checks and sources


def caveats_count(release: Release) -> str | None:
    """How many caveats apply, by severity."""
    row = release.row(
        "SELECT count(*) AS n, count(*) FILTER (severity = 'warning') AS warnings, "
        "count(*) FILTER (severity = 'caution') AS cautions, "
        "count(*) FILTER (starts_with(caveat_id, 'missing_')) AS inputs FROM caveats WHERE applies_now"
    )
    if not row["n"]:
        return "No caveat applies to this release."
    absent = counted(row["inputs"], "is about an input", "are about inputs").capitalize()
    return (
        f"{row['n']} caveats apply: {counted(row['warnings'], 'warning')}, {counted(row['cautions'], 'caution')}, "
        f"the others are notes on method and data."
        f"{f' {absent} absent today, listed in the evidence.' if row['inputs'] else ''}"
    )


def checks_summary(release: Release) -> str | None:
    """Results of the checks of this release; those with nothing to check are not in the table."""
    row = release.row(
        "SELECT count(*) AS n, count(*) FILTER (severity = 'ERROR') AS critical, "
        "count(*) FILTER (NOT passed AND severity = 'ERROR') AS failed, "
        "count(*) FILTER (NOT passed AND severity <> 'ERROR') AS warned FROM check_results"
    )
    return (
        f"{row['n']:,} checks ran for this release. {row['critical']:,} of them can block it: "
        f"{row['failed'] or 'none'} of these failed. The others gave {counted(row['warned'], 'warning')}."
    )


def sources_count(release: Release) -> str | None:
    """How many series from how many publishers."""
    row = release.row(
        "SELECT count(*) AS n, count(DISTINCT publisher) AS publishers, "
        "list(DISTINCT rights ORDER BY rights) AS rights FROM series WHERE is_published"
    )
    restricted = release.row(f"SELECT count(*) AS n FROM series AS s WHERE rights = 'restricted' AND {USED}")[
        "n"
    ]
    also = counted(restricted, "restricted series is", "restricted series are").capitalize()
    return (
        f"{row['n']} series from {row['publishers']} publishers and releases. Rights: {listed(_rights(row['rights']))}."
        f"{f' {also} used without publishing the figures.' if restricted else ''}"
    )


def _caveat_groups(release: Release) -> list[dict[str, Any]]:
    """Caveats that apply now, by severity; absent inputs are in the evidence and left out here."""
    rows = release.rows(
        "SELECT * FROM caveats WHERE applies_now AND NOT starts_with(caveat_id, 'missing_') ORDER BY caveat_id"
    )
    texts: dict[str, list[str]] = {"warning": [], "caution": [], "note": []}
    for row in rows:
        words = _CODE.sub(lambda code: code[0].replace("_", " "), _CODES.sub("", row["text"]))
        texts[row["severity"]].append(capital(words))
    return [{"name": severity, "texts": found} for severity, found in texts.items() if found]


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
            "rights": ", ".join(_rights(right for row in rows for right in row["rights"])),
        }
        for name, rows in grouped.items()
    ]


def _newest(rows: list[Row]) -> str:
    """The period of the newest figure."""
    dated = [row for row in rows if row["newest"]]
    if not dated:
        return period(None, "D")
    newest = max(dated, key=lambda row: row["newest"])
    return period(newest["newest"], newest["frequency"])


def _rights(codes: Iterable[str]) -> list[str]:
    """Kinds of rights in words, each once."""
    return list(dict.fromkeys(RIGHTS_WORDS.get(code, code) for code in codes))
