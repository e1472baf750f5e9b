"""What came of a run, from its events and the warehouse's books.

Belongs here: telling published, held and unreachable apart, and saying why. Does not belong here: running.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import dagster as dg
import duckdb

from assets.progress import progress
from assets.warehouse.connection import OpenElsewhere, open_warehouse
from checks.first_publication import CHECK as FIRST_PUBLICATION
from pipelines import process
from pipelines.full_disk import full_disk
from pipelines.nightly import PUBLISHED_KEY, Outcome
from pipelines.settings import ConfigurationError, Settings

_FETCHES = """
SELECT status, series_id, message, late_observation, late_since FROM raw.fetches WHERE run_id = ? ORDER BY series_id
"""
_EFFORT = "SELECT coalesce(sum(requests), 0), coalesce(sum(seconds), 0) FROM raw.fetches WHERE run_id = ?"
_FAILED = """
SELECT DISTINCT asset_key, check_name, message FROM ops.check_results
WHERE run_id = ? AND severity = 'ERROR' AND NOT passed ORDER BY ALL
"""
_WAIT_SECONDS = 60.0  # for somebody who looks into the warehouse the moment the run has closed it
_NO_SOURCE = (
    "nothing could be published: no source could be reached; without a network, `run --profile sample` works"
)
_READ = ("new", "unchanged", "stale")


class Failure(NamedTuple):
    """The innermost error of a failed step or run: name of its class, and its message on one line."""

    kind: str
    text: str


def outcome_of(result: dg.ExecuteInProcessResult, settings: Settings) -> Outcome:
    """Published when the release was materialised in this run; else why not. Raises KeyboardInterrupt."""
    if process.is_interrupted() and not _is_published(result):
        raise KeyboardInterrupt  # whatever the signal was turned into
    try:
        opened = open_warehouse(settings.warehouse_path, wait_seconds=_WAIT_SECONDS, log=progress.info)
        with opened as con:
            return _outcome(result, settings, con)
    except OpenElsewhere:
        if not _is_published(result):
            raise
        return Outcome(
            "published", ("what was fetched cannot be listed: another program has the warehouse open",), ()
        )


def _outcome(
    result: dg.ExecuteInProcessResult, settings: Settings, con: duckdb.DuckDBPyConnection
) -> Outcome:
    fetches = con.execute(_FETCHES, [result.run_id]).fetchall()
    effort = con.execute(_EFFORT, [result.run_id]).fetchall()[0]
    failed = con.execute(_FAILED, [result.run_id]).fetchall()
    if refusal := _refused_credentials(result):
        raise ConfigurationError(refusal)
    if not _is_published(result):
        raise_what_is_no_outcome(result)
    lines = [*read_lines(fetches, effort if settings.profile == "live" else None)]
    if _is_published(result):
        return Outcome("published", tuple(lines), ())
    by_status = Counter(status for status, *_ in fetches)
    if by_status["unreachable"] and not any(by_status[status] for status in (*_READ, "refused")):
        return Outcome("unreachable", (*lines, _NO_SOURCE), ())
    if reason := _incomplete(result):
        return Outcome("unreachable", (*lines, *reason), ())
    refused = [message for status, _, message, *_ in fetches if status == "refused"]
    checks = tuple(dict.fromkeys(f"{asset} {check}" for asset, check, _ in failed))
    told = [f"{asset} {check}: {message}" for asset, check, message in failed]
    reasons = [*refused, *told] or _errors(result)
    return Outcome("held", (*lines, *reasons), checks)


def _incomplete(result: dg.ExecuteInProcessResult) -> tuple[str, ...]:
    """Why a first publication is not made; nothing when that is not what stopped the run."""
    failed = [
        check
        for check in result.get_asset_check_evaluations()
        if check.check_name == FIRST_PUBLICATION and not check.passed
    ]
    if not failed:
        return ()
    return (
        f"no first publication: {failed[0].description}",
        "what was fetched is kept and the next run asks for the rest; `run --accept-incomplete` publishes anyway",
    )


def _is_published(result: dg.ExecuteInProcessResult) -> bool:
    key = dg.AssetKey(PUBLISHED_KEY)
    return any(event.asset_key == key for event in result.get_asset_materialization_events())


def raise_what_is_no_outcome(result: dg.ExecuteInProcessResult) -> None:
    """Ctrl-C as itself, though Dagster has turned it into a failure; a full disk as what it is."""
    failures = list(_failures(result))
    if any(kind == "DagsterExecutionInterruptedError" for kind, _ in failures):
        raise KeyboardInterrupt
    if said := next(filter(None, (full_disk(text) for _, text in failures)), None):
        raise ConfigurationError(said)


def _refused_credentials(result: dg.ExecuteInProcessResult) -> str | None:
    """A key that was refused in the middle of a run: configuration, whatever was read before."""
    return next(
        (text for kind, text in _failures(result) if kind in ("CredentialsRefused", "ConfigurationError")),
        None,
    )


def read_lines(fetches: list[tuple], effort: tuple[int, float] | None) -> list[str]:
    """How many series were read, by how many requests in how many seconds, and which were not."""
    by_status: Mapping[str, list[str]] = {
        status: [series for s, series, *_ in fetches if s == status]
        for status in ("unreachable", "refused", "stale")
    }
    read = sum(status in _READ for status, *_ in fetches)
    lines = [f"{read} series read" + (f", {effort[0]} requests in {effort[1]:.0f} s" if effort else "")]
    if by_status["unreachable"]:
        lines.append(f"absent, could not be reached: {', '.join(by_status['unreachable'])}")
    if by_status["refused"]:
        lines.append(f"refused: {', '.join(by_status['refused'])}")
    if by_status["stale"]:
        lines.append(f"stale, older than their limit: {', '.join(by_status['stale'])}")
    late = [
        f"{series} ({about}, planned for {day})" for _, series, _, about, day in fetches if day is not None
    ]
    if late:
        lines.append(f"late, not there though its release was planned: {', '.join(late)}")
    return lines


def innermost(error: Any) -> Failure:
    """The error at the end of the chain of causes, from Dagster's record of an error.

    Dagster writes the class with its module before the message. Both are removed; the class of a built-in error, which
    has no module there, is kept: some of their messages say nothing without it.
    """
    while error.cause is not None:
        error = error.cause
    kind, message = error.cls_name or "", " ".join(error.message.split())
    module, found, text = message.partition(f".{kind}: ")
    is_module = all(part.isidentifier() for part in module.split("."))
    return Failure(kind, text if kind and found and is_module else message)


def _errors(result: dg.ExecuteInProcessResult) -> list[str]:
    """Innermost messages of the failures, one line each; the whole story is in Dagster's history of the run."""
    lines = [text for _, text in _failures(result)]
    lines.append(f"run {result.run_id}: the Dagster UI has the full account (make ui)")
    return list(dict.fromkeys(lines))


def _failures(result: dg.ExecuteInProcessResult) -> Iterator[Failure]:
    for event in result.filter_events(lambda e: e.is_step_failure or e.is_run_failure):
        error = getattr(event.event_specific_data, "error", None)
        if error is not None:
            yield innermost(error)
