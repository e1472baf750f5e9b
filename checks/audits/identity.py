"""What a relation between series of different releases is, and how it becomes rules and a frame to judge.

Belongs here: the shape of an identity, its numbers by period, its rule. Does not belong here: the identities themselves
(`identities.py`), the archive as known (`known.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from checks.audits.known import Known
from checks.suites.rules import Rule, Severity, Suite, within

FIRST_YEAR = 1985  # limits are drawn from figures since then
TYPES = {"identity": "VARCHAR", "period": "VARCHAR", "relation": "DOUBLE"}
COMPARE = (
    "Compare both series with their publishers around these periods: one of them has a wrong figure or unit."
)


@dataclass(frozen=True)
class Identity:
    """A relation between series, one number a period, and where it may lie.

    `name` is that of the check on `series[0]`; `relation` gives the number by period, in the unit `statement` names.
    """

    name: str
    series: tuple[str, ...]
    relation: Callable[[Known], pd.Series]
    low: float
    high: float
    statement: str
    what_to_do: str = COMPARE
    severity: Severity = "critical"


def key_of(identity: Identity) -> str:
    """Name of an identity among all: the series the check is on, and its name there."""
    return f"{identity.series[0]}__{identity.name}"


def identities_suite(identities: Sequence[Identity]) -> Suite:
    """One rule an identity, on the frame `relations` gives."""
    return Suite("identities", ("period",), TYPES, tuple(map(_rule, identities)))


def relations(known: Known, identities: Sequence[Identity]) -> pd.DataFrame:
    """One row per identity and period for which all its figures are known; none for one whose series are not held."""
    parts = []
    for identity in identities:
        if any(not len(known.of(name)) for name in identity.series):
            continue
        values = identity.relation(known).dropna()
        years = pd.Index([period.year for period in values.index], dtype="int64")
        values = values[years >= FIRST_YEAR]
        periods = [
            period.strftime("%Y-%m-%d") if isinstance(period, pd.Timestamp) else str(period)
            for period in values.index
        ]
        parts.append(
            pd.DataFrame({"identity": key_of(identity), "period": periods, "relation": values.to_numpy()})
        )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(TYPES))


def _rule(identity: Identity) -> Rule:
    name = key_of(identity)
    return within(
        name,
        ("identity", "relation"),
        lambda f, _: f["relation"].where(f["identity"] == name),
        minimum=identity.low,
        maximum=identity.high,
        statement=identity.statement,
        what_to_do=identity.what_to_do,
        severity=identity.severity,
    )
