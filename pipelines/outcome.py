"""The outcome of a run, from its Dagster events and the warehouse: published, blocked or unreachable, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import dagster as dg

from assets.progress import progress
from assets.warehouse.connection import OpenElsewhere
from assets.warehouse.schema import open_warehouse
from checks.factories import FIRST_PUBLICATION
from pipelines import process
from pipelines.settings import ConfigurationError, Settings

Result = dg.JobExecutionResult | dg.ExecuteInProcessResult
_RELEASE = dg.AssetKey(["publish", "release"])
_FETCHES = """
SELECT status, series_id, message, late_observation, late_since, requests, seconds, fetched_from
FROM raw.fetches WHERE run_id = ? ORDER BY series_id
"""
_FAILED = """
SELECT asset_key, check_name, message FROM ops.check_results
WHERE run_id = ? AND severity = 'ERROR' AND NOT passed
QUALIFY row_number() OVER (PARTITION BY asset_key, check_name ORDER BY stage = 'staged' DESC) = 1
ORDER BY NOT starts_with(asset_key, 'raw/'), asset_key, check_name
"""
_WAIT_SECONDS = 60.0  # for a program that opens the warehouse the moment the run has closed it
_FETCHED = ("new", "unchanged", "stale")


@dataclass(frozen=True)
class Outcome:
    """What a run did. `lines` are printed; `checks` names the checks that blocked the publication."""

    status: Literal["published", "blocked", "unreachable"]
    lines: tuple[str, ...]
    checks: tuple[str, ...] = ()


class Failure(NamedTuple):
    """The innermost error of a failed step or run: name of its class, and its message on one line."""

    kind: str
    text: str


def outcome_of(result: Result, settings: Settings) -> Outcome:
    """Published when this run materialised the release, else why not.

    Raises KeyboardInterrupt for an interrupted run, ConfigurationError for a refused key or a full disk.
    """
    is_published = any(event.asset_key == _RELEASE for event in result.get_asset_materialization_events())
    if process.is_interrupted() and not is_published:
        raise KeyboardInterrupt  # Dagster has turned the signal into a failure
    try:
        with open_warehouse(settings.warehouse_path, wait_seconds=_WAIT_SECONDS, log=progress.info) as con:
            fetches = con.execute(_FETCHES, [result.run_id]).fetchall()
            failed = con.execute(_FAILED, [result.run_id]).fetchall()
    except OpenElsewhere:
        if not is_published:
            raise
        line = "the fetches cannot be listed: another program has the warehouse open"
        return Outcome("published", (line,))
    raise_configuration_error(result)
    effort = sum(fetch[5] for fetch in fetches), sum(fetch[6] for fetch in fetches)
    lines = fetch_lines(fetches, effort if settings.profile != "sample" else None)
    bundled = [name for _, name, *_, place in fetches if place == "sample_data"]
    if bundled and settings.profile == "public":
        lines.append(f"from the bundle, because no publisher serves them without a key: {', '.join(bundled)}")
    if is_published:
        return Outcome("published", tuple(lines))
    raise_interruption_or_full_disk(result)
    return _not_published(result, lines, fetches, failed)


def _not_published(result: Result, lines: list[str], fetches: list[tuple], failed: list[tuple]) -> Outcome:
    statuses = {status for status, *_ in fetches}
    if "unreachable" in statuses and not statuses & {*_FETCHED, "refused"}:
        reason = "nothing was published: no source could be reached; without a network, `run --profile sample` works"
        return Outcome("unreachable", (*lines, reason))
    if incomplete := _incomplete(result):
        return Outcome("unreachable", (*lines, *incomplete))
    refused = [message for status, _, message, *_ in fetches if status == "refused"]
    checks = tuple(dict.fromkeys(f"{asset} {check}" for asset, check, _ in failed))
    messages = [f"{asset} {check}: {message}" for asset, check, message in failed]
    reasons = [*refused, *messages]
    if not messages:  # a refused context series does not fail a run by itself
        reasons += dict.fromkeys(text for _, text in _failures(result))
    if not reasons:
        reasons.append(f"run {result.run_id}: the Dagster UI shows its complete log (make ui)")
    return Outcome("blocked", (*lines, *reasons), checks)


def _incomplete(result: Result) -> tuple[str, ...]:
    """Why a first publication was not made; empty when that is not what stopped the run."""
    events = result.filter_events(lambda e: e.is_step_failure and e.step_key == FIRST_PUBLICATION)
    if not events:
        return ()
    return (
        innermost(events[0].step_failure_data.error).text,
        "the fetched figures are stored and the next run fetches the rest; "
        "`run --accept-incomplete` publishes anyway",
    )


def raise_configuration_error(result: Result) -> None:
    """A key refused in the middle of a run is wrong configuration, whatever was fetched before."""
    for kind, text in _failures(result):
        if kind in ("CredentialsRefused", "ConfigurationError"):
            raise ConfigurationError(text)


def raise_interruption_or_full_disk(result: Result) -> None:
    """Ctrl-C, which Dagster has turned into a failure, as KeyboardInterrupt; a full disk as ConfigurationError."""
    failures = list(_failures(result))
    if any(kind == "DagsterExecutionInterruptedError" for kind, _ in failures):
        raise KeyboardInterrupt
    for _, text in failures:
        if line := process.full_disk(text):
            raise ConfigurationError(line)


def fetch_lines(fetches: list[tuple], effort: tuple[int, float] | None) -> list[str]:
    """How many series were fetched, by how many requests in how many seconds, and which were not or are late."""
    fetched = sum(status in _FETCHED for status, *_ in fetches)
    lines = [f"{fetched} series fetched" + (f", {effort[0]} requests in {effort[1]:.0f} s" if effort else "")]
    for status, text in (
        ("unreachable", "could not be reached"),
        ("refused", "refused"),
        ("stale", "stale, older than their limit"),
    ):
        if series := [name for found, name, *_ in fetches if found == status]:
            lines.append(f"{text}: {', '.join(series)}")
    late = [
        f"{name} ({about}, planned for {day})" for _, name, _, about, day, *_ in fetches if day is not None
    ]
    if late:
        lines.append(f"late, its release was planned but has no figure yet: {', '.join(late)}")
    return lines


def innermost(error: Any) -> Failure:
    """The error at the end of the chain of causes, from Dagster's record of an error.

    Dagster writes the class with its module before the message. Both are removed, except for a built-in error, which
    has no module there: some of their messages mean nothing without the class.
    """
    while error.cause is not None:
        error = error.cause
    kind, message = error.cls_name or "", " ".join(error.message.split())
    module, found, text = message.partition(f".{kind}: ")
    is_module = all(part.isidentifier() for part in module.split("."))
    return Failure(kind, text if kind and found and is_module else message)


def _failures(result: Result) -> Iterator[Failure]:
    for event in result.filter_events(lambda e: e.is_step_failure or e.is_run_failure):
        error = getattr(event.event_specific_data, "error", None)
        if error is not None:
            yield innermost(error)
