"""Movement: what would change the label, and what changed since the previous month-end and publication."""

from __future__ import annotations

from typing import Any

from assets.report.published import Release, Row
from assets.report.words import WITHHELD, capital

_RATE = "policy_rate_change_6m_pp"
LEAST_EFFECT = 0.0005  # points of the score; less is not shown
_THRESHOLDS = """
SELECT DISTINCT flip, leads_to, threshold, measure, measure_value, comparison, limit_value, month_ends_needed,
  CASE comparison WHEN '<' THEN measure_value < limit_value WHEN '>' THEN measure_value > limit_value
    WHEN '>=' THEN measure_value >= limit_value WHEN '<=' THEN measure_value <= limit_value
    WHEN 'inside' THEN abs(measure_value) < abs(limit_value) END AS is_met,
  if(is_met, 0.0, abs(measure_value - limit_value)) AS distance, measure = ? AS is_rate
FROM distance_to_flip WHERE as_of_date = ?
ORDER BY is_rate, distance, threshold
"""
# A spread is the standard deviation of an input's own history: it makes moves in different units comparable.
_ALONE = """
WITH s AS (
  SELECT component, stddev_samp(value) AS spread FROM regime_evidence
  WHERE as_of_date IN (SELECT as_of_date FROM regime WHERE is_month_end) GROUP BY component)
SELECT d.*, abs(d.required_move) / s.spread AS spreads FROM distance_to_flip AS d JOIN s USING (component)
WHERE d.as_of_date = ? AND d.reachability = 'reachable' AND d.required_move <> 0
ORDER BY spreads, d.component, d.threshold
"""
# Inputs of the score thresholds: able to pass one alone, not able to, absent.
_REACH = """
SELECT coalesce(list(component ORDER BY component) FILTER (is_able), []) AS able,
  coalesce(list(component ORDER BY component) FILTER (NOT is_able AND NOT is_absent), []) AS cannot,
  coalesce(list(component ORDER BY component) FILTER (is_absent), []) AS absent
FROM (SELECT component, bool_or(reachability = 'reachable' AND required_move <> 0) AS is_able,
        bool_and(reachability = 'absent') AS is_absent
      FROM distance_to_flip WHERE as_of_date = ? AND condition <> 'stance' GROUP BY component)
"""
_MOVED_INPUTS = """
SELECT c.*, split_part(c.item, '.', 1) AS condition, split_part(c.item, '.', 2) AS component,
  a.contribution_change AS effect,
  CASE WHEN effect >= ? THEN 'hot' WHEN effect <= -? THEN 'cold' ELSE '' END AS direction
FROM what_changed AS c LEFT JOIN score_attribution AS a
  ON a.as_of_date = c.as_of_date AND a.compared_with_date = c.before_as_of_date
  AND a.component = split_part(c.item, '.', 2)
WHERE c.compared_with = 'month_end_before' AND contains(c.item, '.') AND abs(a.contribution_change) >= ?
ORDER BY abs(coalesce(a.contribution_change, 0)) DESC, c.item
"""


def content(release: Release) -> dict[str, Any]:
    """What the template shows of this part."""
    return {
        "thresholds": thresholds(release),
        "alone": release.rows(_ALONE, release.as_of),
        "reach": reach(release),
        "changes": release.rows(_MOVED_INPUTS, *[LEAST_EFFECT] * 3),
        "withheld": WITHHELD,
    }


def thresholds(release: Release) -> list[Row]:
    """Thresholds in force, the nearest first: those of the scores, then those of the policy rate."""
    return release.rows(_THRESHOLDS, _RATE, release.as_of)


def nearest(release: Release) -> Row | None:
    """The nearest threshold of a score that is not met."""
    return next((row for row in thresholds(release) if not (row["is_rate"] or row["is_met"])), None)


def flip_met(release: Release) -> str | None:
    """The flip with every threshold of a score met; for a depression, that of the score and another one."""
    rows = [row for row in thresholds(release) if not row["is_rate"]]
    for flip in sorted({row["flip"] for row in rows}):
        of_flip = [row for row in rows if row["flip"] == flip]
        met = [row["measure"] for row in of_flip if row["is_met"]]
        is_enough = flip == "enter_depression" and "bubble_score" in met and len(met) > 1
        if is_enough or len(met) == len(of_flip):
            return str(flip)
    return None


def reach(release: Release) -> Row:
    """Inputs that could pass a threshold of a score by themselves, that could not, and that are absent."""
    return release.row(_REACH, release.as_of)


def measure_words(name: str) -> str:
    """A measure that has a threshold, at the start of a cell."""
    return "Policy rate over six months" if name == _RATE else capital(name.replace("_", " "))
