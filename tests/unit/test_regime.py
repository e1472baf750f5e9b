"""Ranks, conditions, state, stance and label: every limit, and what is shown next to the label."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.catalog.loader import load_catalog
from assets.catalog.method import Percentile
from assets.catalog.models import PolicyEvent
from assets.compute import regime
from assets.compute.calendar import days, month_ends
from assets.compute.conditions import Block, Component, Scorer, condition, percentile
from assets.compute.grid import Grid
from assets.compute.reading import EARNINGS, Bases, Reading
from assets.compute.stance import PolicyStance, announced_direction, level_of_policy, policy_stance
from assets.compute.state import Scores, states
from tests import plain_method
from tests.helpers import on_sample, reading

CATALOG = load_catalog()
METHOD = CATALOG.method
RULES = METHOD.state
NAN = float("nan")


# ---- ranks and conditions


def component(name: str, score: float, source: Reading | None = None) -> Component:
    scores = np.array([score])
    return Component(name, "t.c", reading([score]) if source is None else source, scores, scores)


def test_coverage_of_exactly_the_minimum_is_enough_whatever_the_rounding_and_is_named() -> None:
    blocks = [Block(weight, [component("a", 0.5)]) for weight in (0.1, 0.1, 0.1, 0.2)]
    credit = condition("credit", [*blocks, Block(0.5, [component("gone", NAN)])], METHOD)
    assert (credit.coverage[0], credit.score[0]) == (0.5, pytest.approx(0.5))
    economy = condition("economy", [*blocks, Block(0.5, [component("a", 0.5)])], METHOD)
    assert regime.conditions_at_minimum([economy, credit], METHOD).tolist() == ["credit"]
    assert regime.conditions_at_minimum([economy], METHOD).tolist() == [None]


def test_a_rank_is_taken_among_the_values_of_its_own_basis_and_never_across() -> None:
    """Reported yields lie between 3 and 5, those of the accounts far above: a row of either ranks in its own."""
    months = month_ends(np.datetime64("2014-01-31", "D"), np.datetime64("2024-12-31", "D"))
    n, rising = len(months), np.arange(len(months), dtype="float64")
    reported, accounts = 3.0 + 2.0 * rising / n, 30.0 - rising / n
    names = [f"equity_risk_premium.earnings_yield_{basis}_pct" for basis in EARNINGS]
    on = {
        names[0]: reading(np.where(rising >= n - 2, NAN, reported), series_ids=np.full(n, "E", dtype=object)),
        names[1]: reading(accounts, series_ids=np.full(n, "CP", dtype=object)),
    }
    selected = Bases.first_present(dict(zip(EARNINGS, on.values(), strict=True))).selected
    column = "equity_risk_premium.earnings_yield_pct"
    scored = Scorer({column: selected, **on}, Grid(months), METHOD)
    found = scored.rank(column)
    assert found[-1] == pytest.approx(0.5 / n), "the lowest of the accounts, not the highest of a mixture"
    assert found[-3] == pytest.approx((n - 2.5) / (n - 2)), "the highest of the reported"
    past = scored.hot_when_low("earnings_yield", column).past
    assert past[-1].tolist() == accounts.tolist()
    assert past[-3][:-2].tolist() == reported[:-2].tolist()


def rank(values: list[float], minimum: int = 1, month_end: list[bool] | None = None) -> np.ndarray:
    is_month_end = np.ones(len(values), dtype=bool) if month_end is None else np.array(month_end)
    rules = Percentile(minimum_history=minimum, value_decimals=6)
    return percentile(np.array(values, dtype="float64"), is_month_end, rules)


def test_values_are_compared_as_published_not_as_computed() -> None:
    assert rank([0.3, 0.1 + 0.2])[-1] == 0.5, "the two differ in the seventeenth digit only"
    assert rank([1.0000001, 1.0000004])[-1] == 0.5
    assert rank([1.000001, 1.000004])[-1] == 0.75


@given(st.lists(st.one_of(st.just(float("nan")), st.integers(0, 5).map(float)), min_size=1, max_size=30))
def test_the_matrix_agrees_with_counting(values: list[float]) -> None:
    for got, n in zip(rank(values, minimum=3), range(len(values)), strict=True):
        own = [v for v in values[: n + 1] if not np.isnan(v)]
        if np.isnan(values[n]) or len(own) < 3:
            assert np.isnan(got)
        else:
            expected = sum(v < values[n] for v in own) + 0.5 * sum(v == values[n] for v in own)
            assert got == pytest.approx(expected / len(own))


# ---- state

HOT, WARM, COOL, COLD = 0.65, 0.55, 0.42, 0.30  # enters bubble / holds it / holds depression / enters it
# score, valuation, economy, credit, Sahm gap and change of claims of months at a threshold or just beside it
MONTHS = np.array([
    *[(HOT, 0.75, 0.60, 0.50, 0.0, 0.0)] * 6,
    (0.60, 0.70, 0.60, 0.40, 0.0, 0.0), (0.599, 0.70, 0.60, 0.40, 0.0, 0.0),
    (0.60, 0.699, 0.60, 0.40, 0.0, 0.0), (HOT, 0.75, 0.60, 0.399, 0.0, 0.0), (HOT, 0.60, 0.60, 0.10, 0.0, 0.0),
    (HOT, 0.599, 0.60, 0.50, 0.0, 0.0), (0.52, 0.75, 0.60, 0.50, 0.0, 0.0), (0.519, 0.75, 0.60, 0.50, 0.0, 0.0),
    (WARM, 0.75, 0.60, 0.50, 2.0, 300.0), (COOL, 0.75, 0.30, 0.50, 2.0, 300.0), (NAN, NAN, 0.30, NAN, 0.6, 0.0),
    (0.44, 0.40, 0.30, 0.50, 0.0, 0.0), (0.441, 0.40, 0.30, 0.50, 0.0, 0.0),
    *[(COLD, 0.40, 0.30, 0.50, 0.0, 0.0)] * 6,
    (0.40, 0.40, 0.35, 0.90, 0.0, 0.0), (0.401, 0.40, 0.35, 0.90, 0.0, 0.0), (0.40, 0.40, 0.351, 0.251, 0.0, 0.0),
    (0.40, 0.40, 0.90, 0.25, 0.0, 0.0), (COLD, 0.40, 0.30, 0.50, 0.5, 0.0), (COLD, 0.40, 0.30, 0.50, 0.499, 29.9),
    (COLD, 0.40, 0.30, 0.50, 0.0, 30.0), (COLD, 0.40, 0.30, 0.50, NAN, 40.0), (COLD, 0.40, 0.30, 0.50, NAN, NAN),
])  # fmt: skip


def test_every_order_of_months_leaves_and_enters_as_the_methodology_says() -> None:
    months = MONTHS[np.random.default_rng(7).integers(0, len(MONTHS), 20_000)]
    found = list(states(Scores(*months.T), np.ones(len(months), dtype=bool), RULES).state)
    assert found == plain_method.states(map(tuple, months))
    follows = set(pairwise(found))
    assert len(follows) == 4 * 4 - 2, (
        "into indeterminate from each, and from it only into mid-cycle or depression"
    )


def scores(bubble: list[float], **others: float) -> Scores:
    """Valuation, economy and credit as hot as it takes to follow the score, no fast sign, unless given."""
    plain = {"valuation": 0.75, "economy": 0.30, "credit": 0.50, "sahm_gap_pp": 0.0, "claims_change_pct": 0.0}
    return Scores(
        np.array(bubble), **{name: np.full(len(bubble), v) for name, v in {**plain, **others}.items()}
    )


def test_a_gap_of_exactly_half_a_point_counts_whatever_its_means_leave_in_the_last_digits() -> None:
    unemployment = [4.4, 4.5, 5.8], [4.4, 4.4, 4.4]
    gap = float(np.mean(unemployment[0]) - np.mean(unemployment[1]))
    assert gap < RULES.depression.fast_sahm_gap_pp  # what the means leave
    for sign in ({"sahm_gap_pp": gap}, {"claims_change_pct": 30.0 - 1e-12}):
        assert states(scores([0.39], **sign), np.array([True]), RULES).state.tolist() == ["depression"]


def test_a_run_date_inside_a_month_carries_the_state_and_shows_its_own_as_provisional() -> None:
    inside = states(scores([HOT, HOT]), np.array([True, False]), RULES)
    assert list(inside.state) == ["mid_cycle", "mid_cycle"]
    assert list(inside.provisional) == [None, "bubble"]
    missing = states(scores([HOT, NAN]), np.array([True, False]), RULES)
    assert list(missing.state) == ["mid_cycle", "indeterminate"]
    not_advanced = states(scores([HOT, HOT, WARM, HOT]), np.array([True, False, True, True]), RULES)
    assert not_advanced.state[-1] == "mid_cycle"


# ---- stance


def event(
    announced: str, direction: int | None = 1, effective: str | None = None, **keys: object
) -> PolicyEvent:
    plain: dict[str, object] = {
        "announced_on": dt.date.fromisoformat(announced),
        "effective_on": dt.date.fromisoformat(effective) if effective else None,
        "kind": "balance_sheet",
        "instrument": "purchases",
        "what": "An announcement of the Committee",
        "size_text": "not stated",
        "direction": direction,
        "changes_direction": True,
        "is_dated": True,
        "source": "a test",
        "mark": "V",
    }
    return PolicyEvent.model_validate({**plain, **keys})


def stance(
    rate_change: float, direction: int, impulse: float = NAN, as_of: str = "2026-09-30"
) -> PolicyStance:
    """Headline and realised stance of one date, after an announcement in that direction."""
    return policy_stance(
        np.array([rate_change]),
        np.array([impulse]),
        days(as_of),
        [event("2020-01-02", direction)],
        np.datetime64("2026-09-17", "D"),
        METHOD.stance,
    )


BUYS = event("2008-11-25", 1)
SOON = event("2025-01-01", -1, effective="2025-04-01")  # 90 days, equality included
FAR = event("2025-01-01", -1, effective="2025-04-02")
ENDS = event("2009-11-04", 0, effective="2010-03-31")
ONLY_SHOWN = event("2017-06-14", -1, changes_direction=False, is_dated=False)  # a plan without a date
RATE = event("2017-06-15", None, kind="rate", changes_direction=False)


@pytest.mark.parametrize(
    ("events", "as_of", "direction"),
    [
        ([event("2010-11-03")], ["2010-11-02", "2010-11-03"], [0, 1]),
        ([SOON], ["2024-12-31", "2025-01-01"], [0, -1]),
        ([BUYS, FAR], ["2025-04-01", "2025-04-02"], [1, -1]),
        ([event("2014-10-29", 0), ONLY_SHOWN, RATE], ["2017-07-01"], [0]),
        ([BUYS, ENDS], ["2010-03-30", "2010-03-31"], [1, 0]),
        ([event("2020-03-15", 0), event("2020-03-15", 1)], ["2020-03-20"], [1]),
    ],
    ids=["not a day early", "within 90 days", "later than 90 days", "plans", "in order", "last of a day"],
)
def test_a_decision_counts_from_its_day_and_no_earlier(
    events: list[PolicyEvent], as_of: list[str], direction: list[int]
) -> None:
    found = announced_direction(days(as_of), events, METHOD.stance.announcement_horizon_days)
    assert found.tolist() == direction


NAMES = {1: "stimulus", 0: "neutral", -1: "tightening"}


def test_stance_is_the_sign_of_announced_balance_sheet_and_rate() -> None:
    """A rate change of exactly a fifth of a point counts; an absent rate has no direction."""
    for change, direction in product(
        (-0.25, -0.2, -0.19, 0.0, 0.19, 4.25 - 4.05, 0.2, 0.25, NAN), (1, 0, -1)
    ):
        rate = 1 if change <= -0.2 else -1 if round(change, 9) >= 0.2 else 0
        sign = int(np.sign(rate + direction))
        moved = [name for name, of in (("balance_sheet", direction), ("rate", rate)) if of]
        driver = "none" if not sign else "both" if len(moved) == 2 else moved[0]
        found = stance(change, direction)
        assert (found.rate[0], found.stance[0], found.driver[0]) == (rate, NAMES[sign], driver), (
            change,
            direction,
        )


@pytest.mark.parametrize(("impulse", "direction"), [(0.75, 0), (0.76, 1), (-0.75, 0), (-0.76, -1), (NAN, 0)])
def test_an_impulse_of_exactly_three_quarters_does_not_count(impulse: float, direction: int) -> None:
    found = stance(0.0, 0, impulse)
    assert found.balance_sheet_realised.tolist() == [direction]
    assert found.stance[0] == "neutral", "what moved is not what was announced"
    assert found.realised[0] == NAMES[direction]


def test_a_ledger_not_checked_for_60_days_makes_the_stance_provisional() -> None:
    assert not stance(0.0, 1, as_of="2026-11-16").is_provisional[0]
    assert stance(0.0, 1, as_of="2026-11-17").is_provisional[0]


@pytest.mark.parametrize(
    ("rate", "word", "distance"),
    [(2.25, "accommodative", 0.25), (2.5, "neutral", 0.0), (3.5, "neutral", 0.0), (5.0, "restrictive", 1.5)],
)
def test_the_band_of_the_real_rate_includes_its_limits(rate: float, word: str, distance: float) -> None:
    for core, expected in ((2.0, [word, distance]), (NAN, [None, NAN])):
        figures = (np.array([figure]) for figure in (rate, core, 0.0))
        found = level_of_policy(*figures, days("2026-09-30"), METHOD.policy_level)
        assert [found["policy_level"][0], found["policy_level_distance_pp"][0]] == pytest.approx(
            expected, nan_ok=True
        )


# ---- next to the label


def obj(*values: object) -> np.ndarray:
    return np.array(values, dtype=object)


EDGES = np.array(
    [*product((NAN, -0.1, 0.0, 0.01, 0.49, 0.5, 5.0, 5.01, 9.99, 10.0), repeat=2)]
).T  # two figures each at every limit of these rules and next to it


def test_the_balance_sheet_test_at_every_edge() -> None:
    found = regime.balance_sheet_test(*EDGES, METHOD.balance_sheet.leaning_limit_pp)
    for growth, excess, name in zip(*EDGES, found, strict=True):
        if growth < 0.0:
            plain = "shrinking"  # needs no comparison
        elif np.isnan(growth) or np.isnan(excess):
            plain = None
        else:
            plain = "technical" if excess <= 0.0 else "leaning" if excess <= 5.0 else "stimulative"
        assert name == plain, (growth, excess)


def test_a_melt_up_needs_both_and_is_unknown_without_one() -> None:
    found = regime.melt_up(*EDGES, METHOD)
    for impulse, change, is_melt_up in zip(*EDGES, found, strict=True):
        unknown = np.isnan(impulse) or np.isnan(change)
        assert is_melt_up == (None if unknown else impulse >= 0.5 and change >= 10.0), (impulse, change)


def test_the_time_to_sell_window_is_a_bubble_still_being_fed() -> None:
    states = ("bubble", "mid_cycle", "depression", "indeterminate")
    for state, stance, melt_up in product(states, ("stimulus", "neutral", "tightening"), (True, False, None)):
        if state == "indeterminate":
            plain = None  # not false: it is unknown
        elif state == "bubble" and stance == "neutral":
            plain = melt_up
        else:  # the tightening that ends a bubble closes the window
            plain = state == "bubble" and stance == "stimulus"
        assert regime.time_to_sell(obj(state), obj(stance), obj(melt_up)).tolist() == [plain]


def test_distance_is_to_the_threshold_in_force_in_that_state() -> None:
    states = obj("bubble", "mid_cycle", "mid_cycle", "depression", "indeterminate")
    found = regime.distance_to_threshold(np.array([0.55, 0.58, 0.43, 0.43, NAN]), states, METHOD)
    assert found.tolist() == pytest.approx([0.03, 0.02, 0.03, 0.01, NAN], nan_ok=True)


def test_a_reconstructed_figure_makes_the_row_pseudo_only_where_it_counts() -> None:
    pseudo = reading([0.5], is_pseudo=np.array([True]))
    counted = condition("a", [Block(1.0, [component("x", 0.5, pseudo)])], METHOD)
    assert regime.pit_grade([counted]).tolist() == ["pseudo"]
    colder = Block(1.0, [component("x", 0.5, pseudo), component("y", 0.2)], rule="min")
    assert regime.pit_grade([condition("a", [colder], METHOD)]).tolist() == ["real_time"]


def freshness(series_ids: str, observation: str, as_of: str) -> float:
    grid = Grid(days(as_of))
    stored = reading(
        [1.0], series_ids=obj(series_ids), observation_date=days(observation), available_on=days(as_of)
    )
    only = condition("a", [Block(1.0, [component("x", 0.5, stored)])], METHOD)
    return float(regime.freshness([only], grid, CATALOG)[0])


def test_freshness_is_that_of_the_slowest_input_whichever_is_named_first() -> None:
    # Z.1 comes 75 days after its quarter, profits after 60: the ratio is as fresh as Z.1 allows
    assert freshness("CP,NCBEILQ027S_GDP_PCT,GDP", "2025-04-01", "2025-12-14") == 1.0
    assert freshness("NCBEILQ027S_GDP_PCT,CP,GDP", "2025-04-01", "2025-12-14") == 1.0
    assert freshness("DGS10,UNRATE", "2025-06-01", "2025-08-10") == 1.0


def test_contributions_add_up_to_the_score_and_nothing_without_weight_lacks_a_reason() -> None:
    evidence, scored = on_sample().evidence, on_sample().frame["bubble_score"].dropna()
    total = evidence.groupby("as_of_date")["contribution"].sum()
    np.testing.assert_allclose(total[scored.index], scored, atol=1e-12)
    assert (evidence.loc[evidence["condition"] == "inflation", "contribution"] == 0).all()
    counted = evidence["weight"] > 0
    assert (counted == evidence["absent_reason"].isna()).all() and evidence.loc[
        counted, "score"
    ].notna().all()
