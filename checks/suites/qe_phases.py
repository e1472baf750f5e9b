"""Rules of `qe_phases`: verdicts follow from scores, states from the regime, today is today.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from assets.catalog.method import Verdict
from assets.catalog.models import Catalog
from checks.suites.measures import Tables, beside, differs, distance, flag
from checks.suites.rules import Rule, never, within

TABLE = "qe_phases"
EXACT = 1e-12
CONDITIONS = ("valuation", "economy", "inflation", "credit")
CORE, CHANGE = "core_pce_yoy_pct", "core_pce_yoy_change_6m_pp"
_AGAIN = (
    "Materialise regime/qe_phases again; if it stays, assets/compute/phases.py or method.toml has changed."
)
_TOGETHER = "Regime and qe_phases come from different runs: materialise both again."


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """Verdicts, counts, the regime around each day, the dates."""
    limits = catalog.method.verdict
    return (
        *(_verdict(name, suffix, limits) for name in ("valuation", "economy", "credit") for suffix in ("", "_after")),
        never(
            "inflation_verdict__of_core_pce",
            ("inflation_verdict", CORE, CHANGE),
            lambda f, _: differs(f["inflation_verdict"], _of_inflation(f, limits)),
            statement="inflation is cold below the target or after a fall, else hot",
            what_to_do=_AGAIN,
        ),
        *(_count(side, suffix) for side in ("hot", "cold") for suffix in ("", "_after")),
        *(_state(when) for when in ("before", "after")),
        within(
            "bubble_score__today_as_the_regime",
            ("as_of_date", "kind", "bubble_score", "regime.bubble_score"),
            lambda f, t: distance(f["bubble_score"], beside(f, t, "regime.bubble_score")).where(f["kind"] == "today"),
            maximum=EXACT,
            statement="today's score is the regime's",
            what_to_do=_TOGETHER,
        ),
        never(
            "phase__of_the_ledger",
            ("phase", "kind", "as_of_date"),
            lambda f, _: flag(~_is_declared(f, catalog)),
            statement="a start of purchases is one of the ledger, on the day it was announced",
            what_to_do="Materialise derived/policy_events and regime/qe_phases again.",
        ),
        never(
            "kind__one_today",
            ("kind",),
            lambda f, _: flag(pd.Series((f["kind"] == "today").sum() != 1, f.index)),
            statement="there is exactly one row for today",
            what_to_do=_AGAIN,
        ),
    )  # fmt: skip


def _verdict(name: str, suffix: str, limits: Verdict) -> Rule:
    score, word = f"{name}_score{suffix}", f"{name}_verdict{suffix}"
    hot, cold = getattr(limits, f"{name}_hot"), getattr(limits, f"{name}_cold")

    def expected(frame: pd.DataFrame) -> pd.Series:
        named = pd.Series("between", frame.index, dtype=object)
        named = named.mask(frame[score] <= cold, "cold").mask(frame[score] >= hot, "hot")
        return named.mask(frame[score].isna())

    return never(
        f"{word}__of_its_score",
        (word, score),
        lambda f, _: differs(f[word], expected(f)),
        statement=f"{name} is hot from {hot:g} and cold up to {cold:g}",
        what_to_do=_AGAIN,
    )


def _of_inflation(frame: pd.DataFrame, limits: Verdict) -> pd.Series:
    fell = frame[CHANGE].round(9) <= -limits.inflation_fall_pp
    is_cold = (frame[CORE] < limits.inflation_target_pct) | fell
    return pd.Series(np.where(is_cold, "cold", "hot"), frame.index, dtype=object).mask(frame[CORE].isna())


def _count(side: str, suffix: str) -> Rule:
    column, words = f"{side}_conditions{suffix}", [f"{name}_verdict{suffix}" for name in CONDITIONS]
    date = "as_of_date" if not suffix else "date_after"
    return within(
        f"{column}__counts_its_verdicts",
        (column, date, *words),
        lambda f, _: distance(f[column], (f[words] == side).sum(axis=1).where(f[date].notna())),
        maximum=0,
        statement=f"it counts the verdicts that are {side}",
        what_to_do=_AGAIN,
    )


def _state(when: str) -> Rule:
    column, date = f"condition_state_{when}", f"date_{when}"

    def apart(frame: pd.DataFrame, tables: Tables) -> pd.Series:
        at = frame.assign(as_of_date=frame[date])
        return differs(frame[column], beside(at, tables, "regime.condition_state"))

    return never(
        f"{column}__as_the_regime",
        ("as_of_date", column, date, "regime.condition_state"),
        apart,
        statement=f"the state {when} is the regime's of that month-end",
        what_to_do=_TOGETHER,
    )


def _is_declared(frame: pd.DataFrame, catalog: Catalog) -> pd.Series:
    """True for a row whose name and day are declared, and for today, whose day the run decides."""
    post = catalog.method.qe_phases.post_published_on
    known: set[tuple[str | None, dt.date]] = {
        (event.starts_phase, event.announced_on) for event in catalog.policy_events.events
    } | {("post", post)}
    pairs = zip(frame["phase"], frame["as_of_date"], strict=True)
    declared = [(name, day.date() if pd.notna(day) else day) in known for name, day in pairs]
    return pd.Series(declared, frame.index) | (frame["kind"] == "today")
