"""Sentences about money, yields, the Fed's balance sheet, debt and gold, each a template over published tables.

Belongs here: words around those figures. Does not belong here: figures typed in by hand; the verdict (`sentences.py`).
"""

from __future__ import annotations

from assets.report.reading import USED, Release, Row
from assets.report.words import (
    RIGHTS_WORDS,
    THIN,
    capital,
    counted,
    day,
    in_words,
    listed,
    month,
    number,
)

_STRENGTH = (
    (0.1, "no link to speak of"),
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


def money_correlation(release: Release) -> str | None:
    """The honest correlation of the post's chart."""
    row = release.newest("money_and_rates")
    full, ten = row["m2_real_rate_correlation_full"], row["m2_real_rate_correlation_10y"]
    if full is None:
        return None
    strength = next(words for limit, words in _STRENGTH if abs(full) < limit)
    said = (
        f"The post's chart. Month by month the two have a correlation of **{number(full)}** since "
        f"{month(row['correlation_start_date'])}: {strength}."
    )
    return said if ten is None else f"{said} Over the newest ten years it is {number(ten)}."


def gold_hurdle(release: Release) -> str | None:
    """What gold must earn to match the 10-year Treasury."""
    hurdle = _asset(release, "gold")["price_change_to_match_10y_pp"]
    if hurdle is None:
        return None
    return (
        f"Gold pays nothing. To match the 10-year Treasury its price must rise **{number(hurdle)}{THIN}% a year**, "
        "whatever inflation does."
    )


def gold_at_five(release: Release) -> str | None:
    """The post's sum: what the 10-year returns in real terms at 5 percent inflation."""
    left = _asset(release, "treasury_10y")["real_return_at_5pct_inflation_pct"]
    if left is None:
        return None
    verb = "loses" if left < 0 else "returns"
    return f"At 5{THIN}% inflation the 10-year {verb} {number(abs(left))}{THIN}% a year in real terms."


def premium_rank(release: Release) -> str | None:
    """How thin the premium over the 10-year is in its own history."""
    row = next(r for r in release.evidence if r["component"] == "erp_vs_nominal_10y")
    if row["percentile"] is None:
        return None
    return (
        f"The premium of the earnings yield over the 10-year Treasury is **{number(row['value'])}{THIN}pp**; "
        f"it was thinner in {number(100 * row['percentile'], 0)}{THIN}% of month-ends since 1985."
    )


def balance_sheet(release: Release) -> str | None:
    """The Fed's balance sheet against what banks and the economy need."""
    row = release.newest("reserve_growth")
    test, growth, excess = (
        release.today["balance_sheet_test"],
        row["fed_assets_growth_26w_pct"],
        row["excess_growth_pp"],
    )
    if test is None or growth is None or excess is None:
        return None
    against = "more" if excess > 0 else "less"
    said = (
        f"Over 26 weeks the balance sheet {'grew' if growth >= 0 else 'shrank'} at a yearly "
        f"{number(abs(growth))}{THIN}%, {number(abs(excess))}{THIN}pp {against} than bank credit or nominal GDP, "
        f"whichever grew faster: **{_TESTS[test]}**."
    )
    reserves = release.today["reserves_test"]
    return f"{said} Reserves by the same test: {_TESTS[reserves]}." if reserves else said


def monetisation(release: Release) -> str | None:
    """Share of the new public debt that went to the Fed."""
    row = release.newest("monetisation")
    share, band = row["monetisation_share_pct"], row["monetisation_band"]
    if share is None or band is None:
        return None
    bought, debt = row["treasuries_bought_12m_usd_bn"], row["debt_change_12m_usd_bn"]
    return (
        f"In the year to {day(row['debt_quarter_end_date'])} the Fed {'bought' if bought >= 0 else 'shed'} "
        f"{number(abs(bought), 0)} bn dollars of Treasuries, net, while the public debt "
        f"{'rose' if debt >= 0 else 'fell'} by {number(abs(debt), 0)} bn: a share of "
        f"**{number(share)}{THIN}%**, {_BANDS[band]}."
    )


def coordination(release: Release) -> str | None:
    """The post's three together: balance sheet up, rate cut, large deficit."""
    if release.newest("monetisation")["is_coordinated"] is None:
        return None
    limits = release.parameters
    impulse = release.newest("reserve_growth")["balance_sheet_impulse_pct_gdp"]
    rate = release.newest("real_yields")["policy_rate_change_6m_pp"]
    deficit = release.newest("fiscal_and_debt")["deficit_12m_pct_gdp"]
    every = release.newest("monetisation")["is_coordinated"]
    return (
        f"{'All three' if every else 'Not all three'} of the post's signs of coordination hold: "
        f"balance-sheet impulse {number(impulse)}{THIN}% of GDP "
        f"(at least {number(limits['monetisation.coordination_impulse_pct_gdp'], 1)}), "
        f"policy rate {number(rate, 2, sign=True)}{THIN}pp over six months "
        f"(at most {number(-limits['stance.rate_change_pp'], 2)}), deficit {number(deficit)}{THIN}% of GDP "
        f"(at least {number(limits['monetisation.coordination_deficit_pct_gdp'], 0)})."
    )


def destination(release: Release) -> str | None:
    """Where the liquidity went."""
    row = release.newest("liquidity_destination")
    where = row["destination"]
    if where is None:
        return None
    change, up = row["core_pce_yoy_change_12m_pp"], row["asset_signals_up"]
    said = (
        f"Over 12 months {up} of {row['asset_signals_known']} known signs {'says' if up == 1 else 'say'} "
        "that assets were bid up, "
        f"and core inflation moved by {number(change, 2, sign=True)}{THIN}pp"
    )
    return f"{said}: the liquidity went **{_DESTINATIONS[where]}**."


def gauge_known(release: Release) -> str | None:
    """How much of Dalio's own list can be measured, and how hot it is."""
    rows = release.rows("SELECT * FROM bubble_gauge WHERE as_of_date = ?", release.as_of)
    known = [row for row in rows if row["heat"] is not None]
    criteria, measured = {row["criterion"] for row in rows}, len({row["criterion"] for row in known})
    if not rows:
        return None
    said = (
        f"Of {counted(len(criteria), 'criterion', 'criteria')}, "
        f"{in_words(measured)} {'has' if measured <= 1 else 'have'} a measure in these figures."
    )
    if not known:
        return said
    hot = sum(row["heat"] >= 0.8 for row in known)
    stand, whose = ("stands", "its") if hot <= 1 else ("stand", "their")
    many = f"{in_words(hot)} of {counted(len(known), 'measure')}"
    return f"{said} {capital(many)} {stand} in the hottest fifth of {whose} history."


def checks_summary(release: Release) -> str | None:
    """What the checks of this release found."""
    row = release.row(
        "SELECT count(*) AS n, count(*) FILTER (severity = 'ERROR') AS critical, "
        "count(*) FILTER (NOT passed AND severity = 'ERROR') AS held, "
        "count(*) FILTER (NOT passed AND severity <> 'ERROR') AS warned FROM check_results"
    )
    return (
        f"{row['n']:,} checks ran for this release, {row['critical']:,} of them able to hold it back: "
        f"{'none' if not row['held'] else row['held']} of these failed, "
        f"and {counted(row['warned'], 'warning was', 'warnings were')} given."
    )


def sources_count(release: Release) -> str | None:
    """How many series from how many publishers."""
    row = release.row(
        "SELECT count(*) AS n, count(DISTINCT publisher) AS publishers, "
        "list(DISTINCT rights ORDER BY rights) AS rights FROM series WHERE is_published"
    )
    rights = listed([RIGHTS_WORDS.get(right, right) for right in row["rights"]])
    kept = release.row(f"SELECT count(*) AS n FROM series AS s WHERE rights = 'restricted' AND {USED}")["n"]
    said = f"{row['n']} series from {row['publishers']} publishers and releases. Rights: {rights}."
    also = counted(kept, "series is", "series are").capitalize()
    return f"{said} {also} held whose own figures may not be passed on." if kept else said


def _asset(release: Release, name: str) -> Row:
    return release.row(
        "SELECT * FROM relative_attractiveness WHERE as_of_date = ? AND asset = ?", release.as_of, name
    )
