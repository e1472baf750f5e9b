"""Whether the newest label can be given, foreseen from which series are there, before anything is computed.

Belongs here: coverage of the conditions from declared inputs. Does not belong here: figures; which series are there
(`checks/first_publication.py`).

The conditions are the real ones (`conditions.py`), with their components, blocks and weights. Only the readings are
made up: a column is present when what it needs, as the catalogue declares, is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from assets.compute.conditions import Scorer, credit, economy, valuation
from assets.compute.grid import build_grid
from assets.compute.reading import Floats, Reading, absent

if TYPE_CHECKING:
    from assets.catalog.models import Catalog

Of = TypeVar("Of")
_SCORED = (valuation, economy, credit)
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

    def with_also(self, series_ids: Set[str]) -> Inputs:
        """The same with these series, both fresh and long."""
        return Inputs(self.fresh | series_ids, self.long | series_ids)


def shortfall(there: Inputs, missing: Set[str], catalog: Catalog) -> Shortfall | None:
    """What the missing series cost the newest label; None when they are not what makes it indeterminate."""
    minimum = catalog.method.coverage.minimum
    without, with_them = coverage(there, catalog), coverage(there.with_also(missing), catalog)
    low = {name: covered for name, covered in without.items() if covered < minimum <= with_them[name]}
    return Shortfall(tuple(sorted(missing)), low, minimum) if low else None


def coverage(there: Inputs, catalog: Catalog) -> dict[str, float]:
    """Coverage of each condition in the score, 0 to 1, with these series and no others.

    A rank takes a value that is fresh and a history that is long, which may come from two series that follow each
    other (daily quotes after monthly averages).
    """
    is_fresh, is_long = _presence(there.fresh, catalog), _presence(there.long, catalog)

    def reading(column: str) -> Reading:
        empty = absent(1, column, "not_fetched")
        return replace(empty, value=np.zeros(1)) if is_fresh(column) else empty

    def rank(column: str) -> Floats:
        return np.full(1, 0.5 if is_fresh(column) and is_long(column) else np.nan)

    grid = build_grid(_ANY_DAY, _ANY_DAY)
    scorer = Scorer(_OnDemand(reading), grid, catalog.method, _OnDemand(rank))
    conditions = [of(scorer) for of in _SCORED]
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


class _OnDemand(Mapping[str, Of], Generic[Of]):
    """Whatever column is asked for."""

    def __init__(self, make: Callable[[str], Of]) -> None:
        self._make = make

    def __getitem__(self, column: str) -> Of:
        return self._make(column)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0
