"""`watch`: one look at runs, scheduler and figures from outside, and alerts about what is wrong.

Belongs here: the command. Does not belong here: what is told, and when (`pipelines/alerts`). Run it from a timer
(deploy/systemd): the scheduler cannot report its own silence.
"""

from __future__ import annotations

import argparse
import datetime as dt

from pipelines.settings import ConfigurationError, load_settings, read_environment


def main(args: argparse.Namespace) -> int:
    """Print what was told; 1 when something could not be."""
    from pipelines.alerts.targets import VARIABLE, targets

    settings = load_settings()
    found = targets(read_environment())
    if not found:
        raise ConfigurationError(f"{VARIABLE} is not set: there is nobody to tell (.env.example shows how)")
    if args.test:
        return _test()
    from pipelines.alerts.review import review
    from pipelines.instance import open_instance

    with open_instance(settings.dagster_home) as instance:
        told = review(settings, instance, outside=True)
    print(
        "\n".join(one.line for one in told)
        or f"nothing to tell {len(found)} {'target' if len(found) == 1 else 'targets'}"
    )
    return 1 if any(one.is_unsent for one in told) else 0


def _test() -> int:
    """Reach every target once, whatever there is to tell."""
    from pipelines.alerts.review import trial_message
    from pipelines.alerts.targets import send, targets

    failed = 0
    for target in targets(read_environment()):
        reached = send(target, trial_message(dt.datetime.now(dt.UTC)))
        print(f"{target.name}: {'told' if reached else 'could not be reached: check its address'}")
        failed += not reached
    return 1 if failed else 0
