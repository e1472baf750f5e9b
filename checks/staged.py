"""The tables of a staged file as they are judged: with the warehouse's figures where the file has none to pass on.

Belongs here: reading them, putting both together. Does not belong here: which cells are withheld
(`assets/warehouse/rights.py`), that they are empty in the file (`audits/rights.py`), judging.

A rule judges whole rows: a withheld figure is no missing one, and what ranks and scores were made of is in the
warehouse the file was built from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pandas as pd

from assets.catalog.models import Catalog
from assets.catalog.render import quoted
from assets.run_facts import RunFacts
from assets.warehouse.readers import frame_of, read_table
from assets.warehouse.rights import Withheld, whole, withheld
from checks.registry import JUDGED_IN_RELEASE

if TYPE_CHECKING:
    import duckdb


class AsStaged(Mapping[str, pd.DataFrame]):
    """The judged tables as the staged file has them, each read when it is asked for first."""

    def __init__(self, staged: duckdb.DuckDBPyConnection) -> None:
        self._staged, self._read = staged, dict[str, pd.DataFrame]()

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in JUDGED_IN_RELEASE:
            raise KeyError(name)
        if name not in self._read:
            self._staged.execute(f"SELECT * FROM {quoted(name)}")
            self._read[name] = frame_of(self._staged)
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(JUDGED_IN_RELEASE)

    def __len__(self) -> int:
        return len(JUDGED_IN_RELEASE)


class StagedTables(Mapping[str, pd.DataFrame]):
    """The same, whole: withheld cells hold what the warehouse has. `withheld` names them, `as_staged` is without."""

    def __init__(
        self,
        staged: duckdb.DuckDBPyConnection,
        con: duckdb.DuckDBPyConnection,
        facts: RunFacts,
        catalog: Catalog,
    ) -> None:
        self._staged, self._con, self._catalog = staged, con, catalog
        self._whole: dict[str, pd.DataFrame] = {}
        self.as_staged = AsStaged(staged)
        cells = {name: withheld(catalog.tables[name], catalog, facts.profile) for name in JUDGED_IN_RELEASE}
        self.withheld: Mapping[str, Withheld] = (
            {} if facts.publishes_restricted else {name: found for name, found in cells.items() if found}
        )

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self.withheld:
            return self.as_staged[name]
        if name not in self._whole:
            table = self._catalog.tables[name]
            held = read_table(self._con, f"{table.layer}.{name}")
            self._whole[name] = whole(self.as_staged[name], held, table.key, self.withheld[name])
        return self._whole[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.as_staged)

    def __len__(self) -> int:
        return len(self.as_staged)
