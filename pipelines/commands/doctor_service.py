"""What `doctor` says of everything around a run: history, scheduler, publishers, alerts.

Belongs here: looking at them. Does not belong here: the machine and the configuration (`doctor.py`), the release
(`doctor_release.py`).
"""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipelines.commands.doctor import Finding
from pipelines.settings import ConfigurationError, Places, choose_profile

if TYPE_CHECKING:
    import dagster as dg

_CONNECT_SECONDS = 4.0
_SCHEDULE = "nightly_schedule"
_ADDRESSES = {  # of the contract, and where the catalogue does not say it
    "fred": ("FRED_ROOT_URL", "https://api.stlouisfed.org/fred"),
    "fiscal_data": ("FISCAL_DATA_URL", "https://api.fiscaldata.treasury.gov"),
    "fed_board": ("FED_BOARD_URL", None),
    "shiller": ("SHILLER_URL", None),
    "world_bank": ("WORLD_BANK_URL", None),
}


def history(places: Places) -> list[Finding]:
    """The newest run, what is wrong with runs, and whether anything will start the next one."""
    home = places.dagster_home
    if not (home / "history").is_dir() and not _is_elsewhere(places):
        return [Finding("OK", "last run", "none yet: run `make run`")]
    from pipelines.instance import open_instance, outdated_configuration

    if outdated_configuration(home):
        return []  # reported by the line about DAGSTER_HOME
    try:
        with open_instance(home) as instance:
            return [_last_run(instance), *_runs(instance), _scheduler(instance), *_schedule(instance)]
    except ConfigurationError as error:
        return [Finding("WARN", "last run", str(error))]
    except Exception as error:  # whatever the history suffers from, the other lines are worth reading
        said = f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"
        text = f"Dagster's history cannot be read ({said}): is its database up? Else move {home}/history away"
        return [Finding("WARN", "last run", text)]


def publishers(places: Places, variables: Mapping[str, str]) -> list[Finding]:
    """Whether the publishers' hosts answer at all; nothing is asked of them, and no key is sent."""
    try:
        profile = choose_profile(variables)
    except ConfigurationError:
        return []  # said by the line about the configuration
    if profile == "sample":
        return [Finding("OK", "publishers", "none is asked: the sample is read from sample_data")]
    hosts = _hosts(variables)
    silent = [f"{source} ({host})" for source, (host, port) in hosts.items() if not _answers(host, port)]
    if not silent:
        return [Finding("OK", "publishers", f"{len(hosts)} of {len(hosts)} answer")]
    text = f"{', '.join(silent)} cannot be reached: check network and proxy, or their *_URL; what they serve is absent"
    return [Finding("WARN", "publishers", text)]


def alerts(variables: Mapping[str, str]) -> list[Finding]:
    """Who is told when something goes wrong."""
    from pipelines.alerts.targets import VARIABLE, targets

    try:
        found = targets(variables)
    except ConfigurationError as error:
        return [Finding("FAIL", "alerts", str(error))]
    if not found:
        return [Finding("OK", "alerts", f"nobody is told: set {VARIABLE} to be")]
    said = f"{', '.join(target.name for target in found)}; `python -m pipelines watch --test` tries them"
    return [Finding("OK", "alerts", said)]


def _is_elsewhere(places: Places) -> bool:
    """A configuration that keeps the history in a database has no folder of it."""
    configuration = places.dagster_home / "dagster.yaml"
    return configuration.is_file() and "postgres" in configuration.read_text(encoding="utf-8")


def _last_run(instance: dg.DagsterInstance) -> Finding:
    records = instance.get_run_records(limit=1)
    if not records:
        return Finding("OK", "last run", "none yet: run `make run`")
    run, status = records[0].dagster_run, records[0].dagster_run.status.value.lower()
    began = records[0].create_timestamp.astimezone(dt.UTC)
    text = f"{run.job_name} {status}, {began:%Y-%m-%d %H:%M} UTC, run {run.run_id[:8]}"
    if status == "failure":
        return Finding("WARN", "last run", f"{text}: its log is in the UI (`make ui`)")
    return Finding("OK", "last run", text)


def _runs(instance: dg.DagsterInstance) -> list[Finding]:
    """Overdue and hanging runs, as the alerts judge them."""
    from pipelines.alerts.look import late_runs

    return [
        Finding("WARN", "runs", f"{outage.title.lower()}: {outage.body}")
        for outage in late_runs(instance, dt.datetime.now(dt.UTC))
    ]


def _scheduler(instance: dg.DagsterInstance) -> Finding:
    from pipelines.alerts.look import daemon_outage

    silent = daemon_outage(instance, dt.datetime.now(dt.UTC))
    if silent:
        return Finding("WARN", "scheduler", silent[0].body)
    if not instance.get_daemon_heartbeats():
        text = "never started here: nothing runs by itself (`make ui`, deploy/systemd or deploy/compose.yaml start it)"
        return Finding("OK", "scheduler", text)
    return Finding("OK", "scheduler", "running")


def _schedule(instance: dg.DagsterInstance) -> Iterator[Finding]:
    """Somebody may have switched it off in the UI; untouched it runs."""
    for state in instance.all_instigator_state():
        if state.instigator_name == _SCHEDULE and state.status.value == "STOPPED":
            text = (
                f"{_SCHEDULE} is switched off: nothing runs at night; switch it on in the UI under Automation"
            )
            yield Finding("WARN", "schedule", text)


def _hosts(variables: Mapping[str, str]) -> dict[str, tuple[str, int]]:
    """Host and port of every publisher: of its variable, else of its default or its page in the catalogue."""
    from assets.catalog.loader import load_catalog

    pages: dict[str, str] = {series.source: series.source_url for series in load_catalog().series.values()}
    hosts = {}
    for source, (variable, default) in _ADDRESSES.items():
        parts = urlsplit(variables.get(variable) or default or pages.get(source, ""))
        if parts.hostname:
            hosts[source] = (parts.hostname, parts.port or (80 if parts.scheme == "http" else 443))
    return hosts


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=_CONNECT_SECONDS):
            return True
    except OSError:
        return False
