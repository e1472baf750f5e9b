"""What there is to tell, as plain data, and which of it is due to somebody who was told this and that before.

Belongs here: situations, messages, and the rule when a message is due. Does not belong here: looking at runs and files
(`look.py`), remembering (`memory.py`), sending (`targets.py`). Pure: the time is passed in.

An outage is told once for every cause, then at most once a day while it lasts, and its end is told once, only to those
who were told of it. A message that could not be sent is not counted as told, and so is due again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["failure", "warning", "success", "info"]
_DAY = dt.timedelta(days=1)
REMIND_AFTER = {"inputs": 7 * _DAY}  # a publisher may stop for good; everything else is asked after daily


@dataclass(frozen=True)
class Outage:
    """Something wrong that lasts. `cause` tells one outage of a topic from another and holds no figure that moves."""

    topic: str
    cause: str
    title: str
    body: str
    kind: Kind = "failure"


@dataclass(frozen=True)
class Verdict:
    """What the published file says now: its profile, the newest row's label and numbers, and the reasons in lines."""

    profile: str
    regime: str
    facts: Mapping[str, Any]  # as_of_date, stance, condition_state, scores: as they read in a message
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Situation:
    """All there is to tell. A topic in `looked_at` without an outage is in order; one that is in neither is unknown."""

    looked_at: frozenset[str]
    outages: tuple[Outage, ...] = ()
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Message:
    """One thing to send; `remember` is what is written down about its target once it is sent."""

    title: str
    body: str
    kind: Kind
    remember: Change


@dataclass(frozen=True)
class Change:
    """What changes in a target's memory: a value put at `keys`, or the entry there forgotten."""

    keys: tuple[str, ...]
    value: Any = None
    forget: bool = field(default=False)

    def apply(self, told: dict[str, Any]) -> None:
        """Write it into the memory of a target."""
        place = told
        for key in self.keys[:-1]:
            place = place.setdefault(key, {})
        if self.forget:
            place.pop(self.keys[-1], None)
        else:
            place[self.keys[-1]] = self.value


def due(situation: Situation, told: Mapping[str, Any], now: dt.datetime) -> list[Message]:
    """Messages due to a target that was told `told`; `now` is UTC."""
    return [*_outages(situation, told, now), *_ends(situation, told), *_verdict(situation, told)]


def silently(situation: Situation, told: Mapping[str, Any]) -> list[Change]:
    """What is only written down: the label a target has not been told yet, and its newest numbers."""
    verdict = situation.verdict
    if verdict is None:
        return []
    known = told.get("verdicts", {}).get(verdict.profile)
    if known is not None and known["regime"] != verdict.regime:
        return []
    return [_kept(verdict)]


def _outages(situation: Situation, told: Mapping[str, Any], now: dt.datetime) -> Iterator[Message]:
    for outage in situation.outages:
        before = told.get("outages", {}).get(outage.topic, {}).get(outage.cause)
        wait = REMIND_AFTER.get(outage.topic, _DAY)
        if before is not None and now - dt.datetime.fromisoformat(before) < wait:
            continue
        again = "" if before is None else "Still so: "
        change = Change(("outages", outage.topic, outage.cause), now.isoformat())
        yield Message(f"{again}{outage.title}", outage.body, outage.kind, change)


def _ends(situation: Situation, told: Mapping[str, Any]) -> Iterator[Message]:
    lasting = {outage.topic for outage in situation.outages}
    for topic in told.get("outages", {}):
        if topic in situation.looked_at and topic not in lasting:
            change = Change(("outages", topic), forget=True)
            yield Message(f"In order again: {TOPICS.get(topic, topic)}", "", "success", change)


TOPICS = {
    "run": "the nightly run publishes",
    "inputs": "every input is recent enough",
    "overdue": "the nightly run was there on time",
    "stuck": "no run hangs",
    "daemon": "the scheduler is running",
}


def _verdict(situation: Situation, told: Mapping[str, Any]) -> Iterator[Message]:
    verdict = situation.verdict
    known = None if verdict is None else told.get("verdicts", {}).get(verdict.profile)
    if verdict is None or known is None or known["regime"] == verdict.regime:
        return
    moved = [
        f"{name}: {known['facts'].get(name, 'unknown')} -> {value}"
        for name, value in verdict.facts.items()
        if known["facts"].get(name) != value
    ]
    body = "\n".join([*moved, "", *verdict.lines])
    yield Message(f"Regime change: {known['regime']} -> {verdict.regime}", body, "info", _kept(verdict))


def _kept(verdict: Verdict) -> Change:
    return Change(("verdicts", verdict.profile), {"regime": verdict.regime, "facts": dict(verdict.facts)})
