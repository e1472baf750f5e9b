"""Problems found in the history of runs and in the published file, and which messages about them are due to a target.

Neither needs the warehouse, so that any process can look at any time, also during a run. A problem is reported once for
every cause, then at most once a day while it lasts, and its end once, to the targets that received a report. A message
that could not be sent is due again.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import dagster as dg

from assets.publish.publication import PublicationBlocked
from assets.report.published import Release
from pipelines.outcome import Failure, innermost
from pipelines.published_verdict import verdict_lines
from pipelines.release_file import Row, open_published, some
from pipelines.settings import ConfigurationError, Settings

JOB = "nightly"
EXPECTED_AT = dt.time(21, 30)  # after H.15 and the day's releases, before midnight in New York
NEW_YORK = ZoneInfo("America/New_York")
_FINISHED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
]  # cancelling a run is no problem to report
_OPEN = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_EVENTS = {dg.DagsterEventType.ASSET_CHECK_EVALUATION, dg.DagsterEventType.STEP_FAILURE}
_STUCK_AFTER = dt.timedelta(minutes=45)  # at 60, Dagster's own monitoring marks it as failed
_DAEMONS = ("SCHEDULER", "SENSOR", "QUEUED_RUN_COORDINATOR")
_SILENT_AFTER = dt.timedelta(minutes=10)  # each reports twice a minute
_ALLOWED = dt.timedelta(minutes=90)  # after which a run that has not begun is overdue
_EARLY = dt.timedelta(hours=1)  # a run by hand this long before counts
_LONGEST = 1500
Kind = Literal["failure", "warning", "success", "info"]
_DAY = dt.timedelta(days=1)
_REMIND_AFTER = {"inputs": 7 * _DAY}  # a publisher may stop for good; every other problem is repeated daily
_TOPICS = {
    "run": "the nightly run publishes",
    "inputs": "every input is recent enough",
    "overdue": "the nightly run was on time",
    "stuck": "no run hangs",
    "daemon": "the scheduler is running",
}


@dataclass(frozen=True)
class Problem:
    """A problem that lasts. `cause` identifies it within its topic and contains no figure that changes."""

    topic: str
    cause: str
    title: str
    body: str
    kind: Kind = "failure"


@dataclass(frozen=True)
class Label:
    """The newest row of the published file: profile, label, numbers, and the reasons as lines."""

    profile: str
    regime: str
    facts: Mapping[str, Any]  # as_of_date, stance, condition_state, scores: as they read in a message
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Situation:
    """Everything to report. A topic in `checked` without a problem is in order; one that is not there is unknown."""

    checked: frozenset[str]
    problems: tuple[Problem, ...] = ()
    label: Label | None = None


@dataclass(frozen=True)
class Message:
    """A message; `remember` is stored about its target once it is sent."""

    title: str
    body: str
    kind: Kind
    remember: Change


@dataclass(frozen=True)
class Change:
    """A change of a target's memory: the value at `keys`; None removes the entry."""

    keys: tuple[str, ...]
    value: Any = None

    def apply(self, memory: dict[str, Any]) -> None:
        """Write it into the memory of a target."""
        for key in self.keys[:-1]:
            memory = memory.setdefault(key, {})
        if self.value is None:
            memory.pop(self.keys[-1], None)
        else:
            memory[self.keys[-1]] = self.value


class _FailedCheck(NamedTuple):
    """A check that blocked the publication: asset and check, and its message."""

    name: str
    message: str | None


def situation_of(settings: Settings, instance: dg.DagsterInstance, now: dt.datetime) -> Situation:
    """Everything to report; `now` is UTC. Label and inputs are unknown while no file is published."""
    checked = {"run", "overdue", "stuck"}
    problems = [*_failed_run(instance), *late_runs(instance, now)]
    label = None
    try:
        label, inputs = _published(settings.published_path)
    except ConfigurationError:
        pass  # nothing readable is published: the failed run is reported
    else:
        checked.add("inputs")
        problems += inputs
    return Situation(frozenset(checked), tuple(problems), label)


def silent_scheduler(instance: dg.DagsterInstance, now: dt.datetime) -> list[Problem]:
    """A scheduler that was running and is silent. Empty when none has ever run here."""
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
        f"No sign of life since {last:%Y-%m-%d %H:%M} UTC: {', '.join(silent).lower()}. "
        "Nothing is scheduled while it is silent. Start it again (`make ui`, or its service)."
    )
    return [Problem("daemon", "silent", "The scheduler is not running", body)]


def late_runs(instance: dg.DagsterInstance, now: dt.datetime) -> list[Problem]:
    """An overdue run, and runs that hang."""
    return [*_overdue(instance, now), *_stuck(instance, now)]


def _failed_run(instance: dg.DagsterInstance) -> Iterator[Problem]:
    """The newest finished run, unless it published."""
    records = instance.get_run_records(dg.RunsFilter(job_name=JOB, statuses=_FINISHED), limit=1)
    if not records or records[0].dagster_run.status == dg.DagsterRunStatus.SUCCESS:
        return
    run_id = records[0].dagster_run.run_id
    checks, errors = _reasons(instance, run_id)
    names = [check.name for check in checks]
    reasons = [f"{check.name}: {check.message}" for check in checks] or [error.text for error in errors]
    reasons = reasons or ["it ended without a reason: its process was killed, or ran too long"]
    is_blocked = bool(checks) or any(error.kind == PublicationBlocked.__name__ for error in errors)
    what = "Publication blocked" if is_blocked else "The nightly run failed"
    lines = [
        *reasons,
        "",
        "The previous publication is unchanged.",
        f"Run {run_id}; the Dagster UI has its log.",
    ]
    cause = re.sub(r"\d+", "#", "; ".join(sorted(names) or reasons))[:300]
    title = f"{what}: {some(names)}" if names else what
    yield Problem("run", cause, title, "\n".join(lines)[:_LONGEST])


def _reasons(instance: dg.DagsterInstance, run_id: str) -> tuple[list[_FailedCheck], list[Failure]]:
    """Failed checks, and the innermost errors of the other steps that failed."""
    checks: list[_FailedCheck] = []
    errors: list[Failure] = []
    for entry in instance.all_logs(run_id, of_type=_EVENTS):
        data: Any = entry.dagster_event and entry.dagster_event.event_specific_data
        if isinstance(data, dg.AssetCheckEvaluation):
            if not data.passed and data.severity == dg.AssetCheckSeverity.ERROR:
                name = f"{data.asset_key.to_user_string()} {data.check_name}"
                checks.append(_FailedCheck(name, data.description))
        elif (error := getattr(data, "error", None)) is not None:
            errors.append(innermost(error))
    return checks, list(dict.fromkeys(errors))


def _overdue(instance: dg.DagsterInstance, now: dt.datetime) -> Iterator[Problem]:
    """No run since the last time one was expected; nothing is expected before the first run."""
    expected = last_expected(now - _ALLOWED)
    records = instance.get_run_records(dg.RunsFilter(job_name=JOB), limit=1)
    if not records or records[0].create_timestamp >= expected - _EARLY:
        return
    last = records[0].create_timestamp.astimezone(dt.UTC)
    body = (
        f"Expected at {expected.astimezone(NEW_YORK):%Y-%m-%d %H:%M} New York time; "
        f"the last run began at {last:%Y-%m-%d %H:%M} UTC. `python -m pipelines doctor` looks for the reason."
    )
    yield Problem("overdue", "no run", "The nightly run is overdue", body)


def last_expected(now: dt.datetime) -> dt.datetime:
    """The newest moment not after `now` at which the schedule begins a run: weekdays, New York."""
    day = now.astimezone(NEW_YORK).date()
    while True:
        moment = dt.datetime.combine(day, EXPECTED_AT, NEW_YORK)
        if day.weekday() < 5 and moment <= now:
            return moment
        day -= dt.timedelta(days=1)


def _stuck(instance: dg.DagsterInstance, now: dt.datetime) -> Iterator[Problem]:
    """Runs that have been running, or waiting, for longer than any should."""
    for record in instance.get_run_records(dg.RunsFilter(job_name=JOB, statuses=_OPEN)):
        age = now - record.create_timestamp
        if age < _STUCK_AFTER:
            continue
        run, minutes = record.dagster_run, int(age.total_seconds() // 60)
        body = (
            f"Run {run.run_id} has been {run.status.value.lower()} for {minutes} minutes. Dagster ends it after an "
            "hour; if it is waiting, another run has the lock (`python -m pipelines doctor` names it)."
        )
        yield Problem("stuck", run.run_id, "A nightly run hangs", body)


def _published(path: Path) -> tuple[Label, list[Problem]]:
    with open_published(path) as con:
        release = Release(con)
        regime, profile = release.today, release.manifest["profile"]
        lines = tuple(verdict_lines(release, path))
        series = release.rows(
            "SELECT * FROM series WHERE in_profile AND role <> 'context' ORDER BY series_id"
        )
    names = ("as_of_date", "stance", "condition_state", "bubble_score", "method_version")
    label = Label(profile, regime["regime"], {name: _text(regime[name]) for name in names}, lines)
    return label, _inputs(series, release.manifest["as_of_date"])


def _inputs(series: Sequence[Row], as_of: dt.date) -> list[Problem]:
    """Inputs whose newest figure is older than its limit, or whose fetch failed."""
    stale = [s for s in series if s.get("is_stale")]  # not in files before 2.1.0
    failed = [s for s in series if s["fetch_status"] in ("unreachable", "refused")]
    if not stale and not failed:
        return []
    lines = [
        f"{s['series_id']}: newest figure about {s['last_period_end']}, limit {s['staleness_limit_days']} days "
        f"on {as_of}"
        for s in stale
    ]
    lines += [f"{s['series_id']}: {s['fetch_status']}" for s in failed]
    names = list(dict.fromkeys(s["series_id"] for s in (*stale, *failed)))
    body = "\n".join([*lines, "", "Measures that depend on them alone are missing from the verdict."])
    title = f"{len(names)} inputs stale or missing: {some(names)}"
    return [Problem("inputs", ",".join(sorted(names)), title, body[:_LONGEST], "warning")]


def _text(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def due(situation: Situation, memory: Mapping[str, Any], now: dt.datetime) -> list[Message]:
    """Messages due to a target with this memory; `now` is UTC."""
    return [*_problems(situation, memory, now), *_ends(situation, memory), *_label_change(situation, memory)]


def silent_changes(situation: Situation, memory: Mapping[str, Any]) -> list[Change]:
    """What is stored without a message: the first label of a profile, and the newest numbers of an unchanged one."""
    label = situation.label
    if label is None:
        return []
    known = memory.get("verdicts", {}).get(label.profile)
    return [_stored(label)] if known is None or known["regime"] == label.regime else []


def _problems(situation: Situation, memory: Mapping[str, Any], now: dt.datetime) -> Iterator[Message]:
    for problem in situation.problems:
        before = memory.get("outages", {}).get(problem.topic, {}).get(problem.cause)
        wait = _REMIND_AFTER.get(problem.topic, _DAY)
        if before is not None and now - dt.datetime.fromisoformat(before) < wait:
            continue
        title = problem.title if before is None else f"Continues: {problem.title}"
        change = Change(("outages", problem.topic, problem.cause), now.isoformat())
        yield Message(title, problem.body, problem.kind, change)


def _ends(situation: Situation, memory: Mapping[str, Any]) -> Iterator[Message]:
    lasting = {problem.topic for problem in situation.problems}
    for topic in memory.get("outages", {}):
        if topic in situation.checked and topic not in lasting:
            yield Message(f"Solved: {_TOPICS.get(topic, topic)}", "", "success", Change(("outages", topic)))


def _label_change(situation: Situation, memory: Mapping[str, Any]) -> Iterator[Message]:
    label = situation.label
    known = None if label is None else memory.get("verdicts", {}).get(label.profile)
    if label is None or known is None or known["regime"] == label.regime:
        return
    changed = [
        f"{name}: {known['facts'].get(name, 'unknown')} -> {value}"
        for name, value in label.facts.items()
        if known["facts"].get(name) != value
    ]
    body = "\n".join([*changed, "", *label.lines])
    yield Message(f"Regime change: {known['regime']} -> {label.regime}", body, "info", _stored(label))


def _stored(label: Label) -> Change:
    return Change(("verdicts", label.profile), {"regime": label.regime, "facts": dict(label.facts)})
