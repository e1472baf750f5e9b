"""Sentences about the verdict, each a template over published tables: what, since when, how near, with what care.

Belongs here: words around figures of the verdict itself. Does not belong here: figures typed in by hand, sentences
about money and markets (`sentences_markets.py`). A sentence without its figures is None and is not shown.
`**` marks what stands out.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from assets.report.reading import Release, Row
from assets.report.words import (
    CONDITIONS,
    REASONS_SHORT,
    REGIME_WORDS,
    STATE_WORDS,
    component_inside,
    counted,
    day,
    in_words,
    listed,
    month,
    number,
)

Sentence = Callable[[Release], str | None]

_DOING = {
    "stimulus": "is easing",
    "tightening": "is tightening",
    "neutral": "is neither easing nor tightening",
}
_PAST_EASING = ("qe1", "qe2", "qe3")
_CAUSES = {
    "rate": "the policy rate",
    "balance_sheet": "the announced balance sheet",
    "both": "the policy rate and the announced balance sheet",
}


def lead_conditions(release: Release) -> str | None:
    """What the Fed does, and how many of the four conditions are hot."""
    found = _verdicts(_today(release))
    hot = [name for name in CONDITIONS if found[name] == "hot"]
    doing = _DOING.get(release.today["stance"], "has no stance that could be measured")
    said = f"The Fed {doing} while **{in_words(len(hot))} of four conditions** {_be(len(hot))} hot"
    said += f": {listed(hot)}." if hot else "."
    for word, state in (("cold", "cold"), ("between", "in between"), (None, "not measurable")):
        names = [name for name in CONDITIONS if found[name] == word]
        if names:
            said += f" {listed(names).capitalize()} {'is' if len(names) == 1 else 'are'} {state}."
    return said


def lead_past(release: Release) -> str | None:
    """How hot and how cold it was when the three programmes after 2008 began."""
    past = _past(release)
    if not past:
        return None
    names = listed([row["phase"].upper() for row in past])
    hot, cold = max(row["hot_conditions"] for row in past), min(row["cold_conditions"] for row in past)
    return (
        f"When {names} {'was' if len(past) == 1 else 'were'} announced, at most {counted(hot, 'was', 'were')} hot "
        f"and at least {in_words(cold)} cold."
    )


def lead_since(release: Release) -> str | None:
    """Since when the label stands, and for how many month-ends."""
    since = release.today["regime_since"]
    ends = release.row(
        "SELECT count(*) AS n FROM regime WHERE is_month_end AND as_of_date BETWEEN ? AND ?",
        since,
        release.as_of,
    )["n"]
    said = "There has been no label" if release.today["regime"] == "indeterminate" else "The label has stood"
    return f"{said} for {counted(ends, 'month-end')}, since **{day(since)}**."


def care_indeterminate(release: Release) -> str | None:
    """Why there is no label."""
    reason = release.today["indeterminate_reason"]
    if not reason:
        return None
    # inputs in brackets stand in the evidence, each with its own reason
    return f"There is no label on this date: {re.sub(r' [(][^)]*[)]', '', reason)}."


def care_provisional_row(release: Release) -> str | None:
    """A run date inside a month is provisional."""
    if release.today["is_month_end"] or release.today["regime"] == "indeterminate":
        return None
    would_be = STATE_WORDS.get(release.today["provisional_condition"], "nothing")
    return (
        "The row is provisional: inside a month the condition of the last month-end stands. "
        f"The figures of {day(release.as_of)} alone would say {would_be}."
    )


def care_coverage(release: Release) -> str | None:
    """Conditions that rest on the least coverage allowed."""
    at_minimum = release.today["conditions_at_minimum_coverage"]
    if not at_minimum:
        return None
    names = str(at_minimum).split(", ") if ", " in at_minimum else str(at_minimum).split(",")
    said = f"{listed(names).capitalize()} {'rests' if len(names) == 1 else 'rest'} on the least coverage allowed "
    said += f"({number(release.parameters['coverage.minimum'])})"
    return said + ("; no corporate bond spread is known." if release.today["is_spread_missing"] else ".")


def care_stance(release: Release) -> str | None:
    """The stance is provisional when nobody looked for announcements lately."""
    if not release.today["is_stance_provisional"]:
        return None
    checked = day(release.manifest["ledger_last_checked"])
    return f"The stance is provisional: announcements were last looked for on {checked}."


def timeline_count(release: Release) -> str | None:
    """How often easing has met a bubble."""
    found = release.row(
        "WITH ends AS (SELECT as_of_date, regime, "
        "lag(regime) OVER (ORDER BY as_of_date) IS DISTINCT FROM regime AS starts FROM regime "
        "WHERE is_month_end AND bubble_score IS NOT NULL) "
        "SELECT count(*) FILTER (regime = 'stimulus_into_bubble') AS easing, count(*) AS n, "
        "count(*) FILTER (regime = 'stimulus_into_bubble' AND starts) AS spells, min(as_of_date) AS first FROM ends"
    )
    if not found["n"]:
        return "No month-end of this release has a score yet."
    is_open, alone = release.today["regime"] == "stimulus_into_bubble", found["spells"] == 1
    still = (", still open" if alone else ", one of them open") if is_open else ", now over"
    return (
        f"Easing into a bubble: **{found['easing']} of {found['n']} month-ends** since {month(found['first'])}, "
        f"in {counted(found['spells'], 'spell')}{still if found['spells'] else ''}."
    )


def past_easing(release: Release) -> str | None:
    """Cold conditions when each programme began and three month-ends later, against now."""
    past, now = _past(release), _today(release)
    cold, hot = now["cold_conditions"], now["hot_conditions"]
    said = f"Today {in_words(cold)} {_be(cold)} cold and {in_words(hot)} {_be(hot)} hot."
    unknown = sum(verdict is None for verdict in _verdicts(now).values())
    if unknown:
        said = f"{said[:-1]}; {in_words(unknown)} cannot be measured."
    if not past:
        return said
    first, *rest = past
    told = [
        f"Of four conditions, {in_words(first['cold_conditions'])} {_be(first['cold_conditions'], 'was', 'were')} "
        f"cold when {first['phase'].upper()} was announced{_later(first, ' and ', ' three month-ends later')}",
        *(
            f"at {row['phase'].upper()} {in_words(row['cold_conditions'])}{_later(row, ', then ')}"
            for row in rest
        ),
    ]
    return f"{'; '.join(told)}. {said}"


def _be(count: int, one: str = "is", many: str = "are") -> str:
    return one if count <= 1 else many


def _later(phase: Row, before: str, after: str = "") -> str:
    count = phase["cold_conditions_after"]
    return "" if count is None else f"{before}{in_words(count)}{after}"


def evidence_extremes(release: Release) -> str | None:
    """Hottest and coldest of the inputs that count."""
    counted_inputs = [
        row for row in release.evidence if row["weight"] > 0 and row["condition"] != "inflation"
    ]
    if not counted_inputs:
        return None
    counted_inputs.sort(key=lambda row: (row["score"], row["component"]))
    cold, hot = counted_inputs[0], counted_inputs[-1]
    return (
        f"On a scale from 0, cold, to 100, hot, {component_inside(hot['component'])} stands highest at "
        f"**{number(100 * hot['score'], 0)}** and {component_inside(cold['component'])} lowest at "
        f"**{number(100 * cold['score'], 0)}**."
    )


def evidence_absent(release: Release) -> str | None:
    """How many inputs are absent, by reason."""
    reasons: dict[str, int] = {}
    for row in release.evidence:
        if row["score"] is None:
            reasons[row["absent_reason"]] = reasons.get(row["absent_reason"], 0) + 1
    if not reasons:
        return "No input is absent."
    parts = [
        f"{n} {REASONS_SHORT.get(reason, reason.replace('_', ' '))}" for reason, n in sorted(reasons.items())
    ]
    total = sum(reasons.values())
    return (
        f"{total} of {len(release.evidence)} inputs {'is' if total == 1 else 'are'} absent: {listed(parts)}."
    )


def change_label(release: Release) -> str | None:
    """The newest change of the label and what made it."""
    found = release.rows("SELECT * FROM regime_changes ORDER BY as_of_date DESC LIMIT 1")
    if not found:
        return None
    row = found[0]
    said = (
        f"The label last changed on **{day(row['as_of_date'])}**, "
        f"from {_label(row['regime_before'])} to {_label(row['regime'])}"
    )
    causes = []
    if row["stance_cause"]:
        causes.append(f"{_CAUSES[row['stance_cause']]} moved the stance")
    if row["thresholds_crossed"]:
        crossed = row["thresholds_crossed"].replace("_", " ")
        causes.append(crossed.replace(">=", "≥").replace("<=", "≤"))
    return f"{said}: {listed(causes)}." if causes else f"{said}."


def change_score(release: Release) -> str | None:
    """The move of the score since the month-end before, and the inputs that moved it most."""
    moved = release.rows(
        "SELECT a.*, before.bubble_score AS score_before FROM score_attribution AS a "
        "JOIN regime AS before ON before.as_of_date = a.compared_with_date WHERE a.as_of_date = ? "
        "ORDER BY abs(a.contribution_change) DESC, a.component",
        release.as_of,
    )
    if not moved:
        return None
    first = moved[0]
    said = (
        f"Since {day(first['compared_with_date'])} the score went from **{number(first['score_before'], 3)}** "
        f"to **{number(release.today['bubble_score'], 3)}**"
    )
    named = [
        f"{component_inside(row['component'])} ({number(row['contribution_change'], 3, sign=True)})"
        for row in moved[:2]
        if abs(row["contribution_change"]) >= 0.0005
    ]
    return (
        f"{said}, most of all through {listed(named)}." if named else f"{said}; no input moved it by 0.001."
    )


def _past(release: Release) -> list[Row]:
    """The three programmes after 2008, as far as they had begun."""
    return [row for row in release.phases if row["phase"] in _PAST_EASING]


def _today(release: Release) -> Row:
    return next(row for row in release.phases if row["kind"] == "today")


def _verdicts(phase: Row) -> dict[str, str | None]:
    return {name: phase[f"{name}_verdict"] for name in CONDITIONS}


def _label(regime: str) -> str:
    words = REGIME_WORDS.get(regime, regime)
    return words[:1].lower() + words[1:]
