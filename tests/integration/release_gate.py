"""The gate of a night for tests: what publishing is told, and what each audit came to."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.catalog.models import Catalog
from assets.publish.gate import blocking_rules
from assets.warehouse.connection import CONFIG
from assets.warehouse.readers import frame_of
from assets.warehouse.schema import open_warehouse
from checks.audits.of_release import audit_release
from checks.runner import RuleResult
from checks.staged import read_staged
from tests.integration.conftest import Night

CATALOG = load_catalog()


@dataclass
class Gate:
    """The gate of a night, as publishing comes through it."""

    night: Night

    def held_by(self) -> list[str]:
        """What the whole gate finds, as publishing is told."""
        with open_warehouse(self.night.warehouse) as con, self._staged() as staged:
            return blocking_rules(staged, con, self.night.facts)

    def audits(self, catalog: Catalog = CATALOG) -> dict[str, RuleResult]:
        """What each rule of the audits came to."""
        with open_warehouse(self.night.warehouse) as con, self._staged() as staged:
            tables = read_staged(staged, con, self.night.facts, catalog)
            audited = audit_release(staged, con, tables, self.night.facts, catalog)
        return {result.rule.name: result for suite in audited for result in suite.results}

    def failed(self, catalog: Catalog = CATALOG) -> set[str]:
        return {name for name, result in self.audits(catalog).items() if not result.passed}

    def _staged(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(self.night.staged), read_only=True, config=CONFIG)


def read(con: duckdb.DuckDBPyConnection, name: str) -> pd.DataFrame:
    return frame_of(con, f'SELECT * FROM "{name}"')
