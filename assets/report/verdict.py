"""The verdict: heading, the record in numbers, past easing against now, and the evidence.

Here and in the other parts of the page, a public function returns one sentence from the published tables (`**` marks
emphasis) or None when its figures are missing; `content` returns what the tables of the template show.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from assets.report.markets import is_comparable
from assets.report.published import Release, Row
from assets.report.words import (
    COMPONENTS,
    CONDITIONS,
    GRADE_WORDS,
    REGIME_WORDS,
    capital,
    component_inside,
    component_words,
    counted,
    day,
    in_words,
    listed,
    month,
    number,
    percent,
    period,
    reason_words,
    regime_words,
    with_unit,
    withheld_or,
)

_NEW_YORK = ZoneInfo("America/New_York")
_BADGES = {"sample": "Sample data", "public": "Public figures", "live": "Live figures"}
_TONES = {"bubble": "hot", "depression": "cold"}
_UP, _DOWN, _MIDDLE, _NONE = "▲", "▼", "◆", ""
GLYPHS = {
    "hot": _UP,
    "cold": _DOWN,
    "between": _MIDDLE,
    "bubble": _UP,
    "depression": _DOWN,
    "mid_cycle": _MIDDLE,
    "absent": _NONE,
    "indeterminate": _NONE,
    "": _NONE,
}
_YIELDS = (
    "earnings_yield",
    "erp_vs_nominal_10y",
    "erp_vs_real_10y",
)  # their level depends on the earnings basis
# Conditions in the order of the post's table: their raw figure in qe_phases, its unit, decimals and name.
FOUR = {
    "valuation": ("earnings_yield_pct", "percent", 1, "yield"),
    "economy": ("unemployment_rate_pct", "percent", 1, "jobless"),
    "inflation": ("core_pce_yoy_pct", "percent", 1, "core"),
    "credit": ("nfci_index", "none", 2, "NFCI"),
}
PHASE_NAMES = {
    "qe1": "QE1",
    "qe2": "QE2",
    "qe3": "QE3",
    "bills_2019": "Bills 2019",
    "qe4_2020": "Covid",
    "post": "The post",
    "reserves_2025": "Reserves 2025",
    "today": "Now",
}
_EASING_INTO_BUBBLE = """
WITH ends AS (
  SELECT as_of_date, regime, lag(regime) OVER (ORDER BY as_of_date) IS DISTINCT FROM regime AS starts
  FROM regime WHERE is_month_end AND bubble_score IS NOT NULL)
SELECT count(*) FILTER (regime = 'stimulus_into_bubble') AS easing, count(*) AS n, min(as_of_date) AS first,
  count(*) FILTER (regime = 'stimulus_into_bubble' AND starts) AS spells
FROM ends
"""


def content(release: Release) -> dict[str, Any]:
    """What the template shows of this part."""
    return {
        "head": _head(release),
        "base_rates": base_rates(release),
        "past_easing": [{**row, "equity_price_period": _price_period(row)} for row in release.phases],
        "evidence": [_evidence_group(release, name) for name in CONDITIONS],
        "inflation": _inflation_note(release),
    }


# ---- heading


def _head(release: Release) -> dict[str, str]:
    today, manifest = release.today, release.manifest
    name = REGIME_WORDS.get(today["regime"], str(today["regime"]))
    first, _, last = name.rpartition(" ")
    published = manifest["published_at"].replace(tzinfo=dt.UTC).astimezone(_NEW_YORK)
    words = regime_words(today["regime"], today["stance_driver"])
    return {
        "as_of": day(release.as_of),
        "badge": _BADGES[manifest["profile"]],
        "published": f"{day(published.date())}, {published:%H:%M} New York",
        "grade": str(today["pit_grade"]).replace("_", " "),
        "grade_words": GRADE_WORDS.get(today["pit_grade"], ""),
        "regime": words,
        "regime_first": first,
        "regime_last": last,
        "regime_rest": words.removeprefix(name),
        "tone": _TONES.get(today["condition_state"], "mid"),
        **{name: manifest[name] for name in ("method_version", "code_version", "release_id")},
    }


# ---- the record, and past easing against now


def timeline_count(release: Release) -> str | None:
    """How often easing has met a bubble."""
    found = release.row(_EASING_INTO_BUBBLE)
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
    past, now = release.past_easing, release.now
    cold, hot = now["cold_conditions"], now["hot_conditions"]
    today = f"Today {in_words(cold)} {_be(cold)} cold and {in_words(hot)} {_be(hot)} hot"
    unknown = sum(now[f"{name}_verdict"] is None for name in CONDITIONS)
    today += f"; {in_words(unknown)} cannot be measured." if unknown else "."
    parts: list[str] = []
    for row in past:
        name, count, after = row["phase"].upper(), row["cold_conditions"], row["cold_conditions_after"]
        if not parts:
            later = "" if after is None else f" and {in_words(after)} three month-ends later"
            were = _be(count, "was", "were")
            parts.append(
                f"Of four conditions, {in_words(count)} {were} cold when {name} was announced{later}"
            )
        else:
            later = "" if after is None else f", then {in_words(after)}"
            parts.append(f"at {name} {in_words(count)}{later}")
    return f"{'; '.join(parts)}. {today}" if parts else today


def depression_meaning(release: Release) -> str | None:
    """What the word means here, and how many of its month-ends were no recessions by the dates of the NBER."""
    row = release.row("SELECT * FROM recession_overlap WHERE condition_state = 'depression'")
    if not row["month_ends"]:
        return None
    outside = row["month_ends"] - row["recession_month_ends"]
    return (
        "Depression is the post's word for what past quantitative easing fell on. It is not the economist's term: "
        f"**{outside} of {row['month_ends']} such month-ends** ({percent(outside / row['month_ends'])}) "
        f"are outside the recessions that the NBER dates, to {month(row['last_date'])}."
    )


# ---- the evidence


def evidence_extremes(release: Release) -> str | None:
    """Hottest and coldest of the inputs that count."""
    inputs = [row for row in release.evidence if row["weight"] > 0 and row["condition"] != "inflation"]
    if not inputs:
        return None
    inputs.sort(key=lambda row: (row["score"], row["component"]))
    cold, hot = inputs[0], inputs[-1]
    return (
        f"On a scale from 0 (cold) to 100 (hot), {component_inside(hot['component'])} is highest at "
        f"**{number(hot['position'], 0)}** and {component_inside(cold['component'])} lowest at "
        f"**{number(cold['position'], 0)}**."
    )


def evidence_absent(release: Release) -> str | None:
    """How many inputs are absent, by reason."""
    reasons = [row["absent_reason"] for row in release.evidence if row["score"] is None]
    if not reasons:
        return "No input is absent."
    parts = [f"{reasons.count(reason)} {reason_words(reason)}" for reason in sorted(set(reasons))]
    return f"{len(reasons)} of {len(release.evidence)} inputs {_be(len(reasons))} absent: {listed(parts)}."


def _evidence_group(release: Release, condition: str) -> dict[str, Any]:
    """A condition with its score and its inputs; absent ones in one line, by reason."""
    order = list(COMPONENTS)
    of_condition = [row for row in release.evidence if row["condition"] == condition]
    of_condition.sort(key=lambda row: order.index(row["component"]))
    rows = [row for row in of_condition if row["score"] is not None]
    absent: dict[str, list[str]] = {}
    for row in of_condition:
        if row["score"] is None:
            absent.setdefault(reason_words(row["absent_reason"]), []).append(
                component_inside(row["component"])
            )
    return {
        "absent": capital("; ".join(f"{why}: {listed(names)}" for why, names in absent.items())),
        "name": condition,
        "score": release.today[f"{condition}_score"],
        "verdict": release.now[f"{condition}_verdict"] or "absent",
        "in_score": condition != "inflation",
        "rows": [
            {
                **row,
                "name": component_words(row["component"]),
                "side": COMPONENTS[row["component"]][2],
                "value": withheld_or(with_unit(row["value"], row["unit"]), row),
                "is_comparable": row["component"] not in _YIELDS or is_comparable(release),
                "period": release.period(row["observation_date"], row["series_ids"] or ""),
                "why": "" if row["weight"] > 0 else reason_words(row["absent_reason"]),
            }
            for row in rows
        ],
    }


def _inflation_note(release: Release) -> str:
    """The separate rule of inflation."""
    parameters = release.parameters
    target = with_unit(parameters["verdict.inflation_target_pct"], "percent", 0)
    fall = with_unit(parameters["verdict.inflation_fall_pp"], "percentage points", 1)
    return (
        f"Inflation is not in the score; it is cold below {target} or {fall} lower than "
        f"{parameters['verdict.inflation_window_months']:.0f} months before, otherwise hot."
    )


def base_rates(release: Release) -> dict[str, str]:
    """How often each condition has been hot and cold: "hot in 30 %, cold in 31 % of months since 1995"."""
    shown = {}
    for name in CONDITIONS:
        hot, cold = (
            release.row("SELECT * FROM base_rates WHERE condition = ? AND verdict = ?", name, verdict)
            for verdict in ("hot", "cold")
        )
        shown[name] = (
            f"hot in {percent(hot['share'])}, cold in {percent(cold['share'])} of months since {hot['first_date']:%Y}"
            if hot["share"] is not None
            else "no base rate yet"
        )
    return shown


def _price_period(row: Row) -> str:
    """The month, or the quarter of a market value, that the share price is of."""
    return period(row["equity_price_date"], "Q" if str(row["equity_price_basis"]).startswith("z1_") else "M")


def _be(count: int, one: str = "is", many: str = "are") -> str:
    return one if count <= 1 else many
