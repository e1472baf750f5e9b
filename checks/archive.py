"""Judging the archive: every series by itself, and series against each other.

Belongs here: reading, judging, and what weight a finding has. Does not belong here: the rules (`suites/raw.py`,
`identities.py`), Dagster (`factories.py`).

Figures of a restricted series never leave through a finding: it names series and days alone.
A series nothing published depends on never holds a publication, and neither does a relation it is part of.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assets.catalog.models import Catalog, Series
from assets.warehouse.readers import frame_of
from checks.frames import load_archive
from checks.identities import IDENTITIES, Identity, identities_suite, relations
from checks.known import Known
from checks.rights import without_figures
from checks.runner import RuleResult, run_by_row, run_suite
from checks.suites.raw import raw_suite

if TYPE_CHECKING:
    import duckdb

BLOCKING_ROLES = ("condition", "stance", "published")
_KNOWN = """
SELECT series_id, observation_date, value FROM raw.observations
WHERE realtime_start <= $run_date AND realtime_end >= $run_date AND series_id IN (SELECT unnest($series_ids))
ORDER BY series_id, observation_date
"""
_KNOWN_SERIES = (
    "SELECT DISTINCT series_id FROM raw.vintages WHERE realtime_start <= $run_date AND value IS NOT NULL"
)
_HELD = "SELECT series_id, count(*) FROM raw.vintages GROUP BY series_id"


@dataclass(frozen=True)
class IdentityResult:
    """What an identity came to; `absent` names its series of which nothing is known, so that nothing was judged."""

    identity: Identity
    result: RuleResult
    absent: tuple[str, ...]


def judge_series(
    con: duckdb.DuckDBPyConnection, series: Sequence[Series], run_date: dt.date
) -> list[tuple[int, list[RuleResult]]]:
    """For each series, in order: rows held, and what every rule of the archive came to on it."""
    found = run_by_row(load_archive(con, series, run_date), raw_suite())
    held = dict(con.execute(_HELD).fetchall())
    return [
        (held.get(one.series_id, 0), weighed(results, one))
        for results, one in zip(found, series, strict=True)
    ]


def judge_identities(
    con: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    run_date: dt.date,
    identities: Sequence[Identity] = IDENTITIES,
) -> list[IdentityResult]:
    """For each identity, in order: what it came to on the archive as known on the run date."""
    names = sorted({name for identity in identities for name in identity.series})
    con.execute(_KNOWN, {"run_date": run_date, "series_ids": names})
    judged = run_suite(relations(Known.from_frame(frame_of(con)), identities), identities_suite(identities))
    known = {name for (name,) in con.execute(_KNOWN_SERIES, {"run_date": run_date}).fetchall()}
    return [
        IdentityResult(
            identity,
            _weighed_together(result, [catalog.series[name] for name in identity.series]),
            tuple(name for name in identity.series if name not in known),
        )
        for identity, result in zip(identities, judged.results, strict=True)
    ]


def judge_archive(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, run_date: dt.date
) -> Mapping[str, list[RuleResult]]:
    """What does not hold of the archive, critically, by asset key (`raw/fred/DGS10`)."""
    series = list(catalog.series.values())
    found: dict[str, list[RuleResult]] = {}
    for one, (_, results) in zip(series, judge_series(con, series, run_date), strict=True):
        found["/".join(one.asset_key)] = results
    for judged in judge_identities(con, catalog, run_date):
        found["/".join(catalog.series[judged.identity.series[0]].asset_key)].append(judged.result)
    holding = {key: [r for r in results if is_critical(r)] for key, results in found.items()}
    return {key: results for key, results in holding.items() if results}


def weighed(results: Sequence[RuleResult], series: Series) -> list[RuleResult]:
    """A series nothing published depends on warns, whatever the rule."""
    return [_weighed_together(result, [series]) for result in results]


def is_critical(result: RuleResult) -> bool:
    """Whether a result holds the publication."""
    return not result.passed and result.severity == "critical"


def _weighed_together(result: RuleResult, series: Sequence[Series]) -> RuleResult:
    if any(one.rights == "restricted" for one in series):
        names = {one.series_id for one in series}
        result = without_figures(result, lambda _, value: value in names)
    if all(one.role in BLOCKING_ROLES for one in series):
        return result
    return replace(result, severity="warning")
