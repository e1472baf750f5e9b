"""One review: look, see what is due to whom, send it, remember it. Called by whoever is awake.

Belongs here: the order of work. Does not belong here: each step. Three processes call it: a run from the command line
at its end, the scheduler's sensor every few minutes, and the watcher outside of both. They share one memory, so that
nothing is told twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from pipelines.alerts.memory import Busy, remembered
from pipelines.alerts.situation import Change, Message, Situation, due, silently
from pipelines.alerts.targets import Target, send, targets
from pipelines.settings import Secret, Settings, read_environment

if TYPE_CHECKING:
    import dagster as dg


class Told(NamedTuple):
    """One line about a message or about the alerts themselves; `is_unsent`: a target did not take its message."""

    line: str
    is_unsent: bool = False


def review(
    settings: Settings, instance: dg.DagsterInstance, *, now: dt.datetime | None = None, outside: bool = False
) -> list[Told]:
    """Send everybody what is due to them; an entry per message, sent or not. `outside`: also check the scheduler.

    Nothing is looked at while nobody is to be told. Raises ConfigurationError for an address not understood.
    """
    told_to = targets(read_environment())
    if not told_to:
        return []
    from pipelines.alerts.look import daemon_outage, situation_of

    moment = now or dt.datetime.now(dt.UTC)
    situation = situation_of(settings, instance, moment)
    if outside:
        outages = (*situation.outages, *daemon_outage(instance, moment))
        situation = replace(situation, looked_at=situation.looked_at | {"daemon"}, outages=outages)
    return tell(situation, told_to, settings, moment)


def tell(situation: Situation, told_to: Sequence[Target], settings: Settings, now: dt.datetime) -> list[Told]:
    """Send to each target what is due to it, and remember what it took."""
    secrets = [settings.fred_api_key] if settings.fred_api_key else []
    lines: list[Told] = []
    try:
        with remembered(settings.data_dir) as memory:
            for target in told_to:
                told = memory.setdefault(target.memory_key, {})
                for message in due(situation, told, now):
                    lines.append(_sent(target, message, told, secrets))
                for change in silently(situation, told):
                    change.apply(told)
    except Busy:
        lines.append(Told("alerts: another process is telling"))
    except OSError as error:
        lines.append(Told(f"alerts: the memory of {settings.data_dir} cannot be kept: {error.strerror}"))
    return lines


def trial_message(now: dt.datetime) -> Message:
    """What is sent to see whether a target is reached."""
    body = f"Sent on request at {now:%Y-%m-%d %H:%M} UTC: alerts reach this place."
    return Message("Test", body, "info", Change(("tested",), now.isoformat()))


def _sent(target: Target, message: Message, told: dict[str, object], secrets: Sequence[Secret]) -> Told:
    if send(target, message, secrets):
        message.remember.apply(told)
        return Told(f"alerts: told {target.name}: {message.title}")
    line = f"alerts: {target.name} could not be reached, will be tried again: {message.title}"
    return Told(line, is_unsent=True)
