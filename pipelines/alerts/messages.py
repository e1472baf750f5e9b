"""Problems as plain data, and which messages about them are due to a target. Pure: the time is passed in.

A problem is reported once for every cause, then at most once a day while it lasts, and its end once, to the targets
that received a report. A message that could not be sent is due again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["failure", "warning", "success", "info"]
_DAY = dt.timedelta(days=1)
_REMIND_AFTER = {"inputs": 7 * _DAY}  # a publisher may stop for good; every other problem is repeated daily
_TOPICS = {
    "run": "the nightly run publishes",
    "inputs": "every input is recent enough",
    "overdue": "the nightly run was on time",
    "stuck": "no run hangs",
    "daemon": "the scheduler is running",
}


@dataclass(frozen=True)
class Problem:
    """A problem that lasts. `cause` identifies it within its topic and contains no figure that changes."""

    topic: str
    cause: str
    title: str
    body: str
    kind: Kind = "failure"


@dataclass(frozen=True)
class Label:
    """The newest row of the published file: profile, label, numbers, and the reasons as lines."""

    profile: str
    regime: str
    facts: Mapping[str, Any]  # as_of_date, stance, condition_state, scores: as they read in a message
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Situation:
    """Everything to report. A topic in `checked` without a problem is in order; one that is not there is unknown."""

    checked: frozenset[str]
    problems: tuple[Problem, ...] = ()
    label: Label | None = None


@dataclass(frozen=True)
class Message:
    """A message; `remember` is stored about its target once it is sent."""

    title: str
    body: str
    kind: Kind
    remember: Change


@dataclass(frozen=True)
class Change:
    """A change of a target's memory: the value at `keys`; None removes the entry."""

    keys: tuple[str, ...]
    value: Any = None

    def apply(self, memory: dict[str, Any]) -> None:
        """Write it into the memory of a target."""
        for key in self.keys[:-1]:
            memory = memory.setdefault(key, {})
        if self.value is None:
            memory.pop(self.keys[-1], None)
        else:
            memory[self.keys[-1]] = self.value


def due(situation: Situation, memory: Mapping[str, Any], now: dt.datetime) -> list[Message]:
    """Messages due to a target with this memory; `now` is UTC."""
    return [*_problems(situation, memory, now), *_ends(situation, memory), *_label_change(situation, memory)]


def silent_changes(situation: Situation, memory: Mapping[str, Any]) -> list[Change]:
    """What is stored without a message: the first label of a profile, and the newest numbers of an unchanged one."""
    label = situation.label
    if label is None:
        return []
    known = memory.get("verdicts", {}).get(label.profile)
    return [_stored(label)] if known is None or known["regime"] == label.regime else []


def _problems(situation: Situation, memory: Mapping[str, Any], now: dt.datetime) -> Iterator[Message]:
    for problem in situation.problems:
        before = memory.get("outages", {}).get(problem.topic, {}).get(problem.cause)
        wait = _REMIND_AFTER.get(problem.topic, _DAY)
        if before is not None and now - dt.datetime.fromisoformat(before) < wait:
            continue
        title = problem.title if before is None else f"Continues: {problem.title}"
        change = Change(("outages", problem.topic, problem.cause), now.isoformat())
        yield Message(title, problem.body, problem.kind, change)


def _ends(situation: Situation, memory: Mapping[str, Any]) -> Iterator[Message]:
    lasting = {problem.topic for problem in situation.problems}
    for topic in memory.get("outages", {}):
        if topic in situation.checked and topic not in lasting:
            yield Message(f"Solved: {_TOPICS.get(topic, topic)}", "", "success", Change(("outages", topic)))


def _label_change(situation: Situation, memory: Mapping[str, Any]) -> Iterator[Message]:
    label = situation.label
    known = None if label is None else memory.get("verdicts", {}).get(label.profile)
    if label is None or known is None or known["regime"] == label.regime:
        return
    changed = [
        f"{name}: {known['facts'].get(name, 'unknown')} -> {value}"
        for name, value in label.facts.items()
        if known["facts"].get(name) != value
    ]
    body = "\n".join([*changed, "", *label.lines])
    yield Message(f"Regime change: {known['regime']} -> {label.regime}", body, "info", _stored(label))


def _stored(label: Label) -> Change:
    return Change(("verdicts", label.profile), {"regime": label.regime, "facts": dict(label.facts)})
