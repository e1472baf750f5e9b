"""Sentences about the record: its phases, what followed them, how firm the label is, and what speaks against it.

Belongs here: words around those figures. Does not belong here: figures typed in by hand; the verdict (`sentences.py`).
"""

from __future__ import annotations

import json
import math

from assets.report.reading import Release
from assets.report.record import known_cases, said_words
from assets.report.tables import phase_rows
from assets.report.words import (
    CONDITIONS,
    THIN,
    counted,
    day,
    in_words,
    listed,
    month,
    number,
)

_PARAMETERS = {
    "confirmation_months": "the months of confirmation",
    "threshold_shifts": "the height of the thresholds",
    "valuation_rank_shares": "the share of ranks in valuation",
    "spread_weights": "the weight of spreads in credit",
}


def post_day(release: Release) -> str | None:
    """Whose figures these are, or that the release ends before them."""
    known = next((row for row in release.phases if row["phase"] == "post"), None)
    if known is None:
        return "This release ends before the day the post speaks for."
    return (
        f"What the post says, and what these tables knew on its day, {day(known['as_of_date'])}. "
        f"On the month-end before, the label was {said_words(known['regime_before'])}."
    )


def phases_runs(release: Release) -> str | None:
    """How many runs of one label there are, and the longest that has ended or still goes on."""
    runs = phase_rows(release)
    if not runs:
        return "No month-end of this release has a score, and so none a phase."
    months = sorted(int(run["months"]) for run in runs)
    longest = max(runs, key=lambda run: int(run["months"]))
    return (
        f"{counted(len(runs), 'run').capitalize()} of one label since {runs[-1]['first']}; half of them lasted "
        f"{counted(months[(len(months) - 1) // 2], 'month-end')} or fewer, the longest {longest['months']}: "
        f"{said_words(longest['regime'])}, from {longest['first']}."
    )


def followed(release: Release) -> str | None:
    """How many spells stand behind what followed."""
    rows = release.rows(
        "SELECT max(spells) AS spells, max(closed_spells) AS closed FROM forward_returns WHERE regime = ?",
        release.today["regime"],
    )
    spells, closed = rows[0]["spells"] or 0, rows[0]["closed"] or 0
    least = int(release.parameters["forward_returns.minimum_closed_spells"])
    if not spells:
        return "There is no label today whose spells could be followed."
    said = f"Today's label has had **{counted(spells, 'spell')}**, {_closed(spells, closed)}"
    if closed < least:
        said += f": too few for an interval, which takes {counted(least, 'closed spell')}"
    return f"{said}. What followed describes one history and forecasts nothing."


def _closed(spells: int, closed: int) -> str:
    if spells == 1:
        return "closed" if closed else "still open"
    return f"{in_words(closed)} of them closed"


def firm_range(release: Release) -> str | None:
    """The score under drawn weights, and the state under other parameters."""
    today = release.today
    if today["score_p05"] is None or today["agreement"] is None:
        return "There is no score today, and so no range around it."
    sets = math.prod(
        len(json.loads(row["text"]))
        for row in release.rows(
            "SELECT text FROM method_parameters WHERE section = 'robustness' AND starts_with(text, '[') "
            "AND parameter <> 'era_starts'"
        )
    )
    draws = int(release.parameters["robustness.weight_draws"])
    return (
        f"Under {draws:,} draws of the weights nine scores in ten lie between **{number(today['score_p05'])}** and "
        f"**{number(today['score_p95'])}**. Of {sets} sets of thresholds, weights and confirmation "
        f"{number(100 * today['agreement'], 0)}{THIN}% give today's state."
    )


def firm_parameters(release: Release) -> str | None:
    """Which parameter decides the most, over the whole record, and how often the score is near a threshold."""
    rows = release.rows(
        "SELECT parameter, avg(disagreement_share) AS share FROM parameter_sensitivity "
        "WHERE disagreement_share IS NOT NULL GROUP BY parameter ORDER BY share DESC, parameter"
    )
    near = release.parameters["robustness.near_threshold"]
    scored = release.row(
        "SELECT count(*) AS n, count(*) FILTER (distance_to_threshold <= ?) AS near FROM regime "
        "WHERE is_month_end AND bubble_score IS NOT NULL",
        near,
    )
    if not rows:
        return None
    first = rows[0]
    named = _PARAMETERS.get(first["parameter"], first["parameter"].replace("_", " "))
    return (
        f"Over the record {named} mattered most: changed alone, the state differs in "
        f"{number(100 * first['share'], 0)}{THIN}% of pairs. The score stood within {number(near)} of a threshold on "
        f"{scored['near']} of {scored['n']} month-ends."
    )


def firm_revised(release: Release) -> str | None:
    """As known then against today's figures, and what reached us late."""
    row = release.row(
        "SELECT count(*) AS n, count(*) FILTER (v.is_same_regime) AS same, "
        "count(*) FILTER (v.score_revision <> 0) AS moved "
        "FROM regime_revised AS v JOIN regime AS r USING (as_of_date) "
        "WHERE r.is_month_end AND r.bubble_score IS NOT NULL"
    )
    late = release.row("SELECT count(*) AS n, count(DISTINCT series_id) AS series FROM late_figures")
    if not row["n"]:
        return None
    said = f"With today's figures {row['same']} of {row['n']} month-ends carry the label they had when first known"
    said += (
        f"; revisions moved {counted(row['moved'], 'score')}."
        if row["moved"]
        else "; no revision moved a score."
    )
    if not late["n"]:
        return f"{said} No figure reached us late."
    return (
        f"{said} {counted(late['n'], 'figure').capitalize()} of {counted(late['series'], 'series', 'series')} "
        "reached us too late for a live row, which stays as it was frozen."
    )


def cases_hold(release: Release) -> str | None:
    """How many of the known dates come out."""
    cases = known_cases(release)
    if not cases:
        return "No month-end of this release is among the dates that are not in dispute."
    good = sum(case["holds"] for case in cases)
    return f"**{good} of {len(cases)}** statements about dates that are not in dispute come out."


def cases_unsteady(release: Release) -> str | None:
    """Which of them rest on hysteresis and confirmation."""
    rows = {
        row["as_of_date"]: row
        for row in release.rows("SELECT * FROM method_variants WHERE variant = 'without_hysteresis'")
    }
    cases = known_cases(release)
    if not cases:
        return None
    columns = {"regime": "regime_variant", "condition_state": "condition_variant", "stance": "stance_variant"}
    lost = dict.fromkeys(
        when
        for case in cases
        for when, row in sorted(rows.items())
        if case["first"] <= when <= case["last"] and row[columns[case["column"]]] != case["expected"]
    )
    if not lost:
        return "Without hysteresis and confirmation they would come out the same."
    return f"Without hysteresis and confirmation {listed([month(when) for when in sorted(lost)])} would not."


def misfits(release: Release) -> str | None:
    """Conditions that were hot when a programme after 2008 was announced, against the post's account."""
    found = [
        (row["phase"].upper(), name, row[f"{name}_verdict_after"])
        for row in release.phases
        if row["phase"] in ("qe1", "qe2", "qe3")
        for name in CONDITIONS
        if row[f"{name}_verdict"] == "hot"
    ]
    if not found:
        return None
    parts = [
        f"{name} was hot at {phase}" + (f" and {after} three month-ends later" if after else "")
        for phase, name, after in found
    ]
    return f"Against the post's account, {listed(parts)}."


def caveats_count(release: Release) -> str | None:
    """How many caveats apply, by severity."""
    rows = release.row(
        "SELECT count(*) AS n, count(*) FILTER (severity = 'warning') AS warnings, "
        "count(*) FILTER (severity = 'caution') AS cautions, count(*) FILTER (starts_with(caveat_id, 'missing_')) "
        "AS inputs FROM caveats WHERE applies_now"
    )
    if not rows["n"]:
        return "No caveat applies to this release."
    said = (
        f"{rows['n']} caveats apply: {counted(rows['warnings'], 'warning')}, "
        f"{counted(rows['cautions'], 'caution')}, the rest notes on method and data."
    )
    left = counted(rows["inputs"], "names an input", "name inputs").capitalize()
    return said if not rows["inputs"] else f"{said} {left} absent today: these stand in the evidence."
