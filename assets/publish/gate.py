"""What stands between the staged file and the published one, whoever asks for it.

Belongs here: the questions asked of the staged file and of the run. Does not belong here: the rules (`checks`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

import dagster as dg
import duckdb
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.run_facts import RunFacts
from assets.warehouse.readers import frame_of
from assets.warehouse.tables import append_rows
from checks.archive import judge_archive
from checks.audits.of_release import audit_release
from checks.registry import JUDGED_IN_RELEASE, suite_of
from checks.remembered import contents, judged_once
from checks.results import results_frame, rule_rows
from checks.runner import SuiteResult, run_suite
from checks.suites.rules import Suite

_REACHED = """
SELECT count(*) FILTER (status = 'unreachable'), count(*) FILTER (status NOT IN ('unreachable', 'not_in_profile'))
FROM raw.fetches WHERE run_id = ?
"""


def refuse_when_nothing_was_reached(con: duckdb.DuckDBPyConnection, facts: RunFacts) -> None:
    """A night without any source says nothing new: the previous publication stands. Raises dagster.Failure."""
    unreachable, reached = con.execute(_REACHED, [facts.run_id]).fetchall()[0]
    if unreachable and not reached:
        raise dg.Failure("no source could be reached; the previous publication stands", allow_retries=False)


def judged(staged: duckdb.DuckDBPyConnection, con: duckdb.DuckDBPyConnection, facts: RunFacts) -> list[str]:
    """Judge every table of the staged file by its critical rules, audit it, and judge the archive it rests on.

    Names of the rules that do not hold; whoever starts publishing comes through here. Results are kept, of the
    archive those that hold the publication.
    """
    catalog = load_catalog()
    frames = _Frames(staged)
    results = [
        _judged(staged, con, suite_of(name, catalog, facts.run_date).critical(), frames, facts)
        for name in JUDGED_IN_RELEASE
    ]
    results += audit_release(staged, con, frames, facts, catalog)
    archive = judge_archive(con, catalog, facts.run_date)
    checked_at = dt.datetime.now(dt.UTC)
    for kept in (
        results_frame(results, facts, "staged", checked_at),
        rule_rows(archive, facts, "staged", checked_at),
    ):
        append_rows(con, catalog.tables["check_results"], kept)
    held = [f"{result.table} {rule.rule.name}" for result in results for rule in result.failed]
    return held + [f"{key} {result.rule.name}" for key, found in archive.items() for result in found]


def _judged(
    staged: duckdb.DuckDBPyConnection,
    con: duckdb.DuckDBPyConnection,
    suite: Suite,
    frames: Mapping[str, pd.DataFrame],
    facts: RunFacts,
) -> SuiteResult:
    """One staged table; what was judged of the same rows before need not be judged again."""
    read = contents(staged, suite, load_catalog(), "main")
    return judged_once(
        con, suite, facts.run_date, read, lambda: run_suite(frames[suite.table], suite, frames)
    )


class _Frames(Mapping[str, pd.DataFrame]):
    """The judged tables of the staged file by name, each read when it is asked for first."""

    def __init__(self, staged: duckdb.DuckDBPyConnection) -> None:
        self._staged, self._read = staged, dict[str, pd.DataFrame]()

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in JUDGED_IN_RELEASE:
            raise KeyError(name)
        if name not in self._read:
            self._staged.execute(f'SELECT * FROM "{name}"')
            self._read[name] = frame_of(self._staged)
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(JUDGED_IN_RELEASE)

    def __len__(self) -> int:
        return len(JUDGED_IN_RELEASE)
