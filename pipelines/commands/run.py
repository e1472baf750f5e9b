"""`run`: the nightly job once, in this process, then the verdict.

Belongs here: settings, what is printed, the exit status. Does not belong here: the job
(`pipelines/nightly.py`).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines import process
from pipelines.commands.published import open_published
from pipelines.commands.verdict import read_verdict, verdict_lines
from pipelines.instance import outdated_configuration
from pipelines.settings import ConfigurationError, Settings, load_settings, read_environment

PUBLISHED, HELD, UNREACHABLE = 0, 1, 3
_STATUS = {"published": PUBLISHED, "held": HELD, "unreachable": UNREACHABLE}
WAIT_SECONDS = 15 * 60.0


def main(args: argparse.Namespace) -> int:
    """Run once and publish; the exit status, which `python -m pipelines --help` lists."""
    if args.profile is not None:  # for the resources of the run too, which read the environment themselves
        os.environ["REGIME_PROFILE"] = args.profile
    settings = load_settings(as_of=args.as_of)
    for notice in settings.notices:
        print(f"warning: {notice}", file=sys.stderr)
    if problem := outdated_configuration(settings.dagster_home):
        raise ConfigurationError(problem)  # before the lock and before Dagster is loaded
    if settings.profile == "live":
        _try_key(settings)
    say(f"{_profile(settings)}; nothing known after {settings.run_date} is used")
    before = _identity(settings.published_path)
    try:
        return _run(settings, WAIT_SECONDS if args.wait else 0.0, args.accept_incomplete)
    except BaseException:
        if not process.is_interrupted() or _identity(settings.published_path) == before:
            raise
        process.finish_undisturbed()
        say(f"interrupted after the publication: {settings.published_path} is the new release")
        return PUBLISHED


def _identity(published: Path) -> tuple[int, int] | None:
    """Which file is published; another one after every publication."""
    try:
        found = published.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def _try_key(settings: Settings) -> None:
    """Report a wrong key, or a FRED that does not answer, before the lock, the warehouse and Dagster."""
    from pipelines.access import open_sources

    def say_with_way_out(line: str) -> None:
        say(f"{line}; the run keeps trying. Without a network, `run --profile sample` works")

    open_sources(settings, say=say_with_way_out)


def say(line: str) -> None:
    """Progress goes to standard error, so that standard output holds the verdict alone."""
    print(line, file=sys.stderr, flush=True)


def _run(settings: Settings, wait_seconds: float, accepts_incomplete: bool) -> int:
    from assets.catalog.loader import CatalogError
    from assets.warehouse.connection import LockHeld, WarehouseError, closed_to_readers
    from assets.warehouse.published_file import PublicationRefused
    from pipelines.nightly import run_nightly

    try:
        outcome = run_nightly(
            settings, wait_seconds=wait_seconds, say=say, accepts_incomplete=accepts_incomplete
        )
    except (CatalogError, LockHeld, PublicationRefused, WarehouseError) as error:
        raise ConfigurationError(str(error)) from None
    except ConfigurationError:  # found in the middle of the run, as a refused key is
        _alert(settings)
        raise
    for line in outcome.lines:
        say(line)
    if closed := closed_to_readers(settings.published_path):
        say(f"warning: {closed}")
    if outcome.status == "published":
        _show(settings)
    else:
        _say_what_stands(settings, outcome.checks)
    _alert(settings)
    return _STATUS[outcome.status]


def _alert(settings: Settings) -> None:
    """Tell who is to be told of what came of the run; whatever becomes of it, the run's own outcome stands."""
    from pipelines.alerts.targets import VARIABLE

    if VARIABLE not in read_environment():
        return
    from pipelines.alerts.review import review
    from pipelines.instance import open_instance

    try:
        with open_instance(settings.dagster_home) as instance:
            lines = [told.line for told in review(settings, instance)]
    except Exception as error:  # history, network and each service raise their own
        lines = [f"warning: alerts: {' '.join(str(error).split())[:200]}"]
    for line in lines:
        say(line)


def _say_what_stands(settings: Settings, checks: Sequence[str]) -> None:
    if checks:
        say(f"held by: {', '.join(checks)}")
    there = settings.published_path.exists()
    say(f"{settings.published_path} stands as it was" if there else "nothing is published yet")


def _show(settings: Settings) -> None:
    with open_published(settings.published_path) as con:
        print("\n".join(["", *verdict_lines(read_verdict(con), settings.published_path)]))


def _profile(settings: Settings) -> str:
    return "SAMPLE DATA (bundled figures)" if settings.profile == "sample" else "live figures"
