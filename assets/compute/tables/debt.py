"""`fiscal_and_debt`: the deficit, the debt, its cost and how short it is. `monetisation`: how much the Fed took.

The share of new debt is on the debt's own dates, over three windows. The debt limit distorts the change of debt, in
both directions: the share of the debt is withheld then, and the share of the deficit decides the band.
"""

from dataclasses import dataclass, replace

import numpy as np

from assets.catalog.method import Method, Monetisation
from assets.compute.calendar import NAT, Days, month_end, month_end_after, period_end, stamp_before, weekday
from assets.compute.lookup import View, months
from assets.compute.reading import Floats, Reading, billions, combine, percent, select, splice, texts
from assets.compute.stance import direction, policy_rate_change, programme_start
from assets.compute.tables.assemble import Columns
from assets.compute.tables.reserve_growth import impulse


def deficit_12m(view: View) -> Reading:
    """Federal deficit over the newest 12 months known, billions of dollars; a surplus is negative."""
    return view.over("MTSDS133FMS", lambda v: -v.sum(axis=1) / 1000.0, [months(n) for n in range(1, 12)])


def bills(view: View) -> Columns:
    """Bills in marketable debt of the same month, percent, and how both changed over 12 months, as known that day.

    The share of new debt is absent where marketable debt did not grow: there is no new debt to be a share of.
    """
    names = ("MSPD_BILLS", "MSPD_TOTAL_MARKETABLE")
    now = view.same_period(names)
    year_ago = stamp_before(now[0].observation_date, 12)
    then = [view.at(series_id, year_ago) for series_id in names]
    share = combine(percent, *now)
    change = combine(np.subtract, share, combine(percent, *then))
    flow, debt = (
        combine(lambda a, b: billions(a - b), after, before) for after, before in zip(now, then, strict=True)
    )
    return {
        "bill_share_pct": share,
        "bill_share_change_12m_pp": change,
        "bills_change_12m_usd_bn": flow,
        "bill_share_of_new_debt_12m_pct": combine(percent, flow, debt).where(debt.value > 0.0, "undefined"),
        "is_maturity_shortening": texts(
            change.present, change.value >= view.method.maturity.shortening_from_pp
        ),
    }


def fiscal_and_debt(view: View) -> Columns:
    """One row per as-of date; levels in billions of dollars, shares in percent."""
    gdp, deficit = view.latest("GDP"), deficit_12m(view)
    public, total = view.latest("FYGFDPUN").map(billions), view.latest("GFDEBTN").map(billions)
    interest, receipts = view.same_period(["A091RC1Q027SBEA", "FGRECPT"])
    paid, same_gdp = view.same_period(["A091RC1Q027SBEA", "GDP"])
    return {
        "deficit_12m_usd_bn": deficit,
        "deficit_12m_pct_gdp": combine(percent, deficit, gdp),
        "debt_held_by_public_usd_bn": public,
        "debt_held_by_public_pct_gdp": combine(percent, public, gdp),
        "total_debt_usd_bn": total,
        "total_debt_pct_gdp": combine(percent, total, gdp),
        "interest_pct_receipts": combine(percent, interest, receipts),
        "interest_pct_gdp": combine(percent, paid, same_gdp),
        **bills(view),
        "term_premium_10y_pct": view.latest("THREEFYTP10"),
    }


HOLDINGS, MORTGAGES, BALANCE = "TREAST", "WSHOMCB", "MTSDS133FMS"
MONTHLY_DEBT, QUARTERLY_DEBT = "MSPD_TOTAL_MARKETABLE", "FYGFDPUN"
_WEDNESDAY = 2


def wednesday_on_or_before(dates: Days) -> Days:
    """The last Wednesday up to each date: the day the Fed's holdings are stated for."""
    return dates - ((weekday(dates) - _WEDNESDAY) % 7).astype("timedelta64[D]")


@dataclass(frozen=True)
class Window:
    """Flows between two dates of the debt, billions of dollars: what the Fed bought and what the Treasury borrowed."""

    treasuries: Reading
    mortgages: Reading
    debt_change: Reading
    deficit: Reading
    is_distorted: np.ndarray

    @property
    def share(self) -> Reading:
        """Treasuries bought in percent of the change of debt; absent where the change of debt is distorted."""
        return self._undistorted(combine(percent, self.treasuries, self.debt_change))

    @property
    def net_share(self) -> Reading:
        """The same net of mortgage securities that ran off: their proceeds bought some of the Treasuries."""
        return self._undistorted(combine(percent, self.net_bought, self.debt_change))

    @property
    def net_bought(self) -> Reading:
        """Treasuries bought less the decline of mortgage securities; a rise of these changes nothing."""
        return combine(lambda t, m: t + np.minimum(m, 0.0), self.treasuries, self.mortgages)

    @property
    def ratio(self) -> Floats:
        """Change of debt over the deficit."""
        return combine(np.divide, self.debt_change, self.deficit).value

    def _undistorted(self, share: Reading) -> Reading:
        return share.where(~self.is_distorted, "denominator_distorted")


def monetisation(view: View) -> Columns:
    """One row per as-of date; flows in billions of dollars, shares in percent."""
    rules = view.method.monetisation
    year = debt_change_12m(view)
    newest = debt_date(year)
    wednesday = wednesday_on_or_before(newest)
    twelve = _window(view, year, month_end_after(newest, -12), wednesday - np.timedelta64(52, "W"))
    six = _window(view, year, month_end_after(newest, -6), wednesday - np.timedelta64(26, "W"))
    start = programme_start(view.as_of, view.events, view.method.stance.announcement_horizon_days)
    before = start.astype("datetime64[M]").astype("datetime64[D]") - 1
    since = _window(
        view, year, np.where(before < newest, before, NAT), wednesday_on_or_before(before), "no_programme"
    )
    share_of_deficit = combine(percent, twelve.treasuries, twelve.deficit)
    deficit_pct = combine(percent, twelve.deficit, view.latest("GDP"))
    deciding = np.where(
        twelve.is_distorted,
        share_of_deficit.value,
        combine(percent, twelve.treasuries, twelve.debt_change).value,
    )
    return {
        "debt_date": newest.astype("datetime64[s]"),
        "debt_basis": texts(year.present, year.series_ids),
        "treasuries_bought_12m_usd_bn": twelve.treasuries,
        "mortgage_securities_change_12m_usd_bn": twelve.mortgages,
        "debt_change_12m_usd_bn": twelve.debt_change,
        "deficit_12m_to_debt_date_usd_bn": twelve.deficit,
        "deficit_12m_to_debt_date_pct_gdp": deficit_pct,
        "share_12m_pct": twelve.share,
        "share_12m_net_of_mbs_pct": twelve.net_share,
        "share_12m_of_deficit_pct": share_of_deficit,
        "is_denominator_distorted": texts(np.isnan(twelve.ratio), None, twelve.is_distorted),
        "monetisation_band": band(deciding, deficit_pct.value, rules),
        **_columns(six, "6m"),
        "programme_start_date": start.astype("datetime64[s]"),
        **_columns(since, "since_start"),
        "is_coordinated": is_coordinated(
            impulse(view),
            policy_rate_change(view),
            combine(percent, deficit_12m(view), view.latest("GDP")),
            view.method,
        ),
    }


def _columns(window: Window, name: str) -> Columns:
    return {
        f"treasuries_bought_{name}_usd_bn": window.treasuries,
        f"mortgage_securities_change_{name}_usd_bn": window.mortgages,
        f"debt_change_{name}_usd_bn": window.debt_change,
        f"deficit_{name}_usd_bn": window.deficit,
        f"share_{name}_pct": window.share,
        f"share_{name}_net_of_mbs_pct": window.net_share,
    }


def debt_change_12m(view: View) -> Reading:
    """Change of marketable debt over 12 months, billions of dollars; before its first change, of the quarterly debt.

    The newest month, or quarter, for which both ends are known.
    """
    monthly, quarterly = (view.difference(s, months(12)) for s in (MONTHLY_DEBT, QUARTERLY_DEBT))
    return splice(monthly, quarterly, from_start=True).map(billions)


def debt_date(change: Reading) -> Days:
    """Last day of the month or quarter of each debt figure."""
    monthly, quarterly = (period_end(change.observation_date, f) for f in ("M", "Q"))
    return np.where(np.isnat(change.observation_date), NAT, np.where(_is_monthly(change), monthly, quarterly))


def _is_monthly(change: Reading) -> np.ndarray:
    return change.series_ids == MONTHLY_DEBT


def _window(
    view: View, year: Reading, base: Days, wednesday: Days, without_base: str | None = None
) -> Window:
    """Flows from the month-end `base` to the newest date of the debt; holdings of the last Wednesdays up to both.

    `wednesday`: that of the base. Where there is no base, everything is absent for the reason `without_base`.
    """
    newest = debt_date(year)
    holdings = [
        _change(view, series_id, year, wednesday_on_or_before(newest), wednesday)
        for series_id in (HOLDINGS, MORTGAGES)
    ]
    parts = [*holdings, _debt_change(view, year, base), _deficit(view, year, newest, base)]
    if without_base is not None:
        has_base = ~np.isnat(base)
        parts = [_without(part, has_base, without_base) for part in parts]
    treasuries, mortgages, debt, deficit = parts
    rules = view.method.monetisation
    ratio = combine(np.divide, debt, deficit).value
    is_distorted = (ratio < rules.distortion_low) | (ratio > rules.distortion_high)
    return Window(treasuries, mortgages, debt, deficit, is_distorted)


def _change(view: View, series_id: str, like: Reading, now: Days, then: Days) -> Reading:
    after, before = view.at(series_id, now), view.at(series_id, then)
    return combine(lambda _, a, b: billions(a - b), like, after, before)


def _debt_change(view: View, year: Reading, base: Days) -> Reading:
    """On the series of the row: its stamp is the first or the last day of its period."""
    newest = year.observation_date
    start_of_quarter = (base.astype("datetime64[M]") - 2).astype("datetime64[D]")
    first_of_month = base.astype("datetime64[M]").astype("datetime64[D]")
    is_last_day = newest == month_end(newest)
    monthly = _change(view, MONTHLY_DEBT, year, newest, np.where(is_last_day, base, first_of_month))
    quarterly = _change(view, QUARTERLY_DEBT, year, newest, start_of_quarter)
    return select(_is_monthly(year), monthly, quarterly)


def _deficit(view: View, like: Reading, newest: Days, base: Days) -> Reading:
    """Sum of the months after `base` up to `newest`."""
    last = newest.astype("datetime64[M]")
    length = np.where(
        np.isnat(base) | np.isnat(newest), 0, (last - base.astype("datetime64[M]")).astype("int64")
    )
    total = like.map(np.zeros_like)
    for n in range(int(length.max(initial=0))):
        month = view.at(BALANCE, (last - n).astype("datetime64[D]"))
        total = select(length > n, combine(lambda sum_, flow: sum_ - billions(flow), total, month), total)
    return total


def _without(part: Reading, keep: np.ndarray, reason: str) -> Reading:
    """Absent for that reason wherever `keep` is false."""
    dropped = part.where(keep, reason)
    return replace(dropped, absent_reason=texts(keep, dropped.absent_reason, reason))


def is_coordinated(
    impulse_pct_gdp: Reading, rate_change: Reading, deficit: Reading, method: Method
) -> np.ndarray:
    """The post's three together: balance sheet growing, rate cut, large deficit; None where one is not measurable."""
    rules = method.monetisation
    together = direction(-rate_change.value, method.stance.rate_change_pp, inclusive=True) == 1
    together &= impulse_pct_gdp.value >= rules.coordination_impulse_pct_gdp
    together &= deficit.value >= rules.coordination_deficit_pct_gdp
    return texts(impulse_pct_gdp.present & rate_change.present & deficit.present, together)


def band(share_pct: Floats, deficit_pct_gdp: Floats, rules: Monetisation) -> np.ndarray:
    """none, building, active, dominant; `not_applicable` below the minimum deficit; None where not measurable."""
    limits = [rules.building_from_pct, rules.active_from_pct, rules.dominant_from_pct]
    names = np.array(["none", "building", "active", "dominant"], dtype=object)[
        np.searchsorted(limits, share_pct, side="right") % 4
    ]
    applicable = texts(deficit_pct_gdp < rules.minimum_deficit_pct_gdp, "not_applicable", names)
    return texts(np.isnan(share_pct) | np.isnan(deficit_pct_gdp), None, applicable)
