"""Which way policy leans: the rate, the balance sheet as it moved and as announced; and how high the rate is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assets.catalog.method import PolicyLevel, Stance
from assets.catalog.models import PolicyEvent
from assets.compute.calendar import NAT, Days, months_before
from assets.compute.lookup import View
from assets.compute.reading import Floats, Reading, Texts, combine, splice, texts

STIMULUS, NEUTRAL, TIGHTENING = "stimulus", "neutral", "tightening"
Directions = npt.NDArray[np.int64]
STANCE_BY_DIRECTION = np.array([TIGHTENING, NEUTRAL, STIMULUS], dtype=object)  # from -1 to +1


@dataclass(frozen=True)
class PolicyStance:
    """Directions (+1 easing, 0, -1 tightening) and the stances they add up to, one per grid date.

    `realised` counts the balance sheet as it moved, `purchases_technical` purchases for reserve management as 0, and
    `effective_dates` every decision from the day it takes effect.
    """

    rate: Directions
    balance_sheet_realised: Directions
    balance_sheet_announced: Directions
    stance: Texts
    realised: Texts
    purchases_technical: Texts
    effective_dates: Texts
    driver: Texts
    is_provisional: npt.NDArray[np.bool_]


def policy_rate(view: View) -> Reading:
    """Policy rate in force, percent: the single target to 2008-12-15, the upper limit of the range since."""
    return _in_force(view, view.as_of)


def policy_rate_change(view: View) -> Reading:
    """Change of the policy rate over the window, percentage points."""
    earlier = months_before(view.as_of, view.method.stance.rate_window_months)
    return combine(np.subtract, _in_force(view, view.as_of), _in_force(view, earlier))


def _in_force(view: View, dates: Days) -> Reading:
    """The target is one step series: each decision counts from the day it takes effect."""
    return splice(view.in_force_at("DFEDTARU", dates), view.in_force_at("DFEDTAR", dates))


def announced_direction(as_of: Days, events: Sequence[PolicyEvent], horizon_days: int) -> Directions:
    """Direction of the newest decision that counts: from its announcement if it starts soon, else from its start."""
    counted, starts = _counted(events, horizon_days)
    directions = np.array([0, *(event.direction for event in counted)], dtype="int64")
    return directions[np.searchsorted(starts, as_of, side="right")]


def programme_start(as_of: Days, events: Sequence[PolicyEvent], horizon_days: int) -> Days:
    """Day the purchases under way on each date began: the start of their phase in the ledger.

    A later decision of the same phase (larger or smaller purchases) does not begin another one. NaT where the newest
    decision that counts is not to expand.
    """
    counted, starts = _counted(events, horizon_days)
    in_force: np.datetime64 = NAT
    began: list[np.datetime64] = [NAT]
    for event in counted:
        if event.direction != 1:
            in_force = NAT
        elif np.isnat(in_force) or event.starts_phase is not None:
            in_force = np.datetime64(str(event.effective_on or event.announced_on), "D")
        began.append(in_force)
    chosen: Days = np.array(began, dtype="datetime64[D]")[np.searchsorted(starts, as_of, side="right")]
    return chosen


def _counted(events: Sequence[PolicyEvent], horizon_days: int) -> tuple[list[PolicyEvent], Days]:
    """Decisions that set the direction, in the order in which they count, and the days from which they do."""
    setting = [event for event in events if event.changes_direction and event.direction is not None]
    setting.sort(key=lambda event: counts_from(event, horizon_days))
    return setting, np.array([counts_from(event, horizon_days) for event in setting], dtype="datetime64[D]")


def counts_from(event: PolicyEvent, horizon_days: int) -> np.datetime64:
    """Day from which a decision counts."""
    effective = event.effective_on or event.announced_on
    soon = (effective - event.announced_on).days <= horizon_days
    return np.datetime64(event.announced_on if soon else effective, "D")


def policy_stance(
    rate_change_pp: Floats,
    impulse_pct_gdp: Floats,
    as_of: Days,
    events: Sequence[PolicyEvent],
    known_until: np.datetime64,
    rules: Stance,
) -> PolicyStance:
    """Headline stance from the announced balance sheet and the rate, realised stance from what moved.

    The stance is provisional where the ledger is complete only up to a day too long before (`known_until`).
    An absent rate or impulse gives direction 0: the other one then decides, and the driver names it.
    """
    rate = direction(-rate_change_pp, rules.rate_change_pp, inclusive=True)
    realised = direction(impulse_pct_gdp, rules.impulse_pct_gdp, inclusive=False)
    horizon = rules.announcement_horizon_days
    announced = announced_direction(as_of, events, horizon)
    technical = [
        event.model_copy(update={"direction": 0}) if event.is_reserve_management else event
        for event in events
    ]
    total = np.sign(announced + rate)
    driver = np.select(
        [(total != 0) & (rate == total) & (announced == total), (total != 0) & (rate == total), total != 0],
        ["both", "rate", "balance_sheet"],
        default="none",
    ).astype(object)
    stale = (as_of - known_until) > np.timedelta64(rules.ledger_stale_days, "D")
    return PolicyStance(
        rate,
        realised,
        announced,
        stance_of(announced, rate),
        stance_of(realised, rate),
        stance_of(announced_direction(as_of, technical, horizon), rate),
        stance_of(announced_direction(as_of, events, horizon_days=0), rate),
        driver,
        stale,
    )


def stance_of(balance_sheet: Directions, rate: Directions) -> Texts:
    """Stance that two directions add up to; opposite ones cancel to neutral."""
    stance: Texts = STANCE_BY_DIRECTION[np.sign(balance_sheet + rate) + 1]
    return stance


def direction(value: Floats, threshold: float, *, inclusive: bool) -> Directions:
    """+1, 0 or -1: the sign of a value at or (not inclusive) beyond the threshold; 0 where it is absent."""
    size = np.round(np.abs(value), 9)  # 4.25 - 4.05 is 0.2000000000000002
    moved = size >= threshold if inclusive else size > threshold
    return np.where(np.isnan(value) | ~moved, 0, np.sign(np.nan_to_num(value))).astype("int64")


def level_of_policy(
    policy_rate_pct: Floats,
    core_pce_yoy_pct: Floats,
    output_gap_pct: Floats,
    as_of: Days,
    rules: PolicyLevel,
) -> dict[str, Floats | Texts]:
    """Columns of `regime`: the real policy rate, its level in words with the distance to the band, and its gaps to the
    rule of Taylor (1993), by neutral real rate: of 0.5 percent `policy_gap_r05_pp`.

    Level and distance are absent before the first year, and without a real rate.
    """
    real = policy_rate_pct - core_pce_yoy_pct
    in_words = (as_of >= np.datetime64(f"{rules.first_year}-01-01", "D")) & ~np.isnan(real)
    named = np.select(
        [real < rules.neutral_from_pct, real > rules.neutral_to_pct],
        ["accommodative", "restrictive"],
        NEUTRAL,
    )
    to_band = np.minimum(np.abs(real - rules.neutral_from_pct), np.abs(real - rules.neutral_to_pct))
    from_target = rules.inflation_weight * (core_pce_yoy_pct - rules.inflation_target_pct)
    by_gap = rules.output_gap_weight * output_gap_pct
    return {
        "real_policy_rate_pct": real,
        **{
            f"policy_gap_r{round(10 * neutral):02d}_pp": policy_rate_pct
            - (neutral + core_pce_yoy_pct + from_target + by_gap)
            for neutral in rules.neutral_real_rates_pct
        },
        "policy_level": texts(in_words, named),
        "policy_level_distance_pp": np.where(in_words, to_band, np.nan),
    }
