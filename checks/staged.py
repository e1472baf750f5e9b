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
from assets.compute.grid import LIVE
from assets.compute.record import overlaid
from assets.run_facts import RunFacts
from assets.warehouse.live import PROVENANCE, read_record
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
        self._con, self._catalog, self._facts = con, catalog, facts
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
            table, facts = self._catalog.tables[name], self._facts
            held = read_record(self._con, name, self._catalog, facts.profile, facts.run_date)
            self._whole[name] = whole(self.as_staged[name], held, table.key, self.withheld[name])
        return self._whole[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.as_staged)

    def __len__(self) -> int:
        return len(self.as_staged)


class PanelOf(Mapping[str, pd.DataFrame]):
    """The same with the panel's rows on live dates: a rule that compares a row with its neighbour needs one panel.

    Live rows were judged when they were frozen, and are compared with what was published (`audits/immutability.py`).
    """

    def __init__(self, tables: StagedTables, con: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
        self._tables, self._con, self._catalog = tables, con, catalog
        regime = tables["regime"]
        self._live = set(regime.loc[regime["row_kind"] == LIVE, "as_of_date"])
        self._made: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        table = self._catalog.tables[name]
        if not self._live or not (table.is_as_of or name == PROVENANCE):
            return self._tables[name]
        if name not in self._made:
            panel = read_table(self._con, f"{table.layer}.{name}")
            self._made[name] = panel if name == PROVENANCE else self._with(name, panel)
        return self._made[name]

    def _with(self, name: str, panel: pd.DataFrame) -> pd.DataFrame:
        made = overlaid(self._tables[name], panel[panel["as_of_date"].isin(self._live)])
        if name == "regime":  # the spells of the record run through the live rows, those of the panel do not
            since = panel.set_index("as_of_date")["regime_since"]
            made = made.assign(regime_since=made["as_of_date"].map(since).astype("datetime64[s]"))
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)
