"""Movement: what would change the label, the next figures that could, and what changed since earlier."""

from __future__ import annotations

from typing import Any

from assets.report.published import Release, Row
from assets.report.words import WITHHELD, capital, day

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


# ---- coming figures

# Inputs that could change the label alone.
_ABLE = """
SELECT DISTINCT component FROM distance_to_flip
WHERE as_of_date = ? AND reachability = 'reachable' AND required_move <> 0
"""
# The next figure that could, of the input that could.
_NEXT = f"""
SELECT able.component, c.release_date, c.date_basis FROM ({_ABLE}) AS able
JOIN release_calendar AS c ON list_contains(string_split(c.components, ', '), able.component)
ORDER BY c.release_date, able.component LIMIT 1
"""
_COMING = "SELECT * FROM release_calendar WHERE frequency <> 'D' ORDER BY release_date, series_id"
POLICY_RATE = "policy_rate_change"  # among them: a decision, not a figure


def rate_could_change(release: Release) -> bool:
    """Whether a decision on the policy rate could change the label alone."""
    return any(row["component"] == POLICY_RATE for row in release.rows(_ABLE, release.as_of))


def next_able(release: Release) -> list[Row]:
    """The next figure that could change the label alone; none where no figure could."""
    return release.rows(_NEXT, release.as_of)


def coming_releases(release: Release) -> list[Row]:
    """Rows of `release_calendar` by day, without daily series."""
    return release.rows(_COMING)


def when(row: Row) -> str:
    """The day of a row inside a sentence: of the publisher's calendar, or only expected; none where it is overdue."""
    if row["date_basis"] == "overdue":
        return "overdue"
    return f"{'on' if row['date_basis'] == 'publisher' else 'expected about'} {day(row['release_date'])}"
