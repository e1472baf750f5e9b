"""Sending the alerts due: the addresses of REGIME_ALERT_URLS, and a memory of what each received.

Three processes call `review`: a run from the command line at its end, the scheduler's sensor every few minutes, and
`watch` outside both. They share one memory, a file of the data directory, so that nothing is sent twice.

An address contains a token: only its scheme is ever shown.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
from filelock import FileLock, Timeout

from pipelines.problems import Change, Message, Situation, due, silent_changes, silent_scheduler, situation_of
from pipelines.settings import ConfigurationError, Secret, Settings, read_environment

VARIABLE = "REGIME_ALERT_URLS"
Memory = dict[str, dict[str, Any]]
_WAIT_SECONDS = 30.0
_POLL_SECONDS = 0.2
_KEYED = re.compile(r"(?i)\b(api_?key|token|password|secret)=[^&\s'\"]+")
_IN_ADDRESS = re.compile(r"(?<=://)[^/\s@]+@")


class Sent(NamedTuple):
    """One line about a message, or about the alerts themselves; `is_unsent`: a target did not accept its message."""

    line: str
    is_unsent: bool = False


@dataclass(frozen=True)
class Target:
    """One address. `name` identifies it without showing it; `memory_key` finds its memory."""

    address: Secret
    name: str
    memory_key: str


def review(
    settings: Settings, instance: dg.DagsterInstance, *, now: dt.datetime | None = None, outside: bool = False
) -> list[Sent]:
    """Send every target the messages due to it; an entry per message. `outside`: also check the scheduler.

    Without an address nothing is examined. Raises ConfigurationError for an invalid address.
    """
    addresses = targets(read_environment())
    if not addresses:
        return []
    moment = now or dt.datetime.now(dt.UTC)
    situation = situation_of(settings, instance, moment)
    if outside:
        problems = (*situation.problems, *silent_scheduler(instance, moment))
        situation = replace(situation, checked=situation.checked | {"daemon"}, problems=problems)
    return _deliver(situation, addresses, settings, moment)


def _deliver(
    situation: Situation, addresses: Sequence[Target], settings: Settings, now: dt.datetime
) -> list[Sent]:
    secrets = [settings.fred_api_key] if settings.fred_api_key else []
    lines: list[Sent] = []
    try:
        with remembered(settings.data_dir) as memory:
            for target in addresses:
                known = memory.setdefault(target.memory_key, {})
                for message in due(situation, known, now):
                    if send(target, message, secrets):
                        message.remember.apply(known)
                        lines.append(Sent(f"alerts: sent to {target.name}: {message.title}"))
                    else:
                        line = f"alerts: {target.name} could not be reached, will be tried again: {message.title}"
                        lines.append(Sent(line, is_unsent=True))
                for change in silent_changes(situation, known):
                    change.apply(known)
    except Timeout:
        lines.append(Sent("alerts: another process is sending them"))
    except OSError as error:
        lines.append(Sent(f"alerts: their memory in {settings.data_dir} cannot be written: {error.strerror}"))
    return lines


def trial_message(now: dt.datetime) -> Message:
    """The message of `watch --test`."""
    body = f"Sent on request at {now:%Y-%m-%d %H:%M} UTC: alerts reach this address."
    return Message("Test", body, "info", Change(("tested",), now.isoformat()))


def targets(variables: Mapping[str, str]) -> list[Target]:
    """The addresses, separated by blanks; none when the variable is not set.

    Raises ConfigurationError for one that Apprise does not understand.
    """
    addresses = variables.get(VARIABLE, "").split()
    if not addresses:
        return []
    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it would log the address
    found = []
    for n, address in enumerate(dict.fromkeys(addresses), start=1):
        scheme = address.split("://")[0] if "://" in address else "?"
        if not isinstance(apprise.Apprise.instantiate(address), apprise.NotifyBase):
            raise ConfigurationError(
                f"{VARIABLE}: address {n} ({scheme}://...) is not understood: write it as Apprise does, "
                "for example mailtos://user:password@example.org, and separate addresses by blanks"
            )
        digest = hashlib.sha256(address.encode()).hexdigest()[:16]
        found.append(Target(Secret(address), f"target {n} ({scheme})", digest))
    return found


def send(target: Target, message: Message, secrets: Sequence[Secret] = ()) -> bool:
    """Send one message; true when the target accepted it. Waits a few seconds at most, and never raises."""
    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    sender = apprise.Apprise()
    sender.add(target.address.reveal())
    hidden = [*secrets, target.address]
    try:
        return bool(
            sender.notify(
                title=f"stimulus-regime: {masked(message.title, hidden)}",
                body=masked(message.body, hidden) or message.title,
                notify_type=apprise.NotifyType(message.kind),
                body_format=apprise.NotifyFormat.TEXT,
            )
        )
    except Exception:  # a plugin's own fault must not end the run; the message stays due
        return False


def masked(text: str, secrets: Sequence[Secret]) -> str:
    """The text without the secrets, and without what looks like one."""
    for secret in secrets:
        text = text.replace(secret.reveal(), "***")
    return _IN_ADDRESS.sub("***@", _KEYED.sub(r"\1=***", text))


@contextmanager
def remembered(data_dir: Path) -> Iterator[Memory]:
    """The memory by target, locked while the block lasts, and written at its end, whatever happens in it.

    Raises Timeout when another process has the lock for half a minute, OSError when the directory cannot be written.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(data_dir / "alerts.lock", thread_local=False, fallback_to_soft=False)
    with lock.acquire(timeout=_WAIT_SECONDS, poll_interval=_POLL_SECONDS):
        path = data_dir / "alerts.json"
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # missing or damaged: at worst a message is sent once more
            found = {}
        memory: Memory = found if isinstance(found, dict) else {}
        try:
            yield memory
        finally:
            staged = path.with_name(f".{path.name}.tmp")
            staged.write_text(json.dumps(memory, indent=1, sort_keys=True), encoding="utf-8")
            os.replace(staged, path)
