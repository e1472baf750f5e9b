"""The first screen in words: where policy is, why that is open, how sure, and which inputs are old or single-source.

`show` prints the first of these sentences too. Every function returns one sentence, None where it does not apply.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from assets.report.policy_sentence import Policy, policy_sentence
from assets.report.published import Release, Row
from assets.report.words import (
    COMPONENTS,
    CONDITIONS,
    PRICED_ONCE,
    capital,
    component_inside,
    counted,
    day,
    full_month,
    in_words,
    label_words,
    listed,
    number,
    period_end,
)

# Stance of a label by how it begins, and the same stance as a noun.
_STANCES = ("stimulus", "tightening", "neutral")
_INSIDE = {"bubble": "in a bubble", "depression": "in a depression", "mid_cycle": "in mid-cycle"}
_READINGS = {  # a label under another reading of the balance sheet, and when that reading holds
    "regime_purchases_technical": "if purchases for reserve management are only technical",
    "regime_effective_dates": "if decisions count only from the day they take effect",
    "regime_realised": "measured by the actual balance sheet",
}
_HOLDINGS_DAYS = 42  # six weeks before the run date: how holdings moved while no notice was found
# A series without figures is an error for series_as_of; here the sentence only gets shorter.
_HOLDINGS = """
SELECT observation_date, any_value(value) FILTER (series_id = 'TREAST') / 1000 AS treasuries,
  any_value(value) FILTER (series_id = 'WSHOMCB') / 1000 AS mortgages
FROM all_as_of(?::DATE) WHERE series_id IN ('TREAST', 'WSHOMCB') AND observation_date >= ?::DATE
GROUP BY observation_date HAVING treasuries IS NOT NULL AND mortgages IS NOT NULL ORDER BY observation_date
"""
_OLD_SHARE = 2 / 3  # of the age at which an input no longer counts


# ---- where, and since when


def lead_verdict(release: Release) -> str | None:
    """What policy is, since when, and what it would be under each other reading that differs."""
    today = release.today
    if today["regime"] == "indeterminate":
        return None
    opening, others = _opening(release), _other_stances(release)
    if not others:
        return f"{opening}."
    is_open = today["is_stance_provisional"] and "regime_purchases_technical" in _differing(today)
    if is_open:
        own = "if the Fed still buys"
    elif "regime_purchases_technical" in _differing(today):
        own = "if purchases for reserve management count"
    else:
        own = "as announced"
    text = f"{opening}: it is **{today['stance']} {own}"
    for stance, columns in others.items():
        ways = [_READINGS[column] for column in columns]
        if is_open and "regime_purchases_technical" in columns:
            ways[0] = "if the purchases have ended"
        text += f", but {stance} {' or '.join(ways)}"
    return f"{text}**."


def lead_open(release: Release) -> str | None:
    """Why the stance is provisional: what was not found, and how the holdings moved meanwhile."""
    if not release.today["is_stance_provisional"]:
        return None
    manifest = release.manifest
    notices, checked = manifest["desk_notices_until"], manifest["ledger_last_checked"]
    if notices is None or checked < notices:
        return f"This is open: announcements were last checked on {day(checked)}."
    text = f"This is open: no notice of the Fed's trading desk after {day(notices)} was found"
    start = release.as_of - dt.timedelta(days=_HOLDINGS_DAYS)
    rows = release.rows(_HOLDINGS, release.as_of, start)
    if len(rows) < 2:
        return f"{text}."
    first, last = rows[0], rows[-1]
    bought, ran_off = last["treasuries"] - first["treasuries"], last["mortgages"] - first["mortgages"]
    total = bought + ran_off
    so = "no more than reinvestment" if round(total) <= 0 else "more than reinvestment"
    return (
        f"{text}, and {_span(first['observation_date'], last['observation_date'])} its Treasuries "
        f"{_moved(bought)} and its mortgage securities {_moved(ran_off)} dollars, {so}."
    )


def lead_since(release: Release) -> str | None:
    """The label before this one and how long it was in force; without a label, since when there has been none."""
    since = release.today["regime_since"]
    if release.today["regime"] == "indeterminate":
        query = "SELECT count(*) AS n FROM regime WHERE is_month_end AND as_of_date BETWEEN ? AND ?"
        ends = release.row(query, since, release.as_of)["n"]
        return f"There has been no label for {counted(ends, 'month-end')}, since {day(since)}."
    before = [spell for spell in release.spells("regime") if spell["first"] < since]
    if not before:
        return "There was no other label before."
    last = before[-1]
    return (
        f"Before, it was {label_words(last['value'])}, from {full_month(last['first'])} "
        f"to {full_month(last['last_month_end'])}."
    )


def lead_policy(release: Release) -> str | None:
    """Direction, level, balance sheet, reserves, share of new debt and coordination in one sentence."""
    return policy_sentence(policy(release))


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


def _opening(release: Release) -> str:
    """Since when, as the beginning of the first sentence."""
    today = release.today
    inside, since = _INSIDE[today["condition_state"]], today["regime_since"]
    before = release.rows(
        "SELECT stance, condition_state FROM regime WHERE as_of_date < ? ORDER BY as_of_date DESC LIMIT 1",
        since,
    )
    is_new = since == release.as_of and bool(before)
    if not is_new:
        return f"Policy has been {today['stance']} {inside} since {full_month(since)}"
    is_same_state = before[0]["condition_state"] == today["condition_state"]
    if is_same_state and today["stance"] == "neutral":
        return f"In {full_month(since)} policy stopped being {before[0]['stance']} {inside}"
    return f"In {full_month(since)} policy became {today['stance']} {inside}"


def _differing(today: Row) -> list[str]:
    """Columns of the other readings whose label differs from the headline."""
    return [column for column in _READINGS if today[column] != today["regime"]]


def _other_stances(release: Release) -> dict[str, list[str]]:
    """Each other stance, and the readings that give it."""
    found: dict[str, list[str]] = {}
    for column in _differing(release.today):
        label = release.today[column]
        stance = next(stance for stance in _STANCES if label.startswith(stance))
        found.setdefault(stance, []).append(column)
    return found


def _span(first: dt.date, last: dt.date) -> str:
    """From one day to another, a common year once."""
    start = day(first) if first.year != last.year else day(first).rpartition(" ")[0]
    return f"from {start} to {day(last)}"


def _moved(bn: float) -> str:
    return f"{'rose' if bn >= 0 else 'fell'} by {number(abs(bn), 0)} bn"


# ---- why


def lead_conditions(release: Release) -> str | None:
    """How many of the four conditions are hot."""
    verdicts = {name: release.now[f"{name}_verdict"] for name in CONDITIONS}
    hot = [name for name in CONDITIONS if verdicts[name] == "hot"]
    be = "is" if len(hot) <= 1 else "are"
    text = f"**{capital(in_words(len(hot)))} of four conditions** {be} hot"
    text += f": {listed(hot)}." if hot else "."
    for verdict, words in (("cold", "cold"), ("between", "in between"), (None, "not measurable")):
        names = [name for name in CONDITIONS if verdicts[name] == verdict]
        if names:
            text += f" {capital(listed(names))} {'is' if len(names) == 1 else 'are'} {words}."
    return text


def lead_past(release: Release) -> str | None:
    """How hot and how cold it was when the three programmes after 2008 began."""
    past = release.past_easing
    if not past:
        return None
    names = listed([row["phase"].upper() for row in past])
    hot, cold = max(row["hot_conditions"] for row in past), min(row["cold_conditions"] for row in past)
    were = "was" if len(past) == 1 else "were"
    return (
        f"When {names} {were} announced, at most {counted(hot, 'was', 'were')} hot "
        f"and at least {in_words(cold)} cold."
    )


# ---- how sure


def care_indeterminate(release: Release) -> str | None:
    """Why there is no label."""
    reason = release.today["indeterminate_reason"]
    if not reason:
        return None
    # inputs in brackets are in the evidence, each with its own reason
    return f"There is no label on this date: {re.sub(r' [(][^)]*[)]', '', reason)}."


def care_provisional_row(release: Release) -> str | None:
    """A run date inside a month is provisional."""
    if release.today["is_month_end"] or release.today["regime"] == "indeterminate":
        return None
    would_be = release.today["provisional_condition_state"]
    return (
        "This row is provisional: within a month the state of the last month-end applies. The figures of "
        f"{day(release.as_of)} alone would give {label_words(would_be) if would_be else 'no state'}."
    )


def care_coverage(release: Release) -> str | None:
    """Conditions with the minimum coverage."""
    at_minimum = release.today["conditions_at_minimum_coverage"]
    if not at_minimum:
        return None
    names = [name.strip() for name in at_minimum.split(",")]
    return (
        f"{listed(names).capitalize()} {'has' if len(names) == 1 else 'have'} only the minimum coverage "
        f"({number(release.parameters['coverage.minimum'])})"
        f"{'; no corporate bond spread is available' if release.today['is_spread_missing'] else ''}."
    )


def care_old(release: Release) -> str | None:
    """Inputs that are too old to count, and those that have used up most of their age limit."""
    series = {row["series_id"]: row for row in release.series}
    stale, old = [], []
    seen: set[str] = set()
    for row in _in_order(release):
        inputs = [series[name] for name in row["series_ids"].split(",") if name in series]
        if row["absent_reason"] == "stale":
            newest = [s for s in inputs if s["is_stale"]]
            dates = [release.period(s["last_observation"], s["series_id"]) for s in newest]
            stale.append(component_inside(row["component"]) + (f" ({listed(dates)})" if dates else ""))
        elif row["weight"] > 0 and inputs:
            slowest = max(inputs, key=lambda s: s["staleness_limit_days"])
            age = (release.as_of - period_end(row["observation_date"], slowest["frequency"])).days
            is_old = 0 < _OLD_SHARE * slowest["staleness_limit_days"] < age
            if is_old and slowest["series_id"] not in seen:
                seen.add(slowest["series_id"])
                when = release.period(row["observation_date"], row["series_ids"])
                old.append(f"{component_inside(row['component'])} ({when})")
    parts = []
    if stale:
        parts.append(f"too old to count: {listed(stale)}")
    if old:
        parts.append(f"past two thirds of the age limit: {listed(old)}")
    return f"{capital('; '.join(parts))}." if parts else None


def care_single(release: Release) -> str | None:
    """Inputs that count and rest on one source."""
    alone = {
        row["series_id"]: row["single_source_from"] for row in release.series if row["single_source_from"]
    }
    named: dict[str, str] = {}
    for row in _in_order(release):
        for name in row["series_ids"].split(",") if row["weight"] > 0 else ():
            if name in alone and row["observation_date"] >= alone[name] and name not in named:
                when = release.period(row["observation_date"], row["series_ids"])
                named[name] = f"{component_inside(row['component'])} ({when})"
    if not named:
        return None
    return f"On one source only: {listed(list(named.values()))}."


def _in_order(release: Release) -> list[Row]:
    """The evidence in the order of the page; of figures of one ratio the ratio first."""
    order = [*PRICED_ONCE, *(name for name in COMPONENTS if name not in PRICED_ONCE)]
    rows: list[dict[str, Any]] = [row for row in release.evidence if row["series_ids"]]
    return sorted(rows, key=lambda row: order.index(row["component"]))
