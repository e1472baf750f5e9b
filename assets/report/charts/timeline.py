"""The timeline: the score line, where easing met a bubble or a depression, and two lanes read by position.

Belongs here: its specification. Does not belong here: its caption and numbers in words.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assets.report.charts.base import (
    Line,
    Size,
    Spec,
    halo_layers,
    line_layers,
    rows_of,
    rule_layer,
    specification,
    text_layer,
    token,
    x_years,
    y_values,
    year,
)
from assets.report.words import number

_TOP, _BOTTOM = 1.13, -0.56
_HALF = 0.075  # height of a lane above, and below, its middle
_STATE_LANE, _STANCE_LANE = -0.19, -0.45
_SIZES = (Size("wide", 812, 330, 12), Size("narrow", 292, 350, 11))


@dataclass(frozen=True)
class Spell:
    """An unbroken run of a value: from its first date to the first date after it."""

    value: str
    first: dt.date
    end: dt.date


@dataclass(frozen=True)
class Timeline:
    """What the chart shows; dates with the words above them are purchases announced."""

    score: Line
    regimes: Sequence[Spell]
    states: Sequence[Spell]
    stances: Sequence[Spell]
    announcements: Sequence[tuple[dt.date, str]]
    enter_bubble: float
    enter_depression: float


def timeline(shown: Timeline, size: Size) -> Spec:
    """The specification in one width."""
    first = year(shown.score.points[0][0])
    last = year(shown.score.points[-1][0])
    room = (last - first) * (0.13 if size.is_narrow else 0.05)
    x = x_years(first, last, size, room=room)
    y = y_values((_BOTTOM, _TOP), [0, 0.2, 0.4, 0.6, 0.8, 1], ".1f")
    layers = [
        *(_shade(shown, name, color, x, y) for name, color in _SHADED),
        rule_layer(shown.enter_bubble, y, "hot"),
        rule_layer(shown.enter_depression, y, "cold"),
        *_announcements(shown, x, y, size),
        *line_layers([shown.score], x, y),
        *_newest(shown, x, y),
        *_lane(shown.states, _STATE_LANE, {"bubble": ("hot", 1), "depression": ("cold", -1)}, last, x, y),
        *_lane(
            shown.stances, _STANCE_LANE, {"stimulus": ("stim", 1), "tightening": ("tight", -1)}, last, x, y
        ),
        *_labels(shown, first, x, y, size),
    ]
    return specification(layers, size)


def sizes() -> tuple[Size, ...]:
    """The widths it is drawn in."""
    return _SIZES


# Easing into a bubble above, into a depression below the limit it begins at: read by place, not by colour.
_SHADED = (("stimulus_into_bubble", "hot"), ("stimulus_into_depression", "cold"))


def _shade(shown: Timeline, regime: str, color: str, x: Any, y: Any) -> Any:
    import altair as alt

    low, high = (shown.enter_bubble, 1.0) if color == "hot" else (0.0, shown.enter_depression)
    rows = [
        {"x": year(spell.first), "x2": year(spell.end), "y": low, "y2": high}
        for spell in shown.regimes
        if spell.value == regime
    ]
    shade = alt.Chart(rows_of(rows)).mark_rect(color=token(color), opacity=0.25)
    return shade.encode(x=x, x2="x2:Q", y=y, y2="y2:Q")


def _announcements(shown: Timeline, x: Any, y: Any, size: Size) -> list[Any]:
    """A line at each, its name above; names that would touch are raised by a step."""
    import altair as alt

    lines = [{"x": year(day), "y": 0.0, "y2": 1.0} for day, _ in shown.announcements]
    rule = alt.Chart(rows_of(lines)).mark_rule(color=token("ink"), strokeWidth=1, opacity=0.55)
    drawn = [rule.encode(x=x, y=y, y2="y2:Q")]
    apart = 4.4 if size.is_narrow else 1.6
    heights: list[tuple[float, float]] = []
    rows = []
    for day, name in shown.announcements:
        at = year(day)
        raised = 1.09 if heights and at - heights[-1][0] < apart and heights[-1][1] < 1.05 else 1.03
        heights.append((at, raised))
        rows.append({"x": at, "y": raised, "text": name})
    return [*drawn, text_layer(rows, x, y, "ink", fontWeight="bold", baseline="middle")]


def _newest(shown: Timeline, x: Any, y: Any) -> list[Any]:
    if shown.score.last is None:
        return []
    day, value = shown.score.last
    row = {"x": year(day), "y": value, "text": number(value)}
    return [text_layer([row], x, y, "ink", align="left", dx=6, fontWeight="bold")]


def _lane(
    spells: Sequence[Spell], middle: float, drawn: dict[str, tuple[str, int]], last: float, x: Any, y: Any
) -> list[Any]:
    """A thin line in the middle; above or below it a block, by state."""
    import altair as alt

    first = year(spells[0].first)
    line = alt.Chart(rows_of([{"x": first, "x2": last, "y": middle}])).mark_rule(
        color=token("mid"), strokeWidth=1
    )
    layers = [line.encode(x=x, x2="x2:Q", y=y)]
    for value, (color, side) in drawn.items():
        rows = [
            {"x": year(spell.first), "x2": year(spell.end), "y": middle, "y2": middle + side * _HALF}
            for spell in spells
            if spell.value == value
        ]
        block = alt.Chart(rows_of(rows)).mark_rect(color=token(color))
        layers.append(block.encode(x=x, x2="x2:Q", y=y, y2="y2:Q"))
    return layers


def _labels(shown: Timeline, first: float, x: Any, y: Any, size: Size) -> list[Any]:
    lanes = [
        {"x": first, "y": _STATE_LANE + _HALF + 0.03, "text": "Conditions: bubble up, depression down"},
        {"x": first, "y": _STANCE_LANE + _HALF + 0.03, "text": "The Fed: stimulus up, tightening down"},
    ]
    style: dict[str, Any] = {"align": "left", "baseline": "bottom"}
    wide = (year(shown.score.points[-1][0]) - first) * 0.14  # years a label takes
    limits = (
        (shown.enter_bubble, 0.045, f"bubble from {shown.enter_bubble:.2f}", "hot-text"),
        (shown.enter_depression, -0.045, f"depression to {shown.enter_depression:.2f}", "cold-text"),
    )
    placed = [
        ({"x": start, "y": at + off, "text": text}, color)
        for at, off, text, color in limits
        if (start := _clear(shown, at + off, wide)) is not None
    ]
    return [
        text_layer(lanes, x, y, "soft", **style),
        *(
            layer
            for row, color in placed
            if not size.is_narrow
            for layer in halo_layers([row], x, y, color, align="left", baseline="middle")
        ),
    ]


def _clear(shown: Timeline, height: float, wide: float) -> float | None:
    """Where a label of that many years at that height is farthest from the score; upright lines cost a little.

    None where it would touch the score anywhere: the caption names the limits too.
    """
    known = [(year(day), value) for day, value in shown.score.points if value is not None]
    uprights = [year(day) for day, _ in shown.announcements]

    def room(start: float) -> float:
        crossed = sum(start - 0.2 <= at <= start + wide for at in uprights)
        free = min(
            abs(value - height) for at, value in known if start - wide / 8 <= at <= start + wide * 9 / 8
        )
        return min(free, 0.25) - 0.04 * crossed

    best = max((at for at, _ in known if at + wide < known[-1][0]), key=room, default=None)
    return best if best is not None and room(best) > 0.04 else None
