"""Movement: what would change the label, and what changed since the previous month-end and publication."""

from __future__ import annotations

from typing import Any

from assets.report.published import Release, Row
from assets.report.words import (
    WITHHELD,
    capital,
    component_inside,
    counted,
    day,
    in_words,
    label_words,
    listed,
    number,
)

_RATE = "policy_rate_change_6m_pp"
_LEAST_EFFECT = 0.0005  # points of the score; less is not shown
_WAYS = {
    "<": "falls below",
    ">": "rises above",
    ">=": "is at least",
    "<=": "is at most",
    "inside": "moves closer to 0 than",
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
_ENDS = {
    "leave_bubble": "the bubble would end",
    "leave_depression": "the depression would end",
    "enter_bubble": "a bubble could begin",
    "enter_depression": "a depression could begin",
}
_CAUSES = {
    "rate": "the policy rate",
    "balance_sheet": "the announced balance sheet",
    "both": "the policy rate and the announced balance sheet",
}
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
_REACH = """
SELECT component, CASE WHEN bool_or(reachability = 'reachable' AND required_move <> 0) THEN 'able'
  WHEN bool_and(reachability = 'absent') THEN 'absent' ELSE 'cannot' END AS reach
FROM distance_to_flip WHERE as_of_date = ? AND condition <> 'stance' GROUP BY component ORDER BY component
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
_MOVED_SCORE = """
SELECT a.*, before.bubble_score AS score_before
FROM score_attribution AS a JOIN regime AS before ON before.as_of_date = a.compared_with_date
WHERE a.as_of_date = ? ORDER BY abs(a.contribution_change) DESC, a.component
"""


def content(release: Release) -> dict[str, Any]:
    """What the template shows of this part."""
    return {
        "thresholds": thresholds(release),
        "ways": _WAYS,
        "then": _THEN,
        "alone": release.rows(_ALONE, release.as_of),
        "reach": _reach(release),
        "changes": release.rows(_MOVED_INPUTS, *[_LEAST_EFFECT] * 3),
        "withheld": WITHHELD,
    }


# ---- what would change the label


def thresholds(release: Release) -> list[Row]:
    """Thresholds in force, the nearest first: those of the scores, then those of the policy rate."""
    return release.rows(_THRESHOLDS, _RATE, release.as_of)


def flip_nearest(release: Release) -> str | None:
    """The nearest threshold of a score that is not met."""
    rows = [row for row in thresholds(release) if not row["is_rate"]]
    met = next((words for flip, words in _ENDS.items() if _is_entry_met(flip, rows)), None)
    if met:
        begins = met.replace("could begin", "begins")
        return f"All thresholds are met: {begins} if they are also met at the next month-end."
    row = next((row for row in rows if not row["is_met"]), None)
    if row is None:
        return "There is no score today, so no score threshold applies."
    way = "fell" if row["limit_value"] < row["measure_value"] else "rose"
    ends = row["month_ends_needed"]
    also = "" if ends == 1 else f", on {counted(ends, 'month-end')} in a row"
    return (
        f"Nearest threshold: if the {row['measure'].replace('_', ' ')} {way} by **{number(row['distance'], 3)}** to "
        f"{number(row['limit_value'])}, {_ENDS[row['flip']]}{also}."
    )


def flip_alone(release: Release) -> str | None:
    """Which inputs could pass a threshold by themselves, and which could not, whatever their value."""
    reach = _reach(release)
    able, cannot, absent = (len(reach[kind]) for kind in ("able", "cannot", "absent"))
    if not (able or cannot or absent):
        return None
    parts = []
    if cannot:
        whose = "its" if cannot == 1 else "their"
        parts.append(f"{in_words(cannot)} could not, even at the extreme of {whose} own history")
    if absent:
        parts.append(f"{counted(absent, 'is', 'are')} absent")
    who = counted(able, "input").capitalize() if able else "No input"
    return f"{who} alone could pass a score threshold{'; ' + listed(parts) if parts else ''}."


def _is_entry_met(flip: str, rows: list[Row]) -> bool:
    """Whether every threshold of a flip is met; for a depression, that of the score and another one."""
    of_flip = [row for row in rows if row["flip"] == flip]
    met = [row["measure"] for row in of_flip if row["is_met"]]
    if flip == "enter_depression":
        return "bubble_score" in met and len(met) > 1
    return bool(of_flip) and len(met) == len(of_flip)


def _reach(release: Release) -> dict[str, list[str]]:
    """Inputs of the score thresholds: able to pass one alone, not able to, absent."""
    found: dict[str, list[str]] = {"able": [], "cannot": [], "absent": []}
    for row in release.rows(_REACH, release.as_of):
        found[row["reach"]].append(row["component"])
    return found


def measure_words(name: str) -> str:
    """A measure that has a threshold, at the start of a cell."""
    return "Policy rate over six months" if name == _RATE else capital(name.replace("_", " "))


# ---- what changed


def change_label(release: Release) -> str | None:
    """The newest change of the label and its causes."""
    found = release.rows("SELECT * FROM regime_changes ORDER BY as_of_date DESC LIMIT 1")
    if not found:
        return None
    row = found[0]
    causes = []
    if row["stance_cause"]:
        causes.append(f"{_CAUSES[row['stance_cause']]} changed the stance")
    if row["thresholds_crossed"]:
        crossed = row["thresholds_crossed"].replace("_", " ")
        causes.append(crossed.replace(">=", "≥").replace("<=", "≤"))
    return (
        f"The label last changed on **{day(row['as_of_date'])}**, from {label_words(row['regime_before'])} to "
        f"{label_words(row['regime'])}{': ' + listed(causes) if causes else ''}."
    )


def change_score(release: Release) -> str | None:
    """The move of the score since the month-end before, and the inputs that moved it most."""
    moved = release.rows(_MOVED_SCORE, release.as_of)
    if not moved:
        return None
    named = [
        f"{component_inside(row['component'])} ({number(row['contribution_change'], 3, sign=True)})"
        for row in moved[:2]
        if abs(row["contribution_change"]) >= _LEAST_EFFECT
    ]
    through = f", mainly through {listed(named)}" if named else "; no input moved it by 0.001"
    return (
        f"Since {day(moved[0]['compared_with_date'])} the score went from **{number(moved[0]['score_before'], 3)}** "
        f"to **{number(release.today['bubble_score'], 3)}**{through}."
    )


def change_publication(release: Release) -> str | None:
    """What changed since the previous publication."""
    earlier = release.row(
        "SELECT max(published_at) AS at, max_by(as_of_date, published_at) AS as_of FROM regime_nightly "
        "WHERE published_at < ?",
        release.manifest["published_at"],
    )
    if earlier["at"] is None:
        return "This is the first publication from this archive: there is no earlier one to compare with."
    rows = release.rows("SELECT * FROM what_changed WHERE compared_with = 'publication_before' ORDER BY item")
    labels, scores = [], []
    for row in rows:
        item = row["item"].replace("_", " ").replace("regime", "label")
        if row["text_now"] is None and row["text_before"] is None:
            scores.append(
                f"the {item} from {number(row['value_before'], 3)} to {number(row['value_now'], 3)}"
            )
        else:
            labels.append(
                f"the {item} went from {label_words(row['text_before'])} to {label_words(row['text_now'])}"
            )
    since = f"the previous publication, as of {day(earlier['as_of'])}"
    return f"Since {since}: {listed([*labels, *scores])}." if rows else f"Nothing changed since {since}."
