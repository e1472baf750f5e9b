"""The verdict: heading and first screen (readings of the label, policy, old inputs, tiles), past easing, the evidence.

Here and in the other parts of the page, `content` returns what the template shows of the part.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import Any
from zoneinfo import ZoneInfo

from assets.report.flip import nearest
from assets.report.policy_sentence import Policy
from assets.report.published import Release, Row
from assets.report.words import (
    CONDITIONS,
    GRADE_WORDS,
    PRICED_ONCE,
    REGIME_WORDS,
    capital,
    component_inside,
    day,
    listed,
    number,
    percent,
    period,
    period_end,
    reason_words,
    regime_words,
    signs,
)

_NEW_YORK = ZoneInfo("America/New_York")
_BADGES = {"sample": "Sample data", "public": "Public figures", "live": "Live figures"}
_TONES = {"bubble": "hot", "depression": "cold"}
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
_BASE_RATES = """
SELECT condition, any_value(share) FILTER (verdict = 'hot') AS hot, any_value(share) FILTER (verdict = 'cold') AS cold,
  any_value(first_date) FILTER (verdict = 'hot') AS first_date
FROM base_rates GROUP BY condition
"""


def content(release: Release) -> dict[str, Any]:
    """What the template shows of this part."""
    return {
        "head": _head(release),
        "base_rates": base_rates(release),
        "past_easing": [{**row, "equity_price_period": _price_period(row)} for row in release.phases],
        "evidence": [_evidence_group(release, name) for name in CONDITIONS],
    }


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


def _evidence_group(release: Release, condition: str) -> dict[str, Any]:
    """A condition with its score and its inputs; absent ones in one line, by reason."""
    of_condition = [row for row in release.evidence if row["condition"] == condition]
    absent: dict[str, list[str]] = {}
    for row in of_condition:
        if row["score"] is None:
            names = absent.setdefault(reason_words(row["absent_reason"]), [])
            names.append(component_inside(row["component"]))
    return {
        "absent": capital("; ".join(f"{why}: {listed(names)}" for why, names in absent.items())),
        "name": condition,
        "score": release.today[f"{condition}_score"],
        "verdict": release.now[f"{condition}_verdict"] or "absent",
        "rows": [row for row in of_condition if row["score"] is not None],
    }


def base_rates(release: Release) -> dict[str, str]:
    """How often each condition has been hot and cold: "hot in 30 %, cold in 31 % of months since 1995"."""
    return {
        row["condition"]: "no base rate yet"
        if row["hot"] is None
        else f"hot in {percent(row['hot'])}, cold in {percent(row['cold'])} of months since {row['first_date']:%Y}"
        for row in release.rows(_BASE_RATES)
    }


def _price_period(row: Row) -> str:
    """The month, or the quarter of a market value, that the share price is of."""
    return period(row["equity_price_date"], "Q" if str(row["equity_price_basis"]).startswith("z1_") else "M")


# ---- the first screen

_TECHNICAL = "regime_purchases_technical"
_READINGS = {  # a label under another reading of the balance sheet, and when that reading holds
    _TECHNICAL: "if purchases for reserve management are only technical",
    "regime_effective_dates": "if decisions count only from the day they take effect",
    "regime_realised": "measured by the actual balance sheet",
}
_OLD_SHARE = 2 / 3  # of the age at which an input no longer counts


def other_stances(today: Row) -> dict[str, list[str]]:
    """Each stance under another reading whose label differs, and when those readings hold."""
    found: dict[str, list[str]] = {}
    for column, holds in _READINGS.items():
        if today[column] != today["regime"]:
            has_ended = column == _TECHNICAL and today["is_stance_provisional"]
            words = "if the purchases have ended" if has_ended else holds
            found.setdefault(today[column].partition("_")[0], []).append(words)
    return found


def policy(release: Release) -> Policy:
    """What `lead_policy` puts into words."""
    today, parameters = release.today, release.parameters
    of_debt = release.newest("monetisation")
    share = of_debt["share_12m_of_deficit_pct" if of_debt["share_12m_pct"] is None else "share_12m_pct"]
    gaps = [today[f"policy_gap_{rule}_pp"] for rule in ("r05", "r10", "r20")]
    return Policy(
        today["stance"],
        today["stance_driver"],
        today["policy_level"],
        today["balance_sheet_test"],
        today["reserves_test"],
        today["monetisation_band"],
        today["is_coordinated"],
        is_offsetting=today["stance"] == "neutral" and today["rate_direction"] != 0,
        real_rate_pct=today["real_policy_rate_pct"],
        taylor_gaps_pp=[gap for gap in gaps if gap is not None],
        share_pct=share,
        limits_pct=[
            parameters[f"monetisation.{band}_from_pct"] for band in ("building", "active", "dominant")
        ],
        near_limit_pp=parameters["monetisation.near_limit_pp"],
    )


def with_verdict(release: Release, verdict: str | None) -> list[str]:
    """The conditions that are hot, cold or between now; with None those that cannot be measured."""
    return [name for name in CONDITIONS if release.now[f"{name}_verdict"] == verdict]


def old_inputs(release: Release) -> tuple[list[str], list[str]]:
    """Inputs that are too old to count, and those that have used up most of their age limit."""
    series = {row["series_id"]: row for row in release.series}
    stale: list[str] = []
    old: dict[str, str] = {}  # by the series that is slowest
    for row in _ratios_first(release):
        inputs = [series[name] for name in row["series_ids"].split(",") if name in series]
        if row["absent_reason"] == "stale":
            newest = [s for s in inputs if s["is_stale"]]
            dates = [release.period(s["last_observation"], s["series_id"]) for s in newest]
            stale.append(component_inside(row["component"]) + (f" ({listed(dates)})" if dates else ""))
        elif row["weight"] > 0 and inputs:
            slowest = max(inputs, key=lambda s: s["staleness_limit_days"])
            age = (release.as_of - period_end(row["observation_date"], slowest["frequency"])).days
            if 0 < _OLD_SHARE * slowest["staleness_limit_days"] < age:
                old.setdefault(slowest["series_id"], _dated(release, row))
    return stale, list(old.values())


def single_source(release: Release) -> list[str]:
    """Inputs that count and rest on one source."""
    alone = {row["series_id"]: row["single_source_from"] for row in release.series}
    named: dict[str, str] = {}
    for row in _ratios_first(release):
        for name in row["series_ids"].split(",") if row["weight"] > 0 else ():
            if alone.get(name) and row["observation_date"] >= alone[name]:
                named.setdefault(name, _dated(release, row))
    return list(named.values())


def _ratios_first(release: Release) -> list[Row]:
    """The evidence with series, in the order of the page; of figures of one ratio the ratio first."""
    rows = [row for row in release.evidence if row["series_ids"]]
    return sorted(rows, key=lambda row: row["component"] not in PRICED_ONCE)


def _dated(release: Release, row: Row) -> str:
    when = release.period(row["observation_date"], row["series_ids"])
    return f"{component_inside(row['component'])} ({when})"


# ---- the tiles


def tiles(release: Release) -> list[tuple[str, str, str]]:
    """Name and value of each tile, and the name of its sentence."""
    today, end = release.today, nearest(release)
    score, agreement = today["bubble_score"], today["agreement"]
    state = capital(today["condition_state"].replace("_", "-"))
    return [
        ("State", "No label" if score is None else f"{state} {number(score)}", "tile_state"),
        ("Policy", capital(today["stance"]), "tile_policy"),
        ("How sure", "Not known" if agreement is None else f"{percent(agreement)} agree", "tile_sure"),
        ("What ends it", "Nothing yet" if end is None else _limit(end), "tile_end"),
    ]


def _limit(row: Row) -> str:
    name = row["measure"].removesuffix("_score").replace("bubble", "score")
    return f"{capital(name)} {signs(row['comparison'])} {number(row['limit_value'])}"


def variants(release: Release) -> int:
    """How many sets of thresholds, weights and confirmation `agreement` counts."""
    lists = release.rows(
        "SELECT text FROM method_parameters WHERE section = 'robustness' AND starts_with(text, '[') "
        "AND parameter <> 'era_starts'"
    )
    return math.prod(len(json.loads(row["text"])) for row in lists)
