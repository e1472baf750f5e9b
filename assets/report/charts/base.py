"""What all charts share: two widths, the house's look, dates as plain numbers, lines with a dot at their end.

Belongs here: building blocks of Altair specifications. Does not belong here: what a chart shows, and rendering.
Altair is imported inside functions: it takes a third of a second, and most commands never draw.
Time is a plain number of years: dates would be drawn in the machine's own time zone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assets.report.reading import Points

Spec = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """One of the two drawings of a chart; the page shows the one that fits. Pixels."""

    name: str
    width: int
    height: int
    font: int

    @property
    def is_narrow(self) -> bool:
        return self.name == "narrow"


@dataclass(frozen=True)
class Line:
    """A line: its name, colour token, dash pattern, and its points; a missing value is a gap."""

    name: str
    color: str
    points: Points
    unit: str
    dash: tuple[int, ...] = ()
    decimals: int = 2

    @property
    def last(self) -> tuple[dt.date, float] | None:
        """Newest point with a figure."""
        return next(((day, value) for day, value in reversed(self.points) if value is not None), None)


class _Held:
    """Rows of a layer until the specification is made: Altair copies what it can look into, many times over."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows


def token(name: str) -> str:
    """A colour that the page's theme decides."""
    return f"var(--{name})"


def year(day: dt.date) -> float:
    """A date as a number of years."""
    return round(day.year + (day.timetuple().tm_yday - 1) / 366, 3)


def values(points: Points) -> Any:
    """Points as inline data of a layer."""
    import altair as alt

    return alt.Data(values=_Held([{"x": year(day), "y": value} for day, value in points]))


def rows_of(rows: Sequence[dict[str, Any]]) -> Any:
    """Rows as inline data of a layer."""
    import altair as alt

    return alt.Data(values=_Held(list(rows)))


def x_years(first: float, last: float, size: Size, step: int | None = None, room: float = 0.0) -> Any:
    """The axis of years, with `room` of them to the right of the data; a tick every five or ten."""
    import altair as alt

    # ten or five years apart; a record of a few years has a tick for each
    every = 1 if last - first < 8 else step or (10 if size.is_narrow else 5)
    ticks = [tick for tick in range(1950, 2101, every) if first <= tick <= last]
    return alt.X(
        "x:Q",
        scale=alt.Scale(domain=[first, last + room], nice=False, zero=False),
        axis=alt.Axis(values=ticks, format="d", title=None, grid=False),
    )


def y_values(domain: Sequence[float], ticks: Sequence[float], form: str | None = None) -> Any:
    """The axis of values, with a grid; ticks without a fraction are written without one."""
    import altair as alt

    form = form or (",.0f" if all(float(tick).is_integer() for tick in ticks) else ",.1f")
    return alt.Y(
        "y:Q",
        scale=alt.Scale(domain=list(domain), nice=False, zero=False),
        axis=alt.Axis(values=list(ticks), format=form, title=None),
    )


def line_layers(lines: Sequence[Line], x: Any, y: Any) -> list[Any]:
    """Every line, with a dot at its newest figure."""
    import altair as alt

    layers = []
    for line in lines:
        style: dict[str, Any] = {"strokeDash": list(line.dash)} if line.dash else {}
        drawn = alt.Chart(values(line.points)).mark_line(
            color=token(line.color), strokeWidth=1.6, strokeJoin="round", **style
        )
        layers.append(drawn.encode(x=x, y=y))
        if line.last:
            dot = alt.Chart(values([line.last])).mark_point(
                color=token(line.color), filled=True, size=26, opacity=1
            )
            layers.append(dot.encode(x=x, y=y))
    return layers


def rule_layer(at: float, y: Any, color: str = "soft", dash: Sequence[int] = (3, 3)) -> Any:
    """A horizontal line at a value."""
    import altair as alt

    style: dict[str, Any] = {"strokeDash": list(dash)} if dash else {}
    return alt.Chart(rows_of([{"y": at}])).mark_rule(color=token(color), strokeWidth=1, **style).encode(y=y)


def text_layer(rows: Sequence[dict[str, Any]], x: Any, y: Any, color: str, **style: Any) -> Any:
    """Words at places of the chart."""
    import altair as alt

    marked = alt.Chart(rows_of(rows)).mark_text(color=token(color), **style)
    return marked.encode(x=x, y=y, text=alt.Text("text:N"))


def halo_layers(rows: Sequence[dict[str, Any]], x: Any, y: Any, color: str, **style: Any) -> list[Any]:
    """Words that cross a line: the page's background around them first."""
    around = {**style, "stroke": token("bg"), "strokeWidth": 4, "strokeJoin": "round"}
    return [text_layer(rows, x, y, "bg", **around), text_layer(rows, x, y, color, **style)]


def specification(layers: Sequence[Any], size: Size) -> Spec:
    """The layers as one Vega-Lite specification in the house's look."""
    import altair as alt

    axis = {
        "labelColor": token("soft"),
        "labelFontSize": size.font,
        "gridColor": token("line"),
        "domain": False,
        "ticks": False,
        "labelPadding": 6,
    }
    values_axis = {"minExtent": 30, "maxExtent": 30}  # so that the years of charts below each other agree
    years = {
        "domain": True,
        "domainColor": token("mid"),
        "ticks": True,
        "tickColor": token("mid"),
        "tickSize": 4,
    }
    look = {
        "background": "transparent",
        "aria": False,
        "view": {"stroke": None},
        "text": {"fontSize": size.font},
        "axis": axis,
        "axisX": years,
        "axisY": values_axis,
    }
    chart = alt.LayerChart(layer=list(layers), width=size.width, height=size.height, padding=2, config=look)
    # checking against the schema takes most of the time: tests do it
    made: Spec = chart.to_dict(validate=False)
    for layer in made["layer"]:
        layer["data"] = {"values": layer["data"]["values"].rows}
    return made


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round values that span low to high, about `count` of them."""
    span = (high - low) or 1.0
    rough = span / count
    power = 10.0 ** len(str(int(rough))) / 10 if rough >= 1 else 10.0 ** -len(str(int(1 / rough)))
    step = next(power * n for n in (1, 2, 2.5, 5, 10, 20) if power * n >= rough)
    first = int(low // step)
    ticks = [round(n * step, 6) for n in range(first, first + 40)]
    stop = next(n for n, tick in enumerate(ticks) if tick >= high)
    return ticks[: stop + 1]
