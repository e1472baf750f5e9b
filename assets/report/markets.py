"""Markets and money: the post's figures, premia, the Fed's balance sheet, debt, gold, destination, bubble criteria."""

from __future__ import annotations

from typing import Any

from assets.report.published import Release, Row
from assets.report.words import (
    THIN,
    capital,
    counted,
    day,
    in_words,
    label_words,
    month,
    number,
    percent,
    reason_words,
    with_unit,
    withheld_or,
)

_STRENGTH = (
    (0.1, "hardly any link"),
    (0.3, "a weak link"),
    (0.5, "a moderate link"),
    (1.1, "a strong link"),
)
_TESTS = {
    "shrinking": "shrinking",
    "technical": "no more than keeping pace",
    "leaning": "leaning towards stimulus",
    "stimulative": "stimulative",
}
_BANDS = {
    "none": "no monetisation",
    "building": "monetisation building",
    "active": "active monetisation",
    "dominant": "dominant monetisation",
    "not_applicable": "the band does not apply, the deficit is too small",
}
_DESTINATIONS = {
    "asset_prices": "to asset prices",
    "goods": "to goods and services",
    "both": "to asset prices and to goods",
    "neither": "to neither",
}
_ASSETS = {
    "gold": "Gold",
    "treasury_10y": "10-year Treasury",
    "tips_10y": "10-year TIPS",
    "equities": "Equities, earnings yield",
    "cash": "Cash, 3-month bill",
}
INFLATION = (2, 3, 4, 5)
STUDIED = {  # measures of event_study
    "real_10y": "Real 10-year yield",
    "erp_vs_nominal_10y": "Equity risk premium",
    "earnings_multiple": "Price over earnings",
}
_UNUSUAL = 0.9  # a rank at or beyond it is in the outermost tenth
_MEASURES = {
    "cape": "Price to ten years' earnings (CAPE)",
    "equity_value_to_gdp": "Equity value to GDP",
    "excess_cape_yield": "Excess CAPE yield",
    "growth_needed": "Growth needed to earn the usual premium",
    "implied_volatility": "Implied volatility (VIX)",
    "new_accounts_and_flows": "New accounts and fund flows",
    "nonfinancial_leverage": "Nonfinancial leverage (NFCI)",
}
# What the post gives, its reference value, our column of qe_phases, unit, what differs.
POST = (
    ("10-year Treasury yield", "post_nominal_10y_pct", "nominal_10y_pct", "percent", ""),
    ("Real 10-year yield", "post_real_10y_pct", "real_10y_pct", "percent", ""),
    ("Unemployment rate", "post_unemployment_rate_pct", "unemployment_rate_pct", "percent", ""),
    ("Growth over the year", "post_growth_pct", "real_gdp_yoy_pct", "percent", "Real GDP, year on year."),
    ("Inflation", "post_inflation_pct", "cpi_yoy_pct", "percent", "CPI, year on year."),
    (
        "Earnings yield",
        "post_forward_earnings_yield_pct",
        "earnings_yield_pct",
        "percent",
        "Forward in the post, trailing here.",
    ),
    (
        "Equity risk premium",
        "post_equity_risk_premium_pp",
        "erp_vs_nominal_10y_pp",
        "percentage points",
        "Each from its own earnings yield.",
    ),
)
_DESTINATION = (  # column of liquidity_destination, what it is, unit, the sign that shows assets being bid up
    ("equity_real_return_12m_pct", "Equity prices, real", "percent", 1),
    ("real_10y_change_12m_pp", "Real 10-year yield", "percentage points", -1),
    ("earnings_multiple_change_12m_pct", "Price over earnings", "percent", 1),
    ("spread_change_12m_pp", "Credit spread", "percentage points", -1),
    ("gold_less_core_inflation_12m_pp", "Gold, less core inflation", "percentage points", 1),
    ("core_pce_yoy_change_12m_pp", "Core inflation", "percentage points", 0),
    ("wages_yoy_pct", "Wages, year on year", "percent", 0),
)


def content(release: Release) -> dict[str, Any]:
    """What the template shows of this part."""
    assets = {row["asset"]: row for row in release.newest_rows("relative_attractiveness")}
    return {
        "post": _post_rows(release),
        "starts": _starts(release),
        "premia": _premia(release),
        "premia_note": _premia_note(release),
        "assets": [_asset_row(assets[asset], name) for asset, name in _ASSETS.items() if asset in assets],
        "destination": _destination_rows(release),
        "gauge": [_gauge_row(row) for row in release.newest_rows("bubble_gauge", "criterion, measure")],
    }


# ---- money, and the post


def money_correlation(release: Release) -> str | None:
    """The correlation of the post's chart."""
    row = release.newest("money_and_rates")
    full, ten = row["m2_real_rate_correlation_full"], row["m2_real_rate_correlation_10y"]
    if full is None:
        return None
    text = (
        f"This is the post's chart. The monthly correlation of the two is **{number(full)}** since "
        f"{month(row['correlation_start_date'])}: {_strength(full)}."
    )
    return text if ten is None else f"{text} Over the last ten years it is {number(ten)}."


def _strength(correlation: float) -> str:
    return next(words for limit, words in _STRENGTH if abs(correlation) < limit)


def post_day(release: Release) -> str | None:
    """Whose figures these are, or that the release ends before them."""
    known = release.phase("post")
    if known is None:
        return "This release ends before the date of the post."
    return (
        f"The figures of the post, and those known on its date, {day(known['as_of_date'])}. "
        f"At the month-end before, the label was {label_words(known['regime_before'])}."
    )


def gold_correlation(release: Release) -> str | None:
    """Whether gold followed consumer prices, over one year, ten years and since the start."""
    row = release.newest("gold_and_inflation")
    short, long = row["gold_cpi_correlation_1y"], row["gold_cpi_correlation_10y"]
    if short is None or row["gold_multiple"] is None:
        return None
    text = (
        f"Gold and consumer prices since {month(row['history_start_date'])}: the correlation of their changes over "
        f"one year is **{number(short)}**, {_strength(short)}."
    )
    if long is not None:
        text += (
            f" Over ten years it is **{number(long)}**, {_strength(long)}; "
            f"only {in_words(row['separate_10y_windows'])} of these windows share no month."
        )
    return (
        f"{text} Gold is at {number(row['gold_multiple'], 1)} times its first price, consumer prices at "
        f"{number(row['cpi_multiple'], 1)} times theirs."
    )


def after_purchases(release: Release) -> str | None:
    """What real yields and multiples did after purchases began, and whether that was unusual."""
    parts = [
        _moved(release, "real_10y", "the real 10-year yield", "lower", -1),
        _moved(release, "erp_vs_nominal_10y", "the equity risk premium", "lower", -1),
        _moved(release, "earnings_multiple", "price over earnings", "higher", 1),
    ]
    known = [part for part in parts if part is not None]
    if not known:
        return None
    months = capital(in_words(_studied(release)[0]["horizon_months"]))
    return f"{months} full months after purchases were announced, {'; '.join(known)}."


def _moved(release: Release, measure: str, name: str, direction: str, sign: int) -> str | None:
    """How often one measure moved as the post says, and how often further than in nine tenths of other months."""
    rows = [row for row in _studied(release) if row["measure"] == measure and row["change"] is not None]
    if not rows:
        return None
    moved = [row for row in rows if sign * row["change"] > 0]
    ranks = [row["change_rank"] for row in moved if row["change_rank"] is not None]
    unusual = sum((rank if sign > 0 else 1.0 - rank) >= _UNUSUAL for rank in ranks)
    return (
        f"{name} was {direction} in **{in_words(len(moved))} of {in_words(len(rows))}** cases, "
        f"in {in_words(unusual)} by more than in nine tenths of other months"
    )


def _studied(release: Release) -> list[Row]:
    """`event_study` over its longest horizon, by start of purchases."""
    return release.rows(
        "SELECT * FROM event_study WHERE horizon_months = (SELECT max(horizon_months) FROM event_study) "
        "ORDER BY announced_on"
    )


def _starts(release: Release) -> list[Row]:
    """Starts of purchases with the change of each measure over the longest horizon."""
    of = {(row["phase"], row["measure"]): row for row in _studied(release)}
    phases = {row["phase"]: row["announced_on"] for row in of.values()}
    return [
        {"phase": phase, "announced_on": day, "cells": [of[phase, measure] for measure in STUDIED]}
        for phase, day in phases.items()
    ]


def _post_rows(release: Release) -> list[Row]:
    """The post's own figures next to those known on its date."""
    known = release.phase("post")
    cited = {row["id"]: row["value"] for row in release.rows("SELECT id, value FROM reference_values")}
    return [
        {"name": name, "post": cited[reference], "ours": known[column], "unit": unit, "note": note}
        for name, reference, column, unit, note in POST
        if known is not None and reference in cited
    ]


# ---- premia


def premium_rank(release: Release) -> str | None:
    """How thin the premium over the 10-year is in its own history."""
    row = next(row for row in release.evidence if row["component"] == "erp_vs_nominal_10y")
    if row["rank"] is None:
        return None
    level = "" if is_comparable(release) else ", a level that is not comparable with a market yield"
    return (
        f"The premium of the earnings yield over the 10-year Treasury is **{number(row['value'])}{THIN}pp**{level}; "
        f"it was smaller in {percent(row['rank'])} of month-ends since 1985."
    )


def is_comparable(release: Release) -> bool:
    """Whether the level of the earnings yield means something: not on the basis of the national accounts."""
    return bool(release.today["earnings_yield_basis"] != "nipa")


def _premia(release: Release) -> list[tuple[str, Row]]:
    """The equity risk premium four ways: name, and row of the evidence, of the criteria or of the post's figures."""
    evidence = {row["component"]: row for row in release.evidence}
    gauge = [row for row in release.newest_rows("bubble_gauge") if row["measure"] == "excess_cape_yield"]
    cited = release.row("SELECT * FROM reference_values WHERE id = 'forward_equity_risk_premium_pp'")
    return [
        ("Earnings yield less the 10-year yield", _dated(release, evidence["erp_vs_nominal_10y"])),
        ("Earnings yield less the real 10-year yield", _dated(release, evidence["erp_vs_real_10y"])),
        *(("Excess CAPE yield, less the real 10-year yield", _dated(release, row)) for row in gauge),
        ("The post: forward earnings yield less the 10-year", {**cited, "is_comparable": True}),
    ]


def _premia_note(release: Release) -> str:
    """Why there are four, and what the percentile depends on where the level is not comparable."""
    text = "Four measures, because each answers a different question."
    if is_comparable(release):
        return text
    return (
        f"{text} Earnings of the national accounts over market value: compare percentiles, not levels; the percentile "
        "of a premium depends on that level too."
    )


def _dated(release: Release, row: Row) -> Row:
    """A row with the period of its figure, and whether its level is comparable."""
    comparable = row.get("measure") == "excess_cape_yield" or is_comparable(release)
    when = release.period(row["observation_date"], row["series_ids"] or "")
    return {**row, "period": when, "is_comparable": comparable}


# ---- the Fed's balance sheet and the debt


def balance_sheet(release: Release) -> str | None:
    """The Fed's balance sheet against what banks and the economy need."""
    row, test = release.newest("reserve_growth"), release.today["balance_sheet_test"]
    growth, excess = row["fed_assets_growth_26w_pct"], row["excess_growth_pp"]
    if growth is None:
        return None
    reserves = release.today["reserves_test"]
    verb = "grew" if growth >= 0 else "shrank"
    grew = f"Over 26 weeks the balance sheet {verb} at a yearly {number(abs(growth))}{THIN}%"
    if excess is None or test is None:
        known = f" Reserves by the same test: {_TESTS[reserves]}." if reserves else ""
        return f"{grew}; bank credit or nominal GDP is missing to compare it with.{known}"
    return (
        f"{grew}, {number(abs(excess))}{THIN}pp {'more' if excess > 0 else 'less'} than bank "
        f"credit or nominal GDP, whichever grew faster: **{_TESTS[test]}**."
        f"{f' Reserves by the same test: {_TESTS[reserves]}.' if reserves else ''}"
    )


def monetisation(release: Release) -> str | None:
    """Share of the new debt that went to the Fed; of the deficit where the debt limit distorts the change of debt."""
    row = release.newest("monetisation")
    is_of_debt = row["share_12m_pct"] is not None
    share = row["share_12m_pct" if is_of_debt else "share_12m_of_deficit_pct"]
    band = row["monetisation_band"]
    if share is None or band is None:
        return None
    bought, debt = row["treasuries_bought_12m_usd_bn"], row["debt_change_12m_usd_bn"]
    limits = [
        release.parameters[f"monetisation.{name}_from_pct"] for name in ("building", "active", "dominant")
    ]
    near = [x for x in limits if abs(share - x) < release.parameters["monetisation.near_limit_pp"]]
    level = (
        f"at the limit of {number(near[0], 0)} between two bands, so neither is claimed"
        if near
        else _BANDS[band]
    )
    of = "" if is_of_debt else " of the deficit (the debt limit distorts the change of debt)"
    verb, year = (
        "increased" if bought >= 0 else "reduced",
        release.period(row["debt_date"], row["debt_basis"]),
    )
    return (
        f"In the year to {year} the Fed {verb} its "
        f"Treasuries by {number(abs(bought), 0)} bn dollars, while federal debt "
        f"{'rose' if debt >= 0 else 'fell'} by {number(abs(debt), 0)} bn: a share of "
        f"**{number(share)}{THIN}%**{of}, {level}.{_shorter_windows(row)}"
    )


def _shorter_windows(row: Row) -> str:
    """The share over six months and since purchases began, each with its net; empty where neither is known."""
    start = row["programme_start_date"]
    windows = [("6m", "over six months"), ("since_start", f"since {day(start)}" if start else "")]
    known = [
        f"{words} {number(row[f'share_{name}_pct'])}{THIN}% "
        f"({number(row[f'share_{name}_net_of_mbs_pct'])}{THIN}% net of mortgage securities that ran off)"
        for name, words in windows
        if row[f"share_{name}_pct"] is not None and row[f"share_{name}_net_of_mbs_pct"] is not None
    ]
    return f" The share is {' and '.join(known)}." if known else ""


def coordination(release: Release) -> str | None:
    """The post's three signs together: balance sheet up, rate cut, large deficit."""
    is_coordinated = release.newest("monetisation")["is_coordinated"]
    if is_coordinated is None:
        return None
    limits = release.parameters
    impulse = release.newest("reserve_growth")["balance_sheet_impulse_pct_gdp"]
    rate = release.newest("real_yields")["policy_rate_change_6m_pp"]
    deficit = release.newest("fiscal_and_debt")["deficit_12m_pct_gdp"]
    return (
        f"{'All three' if is_coordinated else 'Not all three'} of the post's signs of coordination are present: "
        f"balance-sheet impulse {number(impulse)}{THIN}% of GDP "
        f"(at least {number(limits['monetisation.coordination_impulse_pct_gdp'], 1)}), "
        f"policy rate {number(rate, sign=True)}{THIN}pp over six months "
        f"(at most {number(-limits['stance.rate_change_pp'])}), deficit {number(deficit)}{THIN}% of GDP "
        f"(at least {number(limits['monetisation.coordination_deficit_pct_gdp'], 0)})."
    )


# ---- gold against bonds


def gold_hurdle(release: Release) -> str | None:
    """What gold must earn to match the 10-year Treasury."""
    hurdle = _asset(release, "gold")["price_change_to_match_10y_pp"]
    if hurdle is None:
        return None
    return (
        f"Gold pays nothing. To match the 10-year Treasury its price must rise **{number(hurdle)}{THIN}% a year**, "
        "at any rate of inflation."
    )


def gold_at_five(release: Release) -> str | None:
    """The post's sum: the real return of the 10-year at 5 percent inflation."""
    left = _asset(release, "treasury_10y")["real_return_at_5pct_inflation_pct"]
    if left is None:
        return None
    verb = "loses" if left < 0 else "returns"
    return f"At 5{THIN}% inflation the 10-year {verb} {number(abs(left))}{THIN}% a year in real terms."


def _asset(release: Release, name: str) -> Row:
    rows = release.newest_rows("relative_attractiveness")
    return next(row for row in rows if row["asset"] == name)


def _asset_row(row: Row, name: str) -> Row:
    """An asset; per rate of inflation its real return, or the price rise that keeps its value."""
    cells = []
    for i in INFLATION:
        real, rise = (
            row[f"real_return_at_{i}pct_inflation_pct"],
            row[f"price_rise_needed_at_{i}pct_inflation_pct"],
        )
        cells.append((real, "") if rise is None else (rise, "price"))
    return {**row, "name": name, "cells": cells}


# ---- where the liquidity went, and the criteria of a bubble


def destination(release: Release) -> str | None:
    """Where the liquidity went."""
    row = release.newest("liquidity_destination")
    if row["destination"] is None:
        return None
    change, up = row["core_pce_yoy_change_12m_pp"], row["asset_signals_up"]
    return (
        f"Over 12 months {up} of {row['asset_signals_known']} available indicators {'shows' if up == 1 else 'show'} "
        f"assets being bid up, and core inflation changed by {number(change, sign=True)}{THIN}pp: the liquidity went "
        f"**{_DESTINATIONS[row['destination']]}**."
    )


def _destination_rows(release: Release) -> list[Row]:
    """Twelve-month changes, and whether each shows assets being bid up."""
    newest = release.newest("liquidity_destination")
    rows = []
    for column, name, unit, sign in _DESTINATION:
        value = newest[column]
        if value is None:
            reading = reason_words("absent")
        elif sign:
            reading = "assets bid up" if value * sign > 0 else "assets not bid up"
        else:
            reading = "goods and labour"
        rows.append({"name": name, "value": value, "unit": unit, "reading": reading})
    return rows


def gauge_known(release: Release) -> str | None:
    """How much of Dalio's own list can be measured, and how hot it is."""
    rows = release.newest_rows("bubble_gauge")
    if not rows:
        return None
    known = [row for row in rows if row["heat_rank"] is not None]
    criteria, measured = {row["criterion"] for row in rows}, len({row["criterion"] for row in known})
    text = (
        f"Of {counted(len(criteria), 'criterion', 'criteria')}, "
        f"{in_words(measured)} {'has' if measured <= 1 else 'have'} a measure in these figures."
    )
    if not known:
        return text
    hot = sum(row["heat_rank"] >= 0.8 for row in known)
    are, whose = ("is", "its") if hot <= 1 else ("are", "their")
    many = f"{in_words(hot)} of {counted(len(known), 'measure')}"
    return f"{text} {capital(many)} {are} in the hottest fifth of {whose} history."


def _gauge_row(row: Row) -> Row:
    """A measure of a criterion; one that cannot be measured with the reason."""
    return {
        **row,
        "name": _MEASURES.get(row["measure"], capital(row["measure"].replace("_", " "))),
        "value": withheld_or(with_unit(row["value"], row["unit"]), row),
        "position": None if row["heat_rank"] is None else 100 * row["heat_rank"],
        "why": reason_words(row["absent_reason"]) if row["vintage_source"] is None else "no rank yet",
    }
