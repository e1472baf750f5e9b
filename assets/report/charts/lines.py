"""Line charts over the years, one scale each: money against the real rate, and the small multiples.

Belongs here: their specification. Does not belong here: which lines, and what they say.
"""

from __future__ import annotations

from collections.abc import Sequence

from assets.report.charts.base import (
    Line,
    Size,
    Spec,
    line_layers,
    nice_ticks,
    rule_layer,
    specification,
    x_years,
    y_values,
    year,
)

FULL = (Size("wide", 832, 250, 12), Size("narrow", 296, 220, 11))
PANEL = (Size("wide", 390, 190, 12), Size("narrow", 296, 180, 11))


def lines_chart(
    lines: Sequence[Line], size: Size, limits: Sequence[float] = (), since: float | None = None
) -> Spec:
    """Lines, the zero line where it is inside, and dashed limits. `since` is the first year of the axis."""
    days = [day for line in lines for day, value in line.points if value is not None]
    found = [value for line in lines for _, value in line.points if value is not None] + list(limits)
    ticks = nice_ticks(min(found), max(found))
    first, last = since or year(min(days)), year(max(days))
    x = x_years(first, last, size, 10, (last - first) * 0.015)
    y = y_values((ticks[0], ticks[-1]), ticks)
    layers = [rule_layer(limit, y) for limit in limits]
    if ticks[0] < 0 < ticks[-1]:
        layers.append(rule_layer(0.0, y, "mid", ()))
    return specification([*layers, *line_layers(lines, x, y)], size)
