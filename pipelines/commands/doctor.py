"""`doctor`: is everything in place for a run, and what to do about what is not.

Belongs here: looking, and saying what to do. Does not belong here: repairing, the release (`doctor_release.py`),
history, scheduler and alerts (`doctor_service.py`).
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pipelines.access import open_sources, read_access
from pipelines.settings import (
    PROJECT_ROOT,
    RESTRICTED_NOTICE,
    ConfigurationError,
    Places,
    choose_profile,
    load_places,
    load_settings,
    read_environment,
    unknown_variables,
)

_PYTHONS = ((3, 11), (3, 15))  # from, below
_ENOUGH_MB = 1000


class Finding(NamedTuple):
    """One line: `level` is OK, WARN or FAIL; `text` says what was seen and, unless OK, what to do."""

    level: str
    what: str
    text: str


def main(args: argparse.Namespace) -> int:
    """Print one line per check; 1 when one failed, else 0."""
    from pipelines.commands import doctor_release, doctor_service

    checks: list[Callable[[], list[Finding]]] = [_python, lambda: _lock_file(PROJECT_ROOT)]
    try:
        variables = read_environment()
    except ConfigurationError as error:  # nothing else can be looked at
        text = str(error)
        return _reported([*checks, lambda: [Finding("FAIL", "configuration", text)]])
    places = load_places(variables)
    checks += [
        lambda: _configuration(variables),
        _catalogue,
        lambda: _key(variables),
        lambda: doctor_service.publishers(places, variables),
        lambda: _data_directory(places),
        lambda: doctor_release.published_file(places),
        lambda: doctor_release.observations(places),
        lambda: _publication(places),
        lambda: _run_lock(places),
        lambda: _dagster_home(places),
        lambda: doctor_service.history(places),
        lambda: doctor_service.alerts(variables),
    ]
    return _reported(checks)


def _reported(checks: Sequence[Callable[[], list[Finding]]]) -> int:
    """Print the findings of every check; 1 when one failed, else 0."""
    failed = False
    for check in checks:
        for finding in check():
            print(f"{finding.level:<5} {finding.what:<15} {finding.text}")
            failed |= finding.level == "FAIL"
    return 1 if failed else 0


def _python() -> list[Finding]:
    version = sys.version.split()[0]
    if _PYTHONS[0] <= sys.version_info[:2] < _PYTHONS[1]:
        return [Finding("OK", "python", f"{version} ({sys.executable})")]
    wanted = f"{_PYTHONS[0][0]}.{_PYTHONS[0][1]} to {_PYTHONS[1][0]}.{_PYTHONS[1][1] - 1}"
    return [Finding("FAIL", "python", f"{version} is not {wanted}: run `make setup PYTHON=...`")]


def _lock_file(root: Path) -> list[Finding]:
    """Every package of the lock is installed in the locked version, as far as this machine needs it."""
    from packaging.requirements import Requirement

    lock = root / "requirements.lock"
    if not lock.is_file():
        return [Finding("FAIL", "packages", f"{lock} is missing: restore it from version control")]
    lines = [line.rstrip("\\ ") for line in lock.read_text(encoding="utf-8").splitlines() if "==" in line]
    wanted = [Requirement(line) for line in lines if line[0].isalnum()]
    odd, count = [], 0
    for requirement in wanted:
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        count += 1
        try:
            found = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            odd.append(f"{requirement.name} is not installed")
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            odd.append(f"{requirement.name} is {found}")
    if not odd:
        return [Finding("OK", "packages", f"{count} installed as requirements.lock says")]
    more = f" and {len(odd) - 3} more" if len(odd) > 3 else ""
    return [Finding("FAIL", "packages", f"{'; '.join(odd[:3])}{more}: run `make setup`")]


def _configuration(variables: Mapping[str, str]) -> list[Finding]:
    try:
        settings = load_settings()
        read_access(settings, variables)
        found = [Finding("OK", "configuration", f"profile {settings.profile}, as of {settings.run_date}")]
        if settings.publishes_restricted:
            found.append(Finding("WARN", "configuration", RESTRICTED_NOTICE))
    except ConfigurationError as error:
        found = [Finding("FAIL", "configuration", str(error))]
    for name, known in unknown_variables(variables).items():
        hint = f"did you mean {known}?" if known else ".env.example lists those that are"
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
    try:
        profile = choose_profile(variables)
    except ConfigurationError:
        return []  # said by the line about the configuration
    if profile == "live":
        return _live_key(variables)
    said = "set, and not used by" if "FRED_API_KEY" in variables else "not set, and not needed by"
    return [Finding("OK", "FRED_API_KEY", f"{said} the sample profile")]


def _live_key(variables: Mapping[str, str]) -> list[Finding]:
    """The key as a run tries it; the line about the publishers tells when FRED cannot be reached."""
    try:
        settings = load_settings()
        read_access(settings, variables)
    except ConfigurationError:
        return []  # said by the line about the configuration
    try:
        open_sources(settings, variables)
    except ConfigurationError as error:
        return [Finding("FAIL", "FRED_API_KEY", str(error))]
    return [Finding("OK", "FRED_API_KEY", "set, and not refused")]


def _data_directory(places: Places) -> list[Finding]:
    place = places.data_dir
    while not place.exists():  # a run makes it
        place = place.parent
    try:
        with tempfile.NamedTemporaryFile(dir=place, prefix=".writable"):
            pass
    except OSError as error:
        text = f"{place}: {(error.strerror or str(error)).lower()}: check its owner, or set REGIME_DATA_DIR"
        return [Finding("FAIL", "data directory", text)]
    free = shutil.disk_usage(place).free / 1e6
    if free < _ENOUGH_MB:
        return [Finding("WARN", "data directory", f"{places.data_dir}: {free:,.0f} MB free: free some space")]
    return [Finding("OK", "data directory", f"{places.data_dir}, {free:,.0f} MB free")]


def _publication(places: Places) -> list[Finding]:
    """Whether a run may replace what is published: not a live file by the sample, nor a newer one by an older."""
    from assets.publish.publication import refuse_replacing
    from assets.warehouse.published_file import PublicationRefused

    try:
        settings = load_settings()
        refuse_replacing(places.published_path, settings.profile, settings.run_date)
    except ConfigurationError:
        return []  # said by the line about the configuration
    except PublicationRefused as error:
        return [Finding("FAIL", "publication", str(error))]
    return [Finding("OK", "publication", "a run may publish here")]


def _run_lock(places: Places) -> list[Finding]:
    from assets.warehouse.lock import RunLock

    holder = RunLock(places.lock_path).holder()
    if holder is None:
        return [Finding("OK", "run lock", "nobody holds it")]
    return [Finding("WARN", "run lock", f"held by {holder}: wait for it, or run with --wait")]


def _dagster_home(places: Places) -> list[Finding]:
    home = places.dagster_home
    if home.exists() and not os.access(home, os.W_OK):
        return [Finding("FAIL", "DAGSTER_HOME", f"{home} cannot be written: check its owner")]
    from pipelines.instance import outdated_configuration

    if problem := outdated_configuration(home):
        return [Finding("FAIL", "DAGSTER_HOME", problem)]
    if (home / "dagster.yaml").is_file():
        return [Finding("OK", "DAGSTER_HOME", str(home))]
    text = f"{home} holds no dagster.yaml: copy dagster_home/dagster.yaml there, or unset DAGSTER_HOME"
    return [Finding("WARN", "DAGSTER_HOME", text)]
