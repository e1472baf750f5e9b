"""The audits of a staged file, whoever is about to publish it: method, immutability, rights, leak by recomputation.

Belongs here: which audits there are, and reading what they compare. Does not belong here: the comparisons
(`immutability.py`, `recompute.py`, `method.py`), the swap, the judgement of tables one by one (`registry.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from assets.run_facts import RunFacts
from assets.warehouse.grid import run_grid
from assets.warehouse.ledger import row_sha256
from assets.warehouse.memory import archive_content, grid_content
from assets.warehouse.publication import released
from assets.warehouse.readers import frame_of, load_archive
from assets.warehouse.rights import passed_on, withheld
from checks.audits.immutability import Published, Staged, found_again, immutability_suite
from checks.audits.method import method_in_force, method_suite
from checks.audits.recompute import RECOMPUTED, cut_dates, recompute_suite, recomputed
from checks.audits.rights import figures_disclosed, rights_suite
from checks.remembered import judged_once
from checks.runner import SuiteResult, run_suite
from checks.staged import StagedTables

if TYPE_CHECKING:
    import duckdb

    from assets.catalog.models import Catalog

_BOOKS = """
SELECT as_of_date, first_published_at, row_sha256 FROM ops.published_rows
WHERE profile = ? AND method_version = ? AND as_of_date <= ? ORDER BY as_of_date
"""


def audit_release(
    staged: duckdb.DuckDBPyConnection,
    con: duckdb.DuckDBPyConnection,
    tables: StagedTables,
    facts: RunFacts,
    catalog: Catalog,
) -> list[SuiteResult]:
    """Every audit; `tables` are those of the staged file, `con` the warehouse it was built from."""
    before = _published(con, tables.as_staged, facts, catalog)
    now = Staged(
        tables["regime"],
        _told(tables.as_staged["regime_evidence"], facts, catalog),
        tables["regime_nightly"],
        _hashes(staged),
    )
    return [
        run_suite(method_in_force(catalog), method_suite()),
        run_suite(found_again(before, now), immutability_suite()),
        run_suite(figures_disclosed(tables.as_staged, tables.withheld), rights_suite()),
        _computed_again(staged, con, tables, facts, catalog),
    ]


def _computed_again(
    staged: duckdb.DuckDBPyConnection,
    con: duckdb.DuckDBPyConnection,
    tables: StagedTables,
    facts: RunFacts,
    catalog: Catalog,
) -> SuiteResult:
    """The leak audit by recomputation; where archive, dates and tables are those of the last one, its findings."""
    grid, suite = run_grid(facts, catalog), recompute_suite()
    judged = [tables.content(catalog.tables[name]) for name in RECOMPUTED]
    read = " ".join([facts.profile, grid_content(grid), archive_content(con, catalog.series), *judged])

    def judge() -> SuiteResult:
        release_id = staged.execute("SELECT release_id FROM release_manifest").fetchall()[0][0]
        archive, dates = load_archive(con, list(catalog.series)), cut_dates(grid, release_id)
        return run_suite(recomputed(tables, archive, grid, dates, catalog, facts.profile), suite)

    return judged_once(con, suite, facts.run_date, read, judge)


def _published(
    con: duckdb.DuckDBPyConnection, frames: Mapping[str, pd.DataFrame], facts: RunFacts, catalog: Catalog
) -> Published:
    """Books of the warehouse, and the published file's tables when it is of this profile."""
    con.execute(_BOOKS, [facts.profile, catalog.method.method_version, facts.run_date])
    books = frame_of(con)
    tables = {name: frames[name].iloc[:0] for name in ("regime", "regime_evidence", "regime_nightly")}
    with released(facts.published_path) as file:
        if file is not None:
            profile = file.execute("SELECT profile FROM release_manifest").fetchall()[0][0]
            if profile == facts.profile:
                for name in tables:
                    file.execute(f'SELECT * FROM "{name}"')
                    tables[name] = frame_of(file)
    regime = tables["regime"]
    if len(regime):
        regime = regime[regime["method_version"] == catalog.method.method_version]
    evidence = _told(tables["regime_evidence"], facts, catalog)
    return Published(books, regime, evidence, tables["regime_nightly"])


def _told(evidence: pd.DataFrame, facts: RunFacts, catalog: Catalog) -> pd.DataFrame:
    """Evidence as a finding may name it, whatever the operator has published."""
    return passed_on(evidence, withheld(catalog.tables["regime_evidence"], catalog, facts.profile))


def _hashes(staged: duckdb.DuckDBPyConnection) -> pd.Series:
    """Hash of every staged row of `regime`, as the books make it."""
    staged.execute("SELECT * FROM regime ORDER BY as_of_date")
    names = [column[0] for column in staged.description or []]
    rows = [dict(zip(names, row, strict=True)) for row in staged.fetchall()]
    dates = pd.to_datetime([row["as_of_date"] for row in rows]).astype("datetime64[s]")
    return pd.Series([row_sha256(row) for row in rows], index=dates)
