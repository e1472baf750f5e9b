"""Looking at what stands: the history of runs, and the published file. What is found is a situation.

Belongs here: reading Dagster's history and the published file. Does not belong here: who is told (`situation.py`).

Neither needs the warehouse, so that any process can look at any time, also while a run holds it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import dagster as dg

from assets.publish.publication import PublicationBlocked
from pipelines.alerts.situation import Outage, Situation, Verdict
from pipelines.outcome import Failure, innermost
from pipelines.settings import ConfigurationError, Settings

JOB = "nightly"
_FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]  # whoever cancels a run knows
_OPEN = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_TOLD_EVENTS = {dg.DagsterEventType.ASSET_CHECK_EVALUATION, dg.DagsterEventType.STEP_FAILURE}
_STUCK_AFTER = dt.timedelta(minutes=45)  # at 60, Dagster's own monitoring marks it as failed
_DAEMONS = ("SCHEDULER", "SENSOR", "QUEUED_RUN_COORDINATOR")
_SILENT_AFTER = dt.timedelta(minutes=10)  # each beats twice a minute
_EXPECTED_AT = dt.time(21, 30)  # of pipelines/schedules.py, which a test holds it to
_ALLOWED = dt.timedelta(minutes=90)  # until a run that has not begun is missed
_EARLY = dt.timedelta(hours=1)  # a run by hand this long before counts
_NEW_YORK = ZoneInfo("America/New_York")
_LONGEST = 1500
_SHOWN = 6


def situation_of(settings: Settings, instance: dg.DagsterInstance, now: dt.datetime) -> Situation:
    """Everything there is to tell; `now` is UTC. The file's part is unknown while no file is published."""
    looked_at = {"run", "overdue", "stuck"}
    outages = [*_last_run(instance), *late_runs(instance, now)]
    verdict, inputs = None, None
    try:
        verdict, inputs = _published(settings.published_path)
    except ConfigurationError:
        pass  # nothing published, or nothing to be read: the run's own outage says why
    else:
        looked_at.add("inputs")
    if inputs is not None:
        outages.append(inputs)
    return Situation(frozenset(looked_at), tuple(outages), verdict)


def daemon_outage(instance: dg.DagsterInstance, now: dt.datetime) -> list[Outage]:
    """The scheduler that was running and is silent; for a watcher outside of it. Empty when none ever ran here."""
    beats = {
        name: beat.timestamp for name, beat in instance.get_daemon_heartbeats().items() if name in _DAEMONS
    }
    silent = sorted(
        name for name, beat in beats.items() if now.timestamp() - beat > _SILENT_AFTER.total_seconds()
    )
    if not silent:
        return []
    last = dt.datetime.fromtimestamp(min(beats[name] for name in silent), dt.UTC)
    body = (
        f"Not heard from since {last:%Y-%m-%d %H:%M} UTC: {', '.join(silent).lower()}. "
        "Nothing is scheduled while it is silent. Start it again (`make ui`, or its service)."
    )
    return [Outage("daemon", "silent", "The scheduler is not running", body)]


def _last_run(instance: dg.DagsterInstance) -> Iterator[Outage]:
    """The newest finished run, unless it published."""
    records = instance.get_run_records(dg.RunsFilter(job_name=JOB, statuses=_FINISHED), limit=1)
    if not records or records[0].dagster_run.status == dg.DagsterRunStatus.SUCCESS:
        return
    run = records[0].dagster_run
    checks, errors = _reasons(instance, run.run_id)
    named = [check.name for check in checks]
    reasons = [f"{check.name}: {check.sentence}" for check in checks] or [error.text for error in errors]
    reasons = reasons or ["it ended without a reason: its process was killed, or lasted too long"]
    held = bool(checks) or any(error.kind == PublicationBlocked.__name__ for error in errors)
    what = "Publication held" if held else "The nightly run failed"
    title = f"{what}: {_some(named)}" if named else what
    lines = [
        *reasons,
        "",
        "What was published before stands.",
        f"Run {run.run_id}; its log is in the Dagster UI.",
    ]
    cause = re.sub(r"\d+", "#", "; ".join(sorted(named) or reasons))[:300]
    yield Outage("run", cause, title, "\n".join(lines)[:_LONGEST])


class _FailedCheck(NamedTuple):
    """A check that blocks the publication: asset and check, and what it found."""

    name: str
    sentence: str | None


def _reasons(instance: dg.DagsterInstance, run_id: str) -> tuple[list[_FailedCheck], list[Failure]]:
    """Failed checks, and the innermost errors of whatever else failed."""
    checks: list[_FailedCheck] = []
    errors: list[Failure] = []
    for entry in instance.all_logs(run_id, of_type=_TOLD_EVENTS):
        data: Any = entry.dagster_event and entry.dagster_event.event_specific_data
        if isinstance(data, dg.AssetCheckEvaluation):
            if not data.passed and data.severity == dg.AssetCheckSeverity.ERROR:
                name = f"{data.asset_key.to_user_string()} {data.check_name}"
                checks.append(_FailedCheck(name, data.description))
        elif (error := getattr(data, "error", None)) is not None:
            errors.append(innermost(error))
    return checks, list(dict.fromkeys(errors))


def late_runs(instance: dg.DagsterInstance, now: dt.datetime) -> list[Outage]:
    """A run that is missing, and runs that hang."""
    return [*_overdue(instance, now), *_stuck(instance, now)]


def _overdue(instance: dg.DagsterInstance, now: dt.datetime) -> Iterator[Outage]:
    """No run since the last time one was expected; nothing is expected before the first run ever."""
    expected = last_expected(now - _ALLOWED)
    records = instance.get_run_records(dg.RunsFilter(job_name=JOB), limit=1)
    if not records or records[0].create_timestamp >= expected - _EARLY:
        return
    last = records[0].create_timestamp.astimezone(dt.UTC)
    body = (
        f"Expected at {expected.astimezone(_NEW_YORK):%Y-%m-%d %H:%M} New York time; "
        f"the last run began at {last:%Y-%m-%d %H:%M} UTC. `python -m pipelines doctor` looks for the reason."
    )
    yield Outage("overdue", "no run", "The nightly run is overdue", body)


def last_expected(now: dt.datetime) -> dt.datetime:
    """The newest moment not after `now` at which the schedule begins a run: weekdays, New York."""
    day = now.astimezone(_NEW_YORK).date()
    while True:
        moment = dt.datetime.combine(day, _EXPECTED_AT, _NEW_YORK)
        if day.weekday() < 5 and moment <= now:
            return moment
        day -= dt.timedelta(days=1)


def _stuck(instance: dg.DagsterInstance, now: dt.datetime) -> Iterator[Outage]:
    """Runs that have been going on, or waiting, for longer than any should."""
    for record in instance.get_run_records(dg.RunsFilter(job_name=JOB, statuses=_OPEN)):
        began = record.create_timestamp
        if now - began < _STUCK_AFTER:
            continue
        run, minutes = record.dagster_run, int((now - began).total_seconds() // 60)
        body = (
            f"Run {run.run_id} is {run.status.value.lower()} since {minutes} minutes. After an hour Dagster ends it; "
            "if it is waiting, another run holds the lock (`python -m pipelines doctor` says which)."
        )
        yield Outage("stuck", run.run_id, "A nightly run hangs", body)


def _published(path: Path) -> tuple[Verdict, Outage | None]:
    from pipelines.commands.published import open_published, rows
    from pipelines.commands.verdict import read_verdict, verdict_lines

    with open_published(path) as con:
        read = read_verdict(con)
        series = rows(con, "SELECT * FROM series WHERE in_profile AND role <> 'context' ORDER BY series_id")
    regime = read.regime
    named = ("as_of_date", "stance", "condition_state", "bubble_score", "method_version")
    facts = {name: _text(regime[name]) for name in named}
    verdict = Verdict(read.manifest["profile"], regime["regime"], facts, tuple(verdict_lines(read, path)))
    return verdict, _inputs(series, read.manifest["as_of_date"])


def _inputs(series: Sequence[dict[str, Any]], as_of: dt.date) -> Outage | None:
    """Inputs whose newest figure is older than its limit, or whose publisher did not answer."""
    stale = [s for s in series if _is_stale(s, as_of)]
    silent = [s for s in series if s["fetch_status"] in ("unreachable", "refused")]
    if not stale and not silent:
        return None
    lines = [
        f"{s['series_id']}: newest figure about {s['last_period_end']}, limit {s['staleness_limit_days']} days "
        f"on {as_of}"
        for s in stale
    ]
    lines += [f"{s['series_id']}: {s['fetch_status']}" for s in silent]
    names = list(dict.fromkeys(s["series_id"] for s in (*stale, *silent)))
    body = "\n".join([*lines, "", "What rests on them alone is absent from the verdict."])
    title = f"{len(names)} inputs stale or missing: {_some(names)}"
    return Outage("inputs", ",".join(sorted(names)), title, body[:_LONGEST], "warning")


def _is_stale(series: dict[str, Any], as_of: dt.date) -> bool:
    limit, end = series["staleness_limit_days"], series["last_period_end"]
    return bool(end is not None and 0 < limit < (as_of - end).days)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _text(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
