"""Moves of a what-if as they are written, and the typed shape of `what_if.toml`: groups, followers, scenarios."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from assets.catalog.method import Section

Change = Literal["level", "points", "percent"]
_WRITTEN = re.compile(
    r"(?:\w+\.)?(?P<name>\w+)=(?P<number>[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)(?P<unit>pp|bp|%)?", re.I
)


class MoveError(ValueError):
    """A move that cannot be made: one line with the way out."""


@dataclass(frozen=True)
class Move:
    """One name and what is done to it: a level in its own unit, or a change in points or in percent."""

    name: str
    change: Change
    amount: float
    text: str


def parse_move(text: str) -> Move:
    """`UNRATE=5.0`, `spreads=+2pp`, `DGS10=-50bp`, `equities=-20%`. Raises MoveError."""
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        raise MoveError(
            f"{text!r} is not a move: write NAME=VALUE, as in UNRATE=5.0, spreads=+2pp, equities=-20%"
        )
    amount, unit = float(found["number"]), (found["unit"] or "").lower()
    if not math.isfinite(amount):
        raise MoveError(f"{text!r}: the number is too large")
    if unit and found["number"][0] not in "+-":
        raise MoveError(f"{text!r}: a change needs its sign (+ or -); a level is written without a unit")
    if not unit and found["number"][0] == "+":
        raise MoveError(f"{text!r}: write the unit of a change, as in +0.5pp or +5%; a level has no sign")
    change: Change = "level" if not unit else "percent" if unit == "%" else "points"
    return Move(found["name"], change, amount / 100.0 if unit == "bp" else amount, text.strip())


def _written(text: str) -> str:
    parse_move(text)
    return text


class Scenario(Section):
    """Moves computed in every run."""

    title: Annotated[str, Field(min_length=11)]
    moves: Annotated[tuple[Annotated[str, AfterValidator(_written)], ...], Field(min_length=1)]


class WhatIf(Section):
    """Series that move alike by the name of their group, followers by the series they follow (points per point).

    `spread_over`: members of a group that are yields, by the yield that their spread is taken over.
    """

    groups: Mapping[str, Annotated[tuple[str, ...], Field(min_length=1)]]
    follows: Mapping[str, Mapping[str, float]]
    spread_over: Mapping[str, str]
    scenarios: Mapping[str, Scenario]
