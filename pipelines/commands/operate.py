"""The operator's commands: `watch` sends the alerts due, `prune` removes old runs, `settings` prints the settings."""

from __future__ import annotations

import argparse
import datetime as dt
import shlex
import sys

from pipelines.commands.printed_rows import print_rows
from pipelines.settings import ConfigurationError, load_folders, load_settings, read_environment


def watch(args: argparse.Namespace) -> int:
    """Print the alerts sent; 1 when one could not be sent. Run it from a timer: the scheduler cannot report itself."""
    from pipelines.alerts.delivery import VARIABLE, review, send, targets, trial_message
    from pipelines.instance import open_instance

    settings = load_settings()
    found = targets(read_environment())
    if not found:
        raise ConfigurationError(f"{VARIABLE} is not set: there is no address to send to (see .env.example)")
    if args.test:
        reached = [send(target, trial_message(dt.datetime.now(dt.UTC))) for target in found]
        for target, is_reached in zip(found, reached, strict=True):
            print(f"{target.name}: {'sent' if is_reached else 'could not be reached: check its address'}")
        return 0 if all(reached) else 1
    with open_instance(settings.dagster_home) as instance:
        sent = review(settings, instance, outside=True)
    addresses = f"{len(found)} {'target' if len(found) == 1 else 'targets'}"
    print("\n".join(one.line for one in sent) or f"no alert is due to {addresses}")
    return 1 if any(one.is_unsent for one in sent) else 0


def prune(args: argparse.Namespace) -> int:
    """Print how many runs were removed from Dagster's history, where no scheduler removes them."""
    home = load_folders(read_environment()).dagster_home
    if not (home / "history").is_dir() and not (home / "dagster.yaml").is_file():
        print(f"{home} contains no history")
        return 0
    from pipelines import run_history
    from pipelines.instance import open_instance

    with open_instance(home) as instance:
        removed = run_history.prune(instance, dt.datetime.now(dt.UTC), args.days)
    print(f"{removed} runs older than {args.days} days removed from {home}")
    return 0


def settings(args: argparse.Namespace) -> int:
    """Print NAME=value lines without secrets, folders as absolute paths; `deploy/ui.sh` evaluates them with --shell."""
    folders = load_folders(read_environment())
    variables = {"DAGSTER_HOME": folders.dagster_home, "REGIME_DATA_DIR": folders.data_dir}
    if args.shell:
        for name, folder in variables.items():
            print(f"export {name}={shlex.quote(str(folder))}")
        return 0
    found = load_settings()
    for notice in found.notices:
        print(f"warning: {notice}", file=sys.stderr)
    values = {"REGIME_PROFILE": found.profile, "REGIME_AS_OF": found.run_date, **variables}
    lines = [f"{name}={value}" for name, value in values.items()]
    print_rows(args, [{"name": name, "value": str(value)} for name, value in values.items()], lines)
    return 0
