"""`doctor`: check everything a run needs and report, for each fault, what to do. It repairs nothing.

A check that a run makes too is made by the same code, so that doctor reports what a run would report.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.metadata
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from pipelines.instance import is_in_postgres, open_instance, outdated_configuration, run_lock
from pipelines.release_file import Row, open_published, print_rows, rows, some
from pipelines.settings import (
    PROJECT_ROOT,
    RESTRICTED_NOTICE,
    ConfigurationError,
    Folders,
    choose_profile,
    load_folders,
    load_settings,
    open_sources,
    read_access,
    read_environment,
    unknown_variables,
)

if TYPE_CHECKING:
    import dagster as dg

    from assets.catalog.models import Series
    from assets.sources.protocol import Source

_PYTHONS = ((3, 11), (3, 15))  # from, below
_ENOUGH_MB = 1000
_OLD_DAYS = 4  # a weekday schedule leaves at most three days without a release
SCHEDULE = "nightly_schedule"


class Finding(NamedTuple):
    """One line: `level` is OK, WARN or FAIL; `text` is the result and, unless OK, what to do."""

    level: str
    what: str
    text: str


def doctor(args: argparse.Namespace) -> int:
    """Print one line per check; 1 when one failed, else 0."""
    if args.sources:
        return _reported(args, [_sources])
    checks: list[Callable[[], Iterable[Finding]]] = [_python, lambda: _packages(PROJECT_ROOT)]
    try:
        variables = read_environment()
    except ConfigurationError as error:  # nothing else can be checked
        text = str(error)
        return _reported(args, [*checks, lambda: [Finding("FAIL", "configuration", text)]])
    folders = load_folders(variables)
    checks += [
        lambda: configuration(variables),
        _catalogue,
        lambda: _key(variables),
        lambda: _publishers(variables),
        lambda: _data_directory(folders),
        lambda: _published_file(folders.published_path),
        lambda: _observations(folders.published_path),
        lambda: _publication(folders),
        lambda: _run_lock(folders),
        lambda: dagster_home(folders.dagster_home),
        lambda: history(folders.dagster_home),
        lambda: alerts(variables),
    ]
    return _reported(args, checks)


def _reported(args: argparse.Namespace, checks: Sequence[Callable[[], Iterable[Finding]]]) -> int:
    """Print each finding when it is made, or all of them as data."""
    as_data, found = args.json or args.csv, list[Finding]()
    for check in checks:
        for finding in check():
            if not as_data:
                print(f"{finding.level:<5} {finding.what:<15} {finding.text}")
            found.append(finding)
    if as_data:
        print_rows(args, [finding._asdict() for finding in found])
    return 1 if any(finding.level == "FAIL" for finding in found) else 0


def _python() -> list[Finding]:
    version = sys.version.split()[0]
    if _PYTHONS[0] <= sys.version_info[:2] < _PYTHONS[1]:
        return [Finding("OK", "python", f"{version} ({sys.executable})")]
    wanted = f"{_PYTHONS[0][0]}.{_PYTHONS[0][1]} to {_PYTHONS[1][0]}.{_PYTHONS[1][1] - 1}"
    return [Finding("FAIL", "python", f"{version} is not {wanted}: run `make setup PYTHON=...`")]


def _packages(root: Path) -> list[Finding]:
    """Every package of the lock that this machine needs is installed in the locked version."""
    from packaging.requirements import Requirement

    lock = root / "requirements.lock"
    if not lock.is_file():
        return [Finding("FAIL", "packages", f"{lock} is missing: restore it from version control")]
    lines = [line.rstrip("\\ ") for line in lock.read_text(encoding="utf-8").splitlines() if "==" in line]
    locked = [Requirement(line) for line in lines if line[0].isalnum()]
    needed = [one for one in locked if one.marker is None or one.marker.evaluate()]
    wrong = []
    for requirement in needed:
        try:
            found = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} is not installed")
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            wrong.append(f"{requirement.name} is {found}")
    if wrong:
        return [Finding("FAIL", "packages", f"{some(wrong, '; ')}: run `make setup`")]
    return [Finding("OK", "packages", f"{len(needed)} installed as in requirements.lock")]


def configuration(variables: Mapping[str, str]) -> list[Finding]:
    """The settings as a run reads them, and variables that look like a typing error."""
    try:
        settings = load_settings()
        read_access(settings, variables)
        found = [Finding("OK", "configuration", f"profile {settings.profile}, as of {settings.run_date}")]
        if settings.publishes_restricted:
            found.append(Finding("WARN", "configuration", RESTRICTED_NOTICE))
    except ConfigurationError as error:
        found = [Finding("FAIL", "configuration", str(error))]
    for name, known in unknown_variables(variables).items():
        hint = f"did you mean {known}?" if known else ".env.example lists the known ones"
        found.append(Finding("WARN", "configuration", f"{name} is not read: {hint}"))
    return found


def _catalogue() -> list[Finding]:
    from assets.catalog.loader import CatalogError, load_catalog

    try:
        catalog = load_catalog()
    except CatalogError as error:
        return [Finding("FAIL", "catalogue", str(error))]
    method = catalog.method.method_version
    text = f"{len(catalog.series)} series, {len(catalog.tables)} tables, method {method}"
    return [Finding("OK", "catalogue", text)]


def _key(variables: Mapping[str, str]) -> list[Finding]:
    """FRED's key, tried as a run tries it."""
    try:
        if (profile := choose_profile(variables)) != "live":  # needs no other variable
            state = "set, but not used" if "FRED_API_KEY" in variables else "not set, and not needed"
            return [Finding("OK", "FRED_API_KEY", f"{state} by the {profile} profile")]
        settings = load_settings()
        read_access(settings, variables)
    except ConfigurationError:
        return []  # reported by the line about the configuration
    silent = list[str]()
    try:
        open_sources(settings, variables, silent.append)
    except ConfigurationError as error:
        return [Finding("FAIL", "FRED_API_KEY", str(error))]
    if silent:
        return [Finding("WARN", "FRED_API_KEY", f"not tried: {silent[0]}: check network and proxy")]
    from assets.sources.fred_client import TERMS

    terms = f"{TERMS}; the live warehouse is such a database: docs/data_terms.md"
    return [Finding("OK", "FRED_API_KEY", "set, and not refused"), Finding("WARN", "FRED_API_KEY", terms)]


def _publishers(variables: Mapping[str, str]) -> list[Finding]:
    """Which publishers a run of this profile needs; no request is sent."""
    try:
        profile = choose_profile(variables)
    except ConfigurationError:
        return []  # reported by the line about the configuration
    if profile == "sample":
        return [Finding("OK", "publishers", "none is needed: the sample is read from sample_data")]
    text = "not asked here: `python -m pipelines doctor --sources` fetches from each"
    return [Finding("OK", "publishers", text)]


def _data_directory(folders: Folders) -> list[Finding]:
    existing = next(path for path in (folders.data_dir, *folders.data_dir.parents) if path.exists())
    try:
        with tempfile.NamedTemporaryFile(dir=existing, prefix=".writable"):
            pass
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        text = f"{existing}: {reason}: check its owner, or set REGIME_DATA_DIR"
        return [Finding("FAIL", "data directory", text)]
    free = shutil.disk_usage(existing).free / 1e6
    if free < _ENOUGH_MB:
        return [
            Finding("WARN", "data directory", f"{folders.data_dir}: {free:,.0f} MB free: free some space")
        ]
    return [Finding("OK", "data directory", f"{folders.data_dir}, {free:,.0f} MB free")]


def _published_file(path: Path) -> list[Finding]:
    """It opens, it is recent, there is no WAL next to it, and readers can open it but not write next to it."""
    wal = path.with_name(path.name + ".wal")
    if not path.exists():
        return [Finding("WARN", "published file", "nothing is published yet: run `make run`")]
    if wal.exists():
        text = (
            f"{wal} was written by another program and keeps readers out: close that program, and remove it"
        )
        return [Finding("FAIL", "published file", text)]
    try:
        with open_published(path) as con:
            manifest = rows(con, "SELECT * FROM release_manifest")[0]
    except (ConfigurationError, duckdb.Error) as error:
        return [Finding("FAIL", "published file", " ".join(str(error).split()))]
    age = dt.datetime.now(dt.UTC).replace(tzinfo=None) - manifest["published_at"]
    text = (
        f"{manifest['profile']}, as of {manifest['as_of_date']}, published {age.days} days ago, "
        f"{path.stat().st_size / 1e6:.1f} MB"
    )
    if manifest["profile"] != "sample" and age.days > _OLD_DAYS:
        found = Finding("WARN", "published file", f"{text}: is the schedule running? (`make ui`)")
    else:
        found = Finding("OK", "published file", text)
    return [found, *_permissions(path)]


def _permissions(path: Path) -> list[Finding]:
    if path.parent.stat().st_mode & stat.S_IWOTH:  # a reader could leave a WAL that keeps the others out
        text = f"{path.parent} is writable for everyone: `chmod o-w {path.parent}`"
        return [Finding("WARN", "permissions", text)]
    return []


def _observations(path: Path) -> list[Finding]:
    """Series whose newest figure was older than its limit on the as-of date, and series without a figure."""
    try:
        with open_published(path) as con:
            series = rows(con, "SELECT * FROM series WHERE in_profile ORDER BY series_id")
            as_of = rows(con, "SELECT as_of_date FROM release_manifest")[0]["as_of_date"]
    except (ConfigurationError, duckdb.Error):
        return []  # reported by the line about the file
    with_figures = [one for one in series if one["last_period_end"] is not None]
    late = [_late(one, as_of) for one in with_figures if one.get("is_stale")]  # not in files before 2.1.0
    empty = [s["series_id"] for s in series if not s["rows_published"] and s["rights"] != "restricted"]
    found = []
    if late:
        text = f"{len(late)} of {len(with_figures)} series are stale as of {as_of}: {some(late)}"
        text += "; measures that depend on them alone are missing"
        found.append(Finding("WARN", "observations", text))
    if empty:
        text = f"{some(empty)} without a figure: see raw.fetches, or the asset in the UI"
        found.append(Finding("WARN", "observations", text))
    text = f"{len(with_figures)} series, all within their staleness limits"
    return found or [Finding("OK", "observations", text)]


def _late(series: Row, as_of: dt.date) -> str:
    age = (as_of - series["last_period_end"]).days
    return f"{series['series_id']} ({age} days, limit {series['staleness_limit_days']})"


def _publication(folders: Folders) -> list[Finding]:
    """Whether a run may replace the published file: live figures by the sample it may not, nor newer by older."""
    from assets.publish.publication import refuse_replacing
    from assets.warehouse.published_file import PublicationRefused

    try:
        settings = load_settings()
        refuse_replacing(
            folders.published_path,
            settings.profile,
            settings.run_date,
            has_key=settings.fred_api_key is not None,
        )
    except ConfigurationError:
        return []  # reported by the line about the configuration
    except PublicationRefused as error:
        return [Finding("FAIL", "publication", str(error))]
    return [Finding("OK", "publication", "a run may publish here")]


def _run_lock(folders: Folders) -> list[Finding]:
    from assets.warehouse.connection import WarehouseError
    from assets.warehouse.lock import RunLock
    from assets.warehouse.shared_lock import ID_FILE

    is_named = (
        folders.data_dir / ID_FILE
    ).exists()  # else no run has shared its lock, and this creates nothing
    try:
        holder = (run_lock(folders) if is_named else RunLock(folders.lock_path)).holder()
    except (ConfigurationError, WarehouseError) as error:
        return [Finding("WARN", "run lock", str(error))]
    if holder is None:
        return [Finding("OK", "run lock", "free")]
    return [Finding("WARN", "run lock", f"taken by {holder}: wait for it, or run with --wait")]


def dagster_home(home: Path) -> list[Finding]:
    """It can be written and contains the project's configuration."""
    if home.exists() and not os.access(home, os.W_OK):
        return [Finding("FAIL", "DAGSTER_HOME", f"{home} cannot be written: check its owner")]
    if problem := outdated_configuration(home):
        return [Finding("FAIL", "DAGSTER_HOME", problem)]
    if (home / "dagster.yaml").is_file():
        return [Finding("OK", "DAGSTER_HOME", str(home))]
    text = f"{home} contains no dagster.yaml: copy dagster_home/dagster.yaml there, or unset DAGSTER_HOME"
    return [Finding("WARN", "DAGSTER_HOME", text)]


def history(home: Path) -> list[Finding]:
    """The newest run, what is wrong with runs, and whether anything will start the next one."""
    try:
        if not is_in_postgres(home) and not (home / "history").is_dir():
            return [Finding("OK", "last run", "none yet: run `make run`")]
        with open_instance(home) as instance:
            return [_last_run(instance), *_late_runs(instance), _scheduler(instance), *_schedule(instance)]
    except ConfigurationError as error:
        return [Finding("WARN", "last run", str(error))]
    except Exception as error:  # whatever is wrong with the history, the other lines are worth reading
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"
        text = f"Dagster's history cannot be read ({reason}): is its database running? Else move {home}/history away"
        return [Finding("WARN", "last run", text)]


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


def _late_runs(instance: dg.DagsterInstance) -> list[Finding]:
    """Overdue and hanging runs, by the rules of the alerts."""
    from pipelines.problems import late_runs

    return [
        Finding("WARN", "runs", f"{problem.title.lower()}: {problem.body}")
        for problem in late_runs(instance, dt.datetime.now(dt.UTC))
    ]


def _scheduler(instance: dg.DagsterInstance) -> Finding:
    from pipelines.problems import silent_scheduler

    silent = silent_scheduler(instance, dt.datetime.now(dt.UTC))
    if silent:
        return Finding("WARN", "scheduler", silent[0].body)
    if not instance.get_daemon_heartbeats():
        text = "never started here: start it with `make ui`, deploy/systemd or deploy/compose.yaml for scheduled runs"
        return Finding("OK", "scheduler", text)
    return Finding("OK", "scheduler", "running")


def _schedule(instance: dg.DagsterInstance) -> Iterator[Finding]:
    """Without an entry in the history the schedule is on; it can be switched off in the UI."""
    for state in instance.all_instigator_state():
        if state.instigator_name == SCHEDULE and state.status.value == "STOPPED":
            text = f"{SCHEDULE} is switched off: no run starts by itself; switch it on in the UI under Automation"
            yield Finding("WARN", "schedule", text)


def alerts(variables: Mapping[str, str]) -> list[Finding]:
    """The addresses that receive alerts."""
    from pipelines.alerts import VARIABLE, targets

    try:
        found = targets(variables)
    except ConfigurationError as error:
        return [Finding("FAIL", "alerts", str(error))]
    if not found:
        return [Finding("OK", "alerts", f"not sent: set {VARIABLE} to receive them")]
    names = ", ".join(target.name for target in found)
    return [Finding("OK", "alerts", f"{names}; `python -m pipelines watch --test` tries them")]


def _sources() -> Iterator[Finding]:
    """`--sources`: one series from every file and interface of the profile public; FAIL for one that was not served.

    Nothing is stored. A file is downloaded once, so that a changed layout, unit or address shows by name.
    """
    from assets.sources.publishers import Sources

    settings = load_settings(environ={**os.environ, "REGIME_PROFILE": "public"})
    sources = Sources(replace(read_access(settings), retry_budget_seconds=0.0))  # no request is repeated
    today = sources.last_day(dt.datetime.now(dt.UTC))
    for name, series in _one_of_each():
        (part,) = sources.of(series.source).parts([series])
        level, text = _asked(part.source, series, today)
        yield Finding(level, name, text)


def _one_of_each() -> Iterator[tuple[str, Series]]:
    """The first series of every file and interface, with the name of its reader and file."""
    from assets.catalog.loader import load_catalog

    named = set()
    for series in load_catalog().in_profile("public"):
        carrier = series.carrier
        if carrier is None or carrier.reader == "sample":
            continue
        name = " ".join(filter(None, (carrier.reader, carrier.release)))
        if name not in named:
            named.add(name)
            yield name, series


def _asked(source: Source, series: Series, today: dt.date) -> tuple[str, str]:
    from assets.sources.protocol import PayloadRefused, SeriesUnknown, SourceUnreachable
    from assets.sources.validate import validate

    began, before = time.monotonic(), source.requests
    try:
        payload = source.fetch(series)
        warnings = validate(payload, series, today, None)
    except (PayloadRefused, SeriesUnknown, SourceUnreachable) as failure:
        return "FAIL", str(failure)
    rows = payload.observations
    text = (
        f"{payload.host}: {series.series_id}, {rows['observation_date'].nunique()} figures to "
        f"{rows['observation_date'].max():%Y-%m-%d}, {source.requests - before} requests, "
        f"{time.monotonic() - began:.1f} s"
    )
    return "OK", "; ".join([text, *warnings])
