"""Coverage of the conditions expected from the series that are there, before anything is computed.

The conditions are the real ones (`conditions.py`), with their components, blocks and weights; only the readings are
made up. A column is present when the catalogue declares that what is there is enough for it.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from assets.catalog.models import Catalog
from assets.compute.conditions import Scorer, credit, economy, valuation
from assets.compute.grid import build_grid
from assets.compute.reading import absent

_ANY_DAY = np.datetime64("2000-01-31", "D")


@dataclass(frozen=True)
class Shortfall:
    """`missing`: inputs of the label that are not there. `coverage`: of the conditions they leave below the minimum."""

    missing: tuple[str, ...]
    coverage: Mapping[str, float]
    minimum: float

    def __str__(self) -> str:
        conditions = ", ".join(f"{name} {covered:.2f}" for name, covered in self.coverage.items())
        return (
            f"the label would be indeterminate: coverage below {self.minimum:.2f} ({conditions}) without "
            f"{', '.join(self.missing)}"
        )


@dataclass(frozen=True)
class Inputs:
    """Ids of series: `fresh`, with a figure that is new enough to count; `long`, with a history that ranks can use."""

    fresh: Set[str]
    long: Set[str]


def shortfall(there: Inputs, missing: Set[str], catalog: Catalog) -> Shortfall | None:
    """What the missing series cost the newest label; None when they are not what makes it indeterminate."""
    minimum = catalog.method.coverage.minimum
    without = coverage(there, catalog)
    with_them = coverage(Inputs(there.fresh | missing, there.long | missing), catalog)
    low = {name: covered for name, covered in without.items() if covered < minimum <= with_them[name]}
    return Shortfall(tuple(sorted(missing)), low, minimum) if low else None


def coverage(there: Inputs, catalog: Catalog) -> dict[str, float]:
    """Coverage of each condition in the score, 0 to 1, with these series and no others.

    A rank needs a fresh value and a long history; these may come from two series that follow each other (daily quotes
    after monthly averages).
    """
    is_fresh, is_long = _presence(there.fresh, catalog), _presence(there.long, catalog)
    derived = [table for table in catalog.tables.values() if table.layer == "derived"]
    readings, ranks = {}, {}
    for column in (f"{table.name}.{name}" for table in derived for name in table.column_names):
        value, rank = (0.0 if is_fresh(column) else np.nan), (0.5 if is_long(column) else np.nan)
        readings[column] = replace(absent(1, column, "not_fetched"), value=np.array([value]))
        ranks[column] = np.array([value + rank])  # absent where one of them is
    scorer = Scorer(readings, build_grid(_ANY_DAY, _ANY_DAY), catalog.method, ranks)
    conditions = (valuation(scorer), economy(scorer), credit(scorer))
    return {condition.name: float(condition.coverage[0]) for condition in conditions}


def _presence(there: Set[str], catalog: Catalog) -> Callable[[str], bool]:
    """Whether a series id is among these, or a "table.column" can be had from them."""

    @cache
    def is_present(origin: str) -> bool:
        table, _, column = origin.partition(".")
        if not column:
            return origin in there
        ways = catalog.tables[table].column(column).alternatives
        return any(all(is_present(one) for one in way) for way in ways)

    return is_present
