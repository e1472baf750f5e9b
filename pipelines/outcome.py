"""What came of a run, from its events and the warehouse's books.

Belongs here: telling published, held and unreachable apart, and saying why. Does not belong here: running.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import dagster as dg

from assets.warehouse.connection import open_warehouse
from pipelines.nightly import PUBLISHED_KEY, Outcome
from pipelines.settings import Settings

_FETCHES = "SELECT status, series_id, message FROM raw.fetches WHERE run_id = ? ORDER BY series_id"
_FAILED = """
SELECT DISTINCT asset_key, check_name, message FROM ops.check_results
WHERE run_id = ? AND severity = 'ERROR' AND NOT passed ORDER BY ALL
"""
_READ = ("new", "unchanged", "stale")


def outcome_of(result: dg.ExecuteInProcessResult, settings: Settings) -> Outcome:
    """Published when the release was materialised in this run; else why not."""
    with open_warehouse(settings.warehouse_path) as con:
        fetches = con.execute(_FETCHES, [result.run_id]).fetchall()
        failed = con.execute(_FAILED, [result.run_id]).fetchall()
    lines = [*_read_lines(fetches)]
    if _is_published(result):
        return Outcome("published", tuple(lines), ())
    by_status = Counter(status for status, _, _ in fetches)
    if by_status["unreachable"] and not any(by_status[status] for status in (*_READ, "refused")):
        return Outcome("unreachable", (*lines, "nothing could be published: no source could be reached"), ())
    refused = [message for status, _, message in fetches if status == "refused"]
    checks = tuple(dict.fromkeys(f"{asset} {check}" for asset, check, _ in failed))
    told = [f"{asset} {check}: {message}" for asset, check, message in failed]
    reasons = [*refused, *told] or _errors(result)
    return Outcome("held", (*lines, *reasons), checks)


def _is_published(result: dg.ExecuteInProcessResult) -> bool:
    key = dg.AssetKey(PUBLISHED_KEY)
    return any(event.asset_key == key for event in result.get_asset_materialization_events())


def _read_lines(fetches: list[tuple[str, str, str | None]]) -> list[str]:
    """How many series were read, and which were not."""
    by_status: Mapping[str, list[str]] = {
        status: [series for s, series, _ in fetches if s == status]
        for status in ("unreachable", "refused", "stale")
    }
    read = sum(status in _READ for status, _, _ in fetches)
    lines = [f"{read} series read"]
    if by_status["unreachable"]:
        lines.append(f"absent, could not be reached: {', '.join(by_status['unreachable'])}")
    if by_status["refused"]:
        lines.append(f"refused: {', '.join(by_status['refused'])}")
    if by_status["stale"]:
        lines.append(f"stale, older than their limit: {', '.join(by_status['stale'])}")
    return lines


def _errors(result: dg.ExecuteInProcessResult) -> list[str]:
    """Innermost messages of the failures, one line each; the whole story is in Dagster's history of the run."""
    lines = []
    for event in result.filter_events(lambda e: e.is_step_failure or e.is_run_failure):
        data = event.event_specific_data
        error = getattr(data, "error", None)
        while error is not None and error.cause is not None:
            error = error.cause
        if error is not None:
            lines.append(" ".join(error.message.split()))
    lines.append(f"run {result.run_id}: the Dagster UI has the full account (make ui)")
    return list(dict.fromkeys(lines))
