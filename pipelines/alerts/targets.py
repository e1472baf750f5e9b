"""Whom to tell: the addresses of REGIME_ALERT_URLS, and sending a message to one of them.

Belongs here: reading the variable, Apprise, keeping secrets out of what is sent and said. Does not belong here: what is
told. An address holds a token: it is shown nowhere, only its scheme is.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.alerts.situation import Message
from pipelines.settings import ConfigurationError, Secret

VARIABLE = "REGIME_ALERT_URLS"
_KEYED = re.compile(r"(?i)\b(api_?key|token|password|secret)=[^&\s'\"]+")
_IN_ADDRESS = re.compile(r"(?<=://)[^/\s@]+@")


@dataclass(frozen=True)
class Target:
    """One address. `name` says which without saying what; `memory_key` finds what it was told."""

    address: Secret
    name: str
    memory_key: str


def targets(variables: Mapping[str, str]) -> list[Target]:
    """The addresses, separated by blanks; none when the variable is not set.

    Raises ConfigurationError for one that Apprise does not understand.
    """
    addresses = variables.get(VARIABLE, "").split()
    if not addresses:
        return []
    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it would say the address
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
    """Send one message; true when its target took it. Waits a few seconds at most, and never raises."""
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
    except Exception:  # a plugin's own fault must not end the run that tells of it; not sent means due again
        return False


def masked(text: str, secrets: Sequence[Secret]) -> str:
    """The text without the secrets, and without what looks like one."""
    for secret in secrets:
        text = text.replace(secret.reveal(), "***")
    return _IN_ADDRESS.sub("***@", _KEYED.sub(r"\1=***", text))
