"""Rules of `regime_evidence`: it adds up to the score, and nothing in it was known later than its date.

Belongs here: judgement on this table, the leak audit included. Does not belong here: rules generated from its
declaration. The audit fails closed: a figure whose day of publication is not known counts as leaked.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from assets.catalog.models import Catalog
from checks.suites.measures import (
    Tables,
    beside,
    days_between,
    distance,
    flag,
    missing_before,
    once_per,
    only_where,
)
from checks.suites.rules import Rule, never, within

TABLE = "regime_evidence"
EXACT = 1e-12
SCORED = ("valuation", "economy", "credit")
CONDITIONS = (*SCORED, "inflation")
_AGAIN = "Materialise regime/regime_evidence again; if it stays, assets/compute/regime.py has changed."
_LEAK = "Do not publish. Find the input whose realtime_start is after the date and how it was read."
_TOGETHER = "Regime and evidence come from different runs: materialise both again."


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """Sums, the leak audit, what an absent component may still hold, completeness."""
    return (
        *_sums(),
        *_leaks(),
        *_absences(),
        never(
            "as_of_date__every_date_of_regime",
            ("as_of_date", "regime.as_of_date"),
            lambda f, t: (
                missing_before(f["as_of_date"], t["regime"]["as_of_date"])
                + once_per(f, ["as_of_date"], flag(~f["as_of_date"].isin(t["regime"]["as_of_date"])))
            ),
            statement="there is evidence for every date of the regime, and for no other",
            what_to_do=_TOGETHER,
        ),
        never(
            "component__all_on_every_date",
            ("as_of_date", "component"),
            _incomplete,
            statement="every date has all components, absent ones included",
            what_to_do=_AGAIN,
        ),
        never(
            "series_ids__in_catalogue",
            ("series_ids",),
            lambda f, _: _unknown_series(f["series_ids"], set(catalog.series)),
            statement="the evidence names series of the catalogue",
            what_to_do="A series was renamed: declare it in assets/catalog/series or correct the table that reads it.",
        ),
    )


def _sums() -> tuple[Rule, ...]:
    scores = tuple(f"regime.{name}_score" for name in CONDITIONS)
    return (
        within(
            "contribution__sums_to_bubble_score",
            ("as_of_date", "condition", "contribution", "regime.bubble_score"),
            _score_distance,
            maximum=EXACT,
            statement="the contributions of a date add up to its score",
            what_to_do=_TOGETHER,
        ),
        within(
            "contribution__weight_times_score",
            ("condition", "contribution", "weight", "score"),
            lambda f, _: distance(f["contribution"], _contribution(f)),
            maximum=EXACT,
            statement="a contribution is weight x score / 3, and 0 for inflation",
            what_to_do=_AGAIN,
        ),
        within(
            "weight__sums_to_one",
            ("as_of_date", "condition", "weight", *scores),
            _weight_distance,
            maximum=EXACT,
            statement="the weights of a scored condition add up to 1",
            what_to_do=_AGAIN,
        ),
        within(
            "score__of_its_percentile",
            ("score", "percentile"),
            _off_its_rank,
            maximum=EXACT,
            statement="a score that comes from a rank is the rank, or one less the rank",
            what_to_do=_AGAIN,
        ),
    )


def _leaks() -> tuple[Rule, ...]:
    return (
        within(
            "available_on__not_after_as_of",
            ("as_of_date", "value", "available_on"),
            lambda f, _: _days_late(f["available_on"], f["as_of_date"], f["value"]),
            maximum=0,
            statement="every figure was public on its date, and the day it became so is known",
            what_to_do=_LEAK,
        ),
        within(
            "observation_date__not_after_publication",
            ("observation_date", "value", "available_on"),
            lambda f, _: _days_late(f["observation_date"], f["available_on"], f["value"]),
            maximum=0,
            statement="a figure is published after the period it is about begins",
            what_to_do=_LEAK,
        ),
        never(
            "vintage_source__named_with_value",
            ("vintage_source", "value"),
            lambda f, _: only_where(f["vintage_source"], f["value"].notna()),
            statement="a figure says what kind of vintage it is",
            what_to_do=_AGAIN,
        ),
    )


def _absences() -> tuple[Rule, ...]:
    return (
        never(
            "value__absent_counts_for_nothing",
            ("value", "weight", "percentile", "score"),
            lambda f, _: flag(
                (f["weight"] != 0) | f["percentile"].notna() | f["score"].notna(), judged=f["value"].isna()
            ),
            statement="an absent figure has no rank, no score and no weight",
            what_to_do=_AGAIN,
        ),
        never(
            "absent_reason__given_without_weight",
            ("absent_reason", "weight"),
            lambda f, _: only_where(f["absent_reason"], f["weight"] == 0),
            statement="a component that does not count says why, and only such a component",
            what_to_do=_AGAIN,
        ),
    )


def _score_distance(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    scored = frame[frame["condition"].isin(SCORED)]
    total = scored.groupby("as_of_date")["contribution"].sum()
    score = beside(frame, tables, "regime.bubble_score")
    apart = distance(frame["as_of_date"].map(total), score).where(score.notna())
    return once_per(frame, ["as_of_date"], apart)


def _contribution(frame: pd.DataFrame) -> pd.Series:
    share = frame["condition"].isin(SCORED) / len(SCORED)
    return share * frame["weight"] * frame["score"].fillna(0.0)


def _off_its_rank(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    as_it_is, reversed_ = (
        distance(frame["score"], rank) for rank in (frame["percentile"], 1.0 - frame["percentile"])
    )
    return as_it_is.where(as_it_is < reversed_, reversed_).where(frame["percentile"].notna())


def _weight_distance(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    total = frame.groupby(["as_of_date", "condition"])["weight"].transform("sum")
    is_scored = pd.Series(False, frame.index)
    for name in CONDITIONS:
        is_scored |= (frame["condition"] == name) & beside(frame, tables, f"regime.{name}_score").notna()
    return once_per(frame, ["as_of_date", "condition"], (total - 1.0).abs().where(is_scored))


def _days_late(known: pd.Series, limit: pd.Series, value: pd.Series) -> pd.Series:
    """Days after the limit; infinite where one of the two days is not known; NULL without a figure."""
    return days_between(limit, known).fillna(np.inf).where(value.notna())


def _incomplete(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    count = frame.groupby("as_of_date")["component"].transform("nunique")
    return once_per(frame, ["as_of_date"], flag(count < frame["component"].nunique()))


def _unknown_series(named: pd.Series, known: set[str]) -> pd.Series:
    strange = {ids for ids in named.dropna().unique() if not set(ids.split(",")) <= known}
    return flag(named.isin(strange))
