"""`event_study` and `event_responses`: which dates are events, and changes, ranks, means and bands in plain loops."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from assets.compute.calendar import month_ends
from assets.compute.diagnostics.events import Measure
from tests.helpers import SAMPLE_AS_OF, on_sample, reading
from tests.plain_method import known

STARTS = ["2008-11-25", "2010-11-03", "2012-09-13", "2019-10-11", "2020-03-15", "2025-12-10"]
ENDS = ["2010-03-31", "2011-06-22", "2014-10-29", "2022-01-26"]
EVERY = pd.date_range("1985-01-31", "2026-09-30", freq="ME")
DRAWS, SEED = 2000, 20261130
Plain = dict[pd.Timestamp, float]


def test_why_there_is_no_change() -> None:
    ends = month_ends(np.datetime64("2020-01-31"), np.datetime64("2020-06-30"))

    def reasons(days: np.ndarray, basis: str, values: list[float]) -> list[str | None]:
        of_basis = np.array(list(basis), dtype=object)
        return list(
            Measure("earnings_multiple", "percent", reading(values), days, of_basis).changes(ends, 1)[1]
        )

    own = ends.astype("datetime64[M]").astype("datetime64[D]")
    found = reasons(own, "aabbbb", [1.0, float("nan"), 1.0, 1.0, 1.0, 1.0])
    assert found[:4] == ["basis_changed", "stale", None, None]
    february = np.full(len(ends), np.datetime64("2020-02-01"))
    assert reasons(february, "aaaaaa", [1.0] * 6)[:4] == ["no_later_figure"] * 4, (
        "the month of the announcement"
    )


def plain_real() -> Plain:
    """TIPS yield known on every month-end: last quote, the month's average before quotes are held."""
    found = {}
    for end in pd.date_range("2003-01-31", "2026-09-30", freq="ME"):
        quotes = known("DFII10", end)
        found[end] = quotes.iloc[-1] if len(quotes) else known("FII10", end).iloc[-1]
    return found


def plain_multiple() -> Plain:
    """Share price index over profits, as known on every month-end while the index is the newest price."""
    found = {}
    for end in pd.date_range("1985-01-31", "2026-05-31", freq="ME"):
        found[end] = known("SPASTT01USM661N", end).iloc[-1] / known("CP", end).iloc[-1]
    return found


def has_start(first: pd.Timestamp, last: pd.Timestamp) -> bool:
    return any(first < pd.Timestamp(day) <= last for day in STARTS)


@pytest.mark.parametrize("measure", ["real_10y", "earnings_multiple"])
@pytest.mark.parametrize("horizon", [1, 3])
def test_changes_and_ranks_are_those_of_plain_loops(measure: str, horizon: int) -> None:
    level = plain_real() if measure == "real_10y" else plain_multiple()
    changes = {}
    for end, value in level.items():
        later = end + pd.offsets.MonthEnd(horizon + 1)
        priced = known("SPASTT01USM661N" if measure == "earnings_multiple" else "GS10", later).index[-1]
        if later in level and priced > end + pd.offsets.MonthEnd(1):
            changes[end] = (
                level[later] - value if measure == "real_10y" else 100.0 * (level[later] / value - 1.0)
            )
    others = [
        round(change, 6)
        for end, change in changes.items()
        if not has_start(end, end + pd.offsets.MonthEnd(horizon + 1))
    ]
    studied = (
        on_sample().run.table("event_study").set_index(["measure", "horizon_months", "phase"]).sort_index()
    )
    rows = studied.loc[(measure, horizon)].sort_values("announced_on")
    assert [str(day)[:10] for day in rows["announced_on"]] == STARTS
    for row in rows.itertuples():
        before = pd.Timestamp(row.announced_on) - pd.offsets.MonthEnd(1)
        own = round(changes[before], 6)
        assert (row.before_date, row.placebo_count) == (before, len(others))
        assert row.change == pytest.approx(changes[before], abs=1e-9)
        below = sum(x < own for x in others) + 0.5 * sum(x == own for x in others)
        assert row.change_rank == pytest.approx(below / len(others))


def test_an_earlier_run_has_the_same_changes_and_only_the_events_known_by_then() -> None:
    early, later = (
        on_sample(date)
        .run.table("event_study")
        .set_index(["measure", "horizon_months", "phase"])
        .sort_index()
        for date in ("2025-11-05", SAMPLE_AS_OF)
    )
    assert "reserves_2025" not in early.index.get_level_values("phase")
    pd.testing.assert_series_equal(early["change"], later.loc[early.index, "change"])
    responses = on_sample("2025-11-05").run.table("event_responses")
    counts = responses[responses["window_months"] == 1].groupby("event")["events"].first()
    assert counts["purchases_start"] == len(STARTS) - 1
    assert counts["run_off_end"] == 2, "announced on 29 October"
    first = on_sample("1999-12-31").run
    assert first.table("event_study").empty
    assert not first.table("event_responses")["event"].str.startswith("purchases").any()


@pytest.fixture(scope="module")
def responses() -> pd.DataFrame:
    return on_sample().run.table("event_responses").set_index(["event", "measure", "window_months"])


def plain_gold() -> Plain:
    ends = EVERY
    return {end: gold.iloc[-1] for end in ends if len(gold := known("GOLD_WB_MONTHLY", end))}


def plain_spread() -> Plain:
    """HQM yield less Treasury yield of the newest month with both."""
    found = {}
    for end in EVERY:
        both = (known("HQMCB10YR", end) - known("GS10", end)).dropna()
        if len(both):
            found[end] = both.iloc[-1]
    return found


def state_starts(state: str) -> list[pd.Timestamp]:
    """Month-ends on which the published state began."""
    states = on_sample().frame["condition_state"]
    days = list(states.index)
    return [
        now
        for before, now in pairwise(days)
        if states[now] == state != states[before] and states[before] != "indeterminate"
    ]


def test_the_events_are_those_of_the_ledger_and_of_the_labels(responses: pd.DataFrame) -> None:
    rows = responses.xs(("real_10y", 1), level=("measure", "window_months"))
    counts = rows["events"].to_dict()
    assert (counts["purchases_start"], counts["purchases_end"]) == (len(STARTS), len(ENDS))
    assert (counts["run_off_start"], counts["run_off_end"]) == (2, 2)
    ended = rows.loc["purchases_end"]
    assert [str(ended[name].date()) for name in ("first_date", "last_date")] == [ENDS[0], ENDS[-1]]
    for state in ("bubble", "depression"):
        begun = state_starts(state)
        assert counts[f"{state}_start"] == len(begun)
        assert rows.loc[f"{state}_start", "last_date"] == begun[-1]
    assert counts["bubble_end"] == counts["bubble_start"] - 1, "the last spell is open"


def plain_row(
    level: Plain, base: list[pd.Timestamp], first: int, last: int, is_percent: bool
) -> dict[str, float]:
    """Mean change from `first` months after the base to `last`, and the band of as many random month-ends."""
    ends = list(EVERY)
    change = {}
    for end in ends:
        before, after = end + pd.offsets.MonthEnd(first), end + pd.offsets.MonthEnd(last)
        if before in level and after in level:
            points = level[after] - level[before]
            change[end] = 100.0 * points / level[before] if is_percent else points
    own = [change[end] for end in base if end in change]
    pool = [i for i, end in enumerate(ends) if end in change and end not in base]
    rng = np.random.default_rng(SEED)
    drawn = [[change[ends[i]] for i in rng.choice(np.array(pool), DRAWS)] for _ in own]
    means = [sum(values) / len(own) for values in zip(*drawn, strict=True)]
    low, high = np.quantile(means, [0.05, 0.95])
    return {
        "events_measured": len(own), "placebo_dates": len(pool), "mean_change": sum(own) / len(own),
        "lowest_change": min(own), "highest_change": max(own), "placebo_low_change": low, "placebo_high_change": high,
    }  # fmt: skip


@pytest.mark.parametrize("window", [-3, 3])
@pytest.mark.parametrize("measure", ["real_10y", "gold", "credit_spread"])
def test_means_and_bands_are_those_of_plain_loops(responses: pd.DataFrame, measure: str, window: int) -> None:
    level = {"real_10y": plain_real, "gold": plain_gold, "credit_spread": plain_spread}[measure]()
    announced = [pd.Timestamp(day) - pd.offsets.MonthEnd(1) for day in STARTS]
    for event, base, wait in (("purchases_start", announced, 1), ("bubble_start", state_starts("bubble"), 0)):
        first, last = (window, 0) if window < 0 else (0, window + wait)
        row = responses.loc[(event, measure, window)]
        if measure == "real_10y" and event == "bubble_start":
            continue  # two of its events lie before the TIPS: they are drawn from another basis
        for name, expected in plain_row(level, base, first, last, measure == "gold").items():
            assert row[name] == pytest.approx(expected, abs=1e-9), (event, name)
        names = ("placebo_low_change", "mean_change", "placebo_high_change")
        low, mean, high = (round(row[name], 6) for name in names)
        outside = not low <= mean <= high
        assert row["is_outside_band"] == outside
