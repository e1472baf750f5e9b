"""The report's charts as Vega-Lite specifications; `svg.py` draws them.

Time is a plain number of years, since dates would be drawn in the machine's time zone. Colours stay `var(--token)`, so
that one picture serves light, dark and print.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from assets.report.published import Points, Row
from assets.report.words import MINUS, THIN, number

Spec = dict[str, Any]
Axes = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """A drawing of a chart, in pixels; of two, the page shows the one that fits, "both" fits everywhere."""

    name: str
    width: int
    height: int
    font: int

    @property
    def is_narrow(self) -> bool:
        return self.name == "narrow"


FULL = (Size("wide", 832, 250, 12), Size("narrow", 296, 220, 11))
PANEL = (Size("both", 370, 190, 12),)
TIMELINE = (Size("wide", 812, 330, 12), Size("narrow", 292, 350, 11))
GOLD = (Size("wide", 820, 250, 12), Size("narrow", 290, 250, 11))


@dataclass(frozen=True)
class Line:
    """A line: its name, colour token, points (a missing value is a gap), unit, dash pattern and decimals."""

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


def year(day: dt.date) -> float:
    """A date as a number of years."""
    return round(day.year + (day.timetuple().tm_yday - 1) / 366, 3)


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round values that span low to high, about `count` of them."""
    rough = ((high - low) or 1.0) / count
    power = 10.0 ** len(str(int(rough))) / 10 if rough >= 1 else 10.0 ** -len(str(int(1 / rough)))
    step = next(power * n for n in (1, 2, 2.5, 5, 10, 20) if power * n >= rough)
    first = int(low // step)
    ticks = [round(n * step, 6) for n in range(first, first + 40)]
    stop = next(n for n, tick in enumerate(ticks) if tick >= high)
    return ticks[: stop + 1]


# ---- parts of a specification


def _layer(mark: str, rows: Iterable[Row], encoding: Axes, color: str, **style: Any) -> Spec:
    """A layer; its rows have x and y, and x2, y2 or text where the encoding names them."""
    return {
        "data": {"values": list(rows)},
        "mark": {"type": mark, "color": _token(color), **style},
        "encoding": encoding,
    }


def _token(name: str) -> str:
    return f"var(--{name})"


def _to(*names: str) -> Axes:
    """The far ends of bars and rules."""
    return {name: {"field": name} for name in names}


def _x_years(first: float, last: float, size: Size, step: int | None = None, room: float = 0.0) -> Axes:
    """The axis of years, with `room` of them to the right of the data."""
    # a tick every ten or five years; every year in a short record
    every = 1 if last - first < 12 else step or (10 if size.is_narrow else 5)
    ticks = [tick for tick in range(1950, 2101, every) if first <= tick <= last]
    return {
        "field": "x",
        "type": "quantitative",
        "scale": {"domain": [first, last + room], "nice": False, "zero": False},
        "axis": {"values": ticks, "format": "d", "title": None, "grid": False},
    }


def _y_values(low: float, high: float, ticks: Sequence[float], form: str | None = None) -> Axes:
    """The axis of values, with a grid; ticks without a fraction are written without one."""
    form = form or (",.0f" if all(float(tick).is_integer() for tick in ticks) else ",.1f")
    return {
        "field": "y",
        "type": "quantitative",
        "scale": {"domain": [low, high], "nice": False, "zero": False},
        "axis": {"values": list(ticks), "format": form, "title": None},
    }


def _line_layers(lines: Sequence[Line], axes: Axes) -> list[Spec]:
    """Every line, with a dot at its newest figure."""
    layers = []
    for line in lines:
        dash = {"strokeDash": list(line.dash)} if line.dash else {}
        rows = [{"x": year(day), "y": value} for day, value in line.points]
        layers.append(_layer("line", rows, axes, line.color, strokeWidth=1.6, strokeJoin="round", **dash))
        if line.last:
            dot = {"x": year(line.last[0]), "y": line.last[1]}
            layers.append(_layer("point", [dot], axes, line.color, filled=True, size=26, opacity=1))
    return layers


def areas(
    spans: Iterable[tuple[float, float]], low: float, high: float, axes: Axes, color: str, **style: Any
) -> Spec:
    """Rectangles from one year to another, all as high."""
    rows = [{"x": first, "x2": last, "y": low, "y2": high} for first, last in spans]
    return _layer("rect", rows, {**axes, **_to("x2", "y2")}, color, **style)


def _rule(at: float, y: Axes, color: str = "soft", dash: Sequence[int] = (3, 3)) -> Spec:
    """A horizontal line at a value."""
    style = {"strokeDash": list(dash)} if dash else {}
    return _layer("rule", [{"y": at}], {"y": y}, color, strokeWidth=1, **style)


def _text(rows: Iterable[Row], axes: Axes, color: str, **style: Any) -> Spec:
    return _layer("text", rows, {**axes, "text": {"field": "text", "type": "nominal"}}, color, **style)


def _specification(layers: Sequence[Spec], size: Size) -> Spec:
    """The layers as one specification in the look of the page."""
    return {
        "width": size.width,
        "height": size.height,
        "padding": 2,
        "layer": list(layers),
        "config": {
            "background": "transparent",
            "aria": False,
            "view": {"stroke": None},
            "text": {"fontSize": size.font},
            "axis": {
                "labelColor": _token("soft"),
                "labelFontSize": size.font,
                "gridColor": _token("line"),
                "domain": False,
                "ticks": False,
                "labelPadding": 6,
            },
            "axisX": {
                "domain": True,
                "domainColor": _token("mid"),
                "ticks": True,
                "tickColor": _token("mid"),
                "tickSize": 4,
            },
            "axisY": {"minExtent": 30, "maxExtent": 30},  # aligns the years of charts below each other
        },
    }


# ---- line charts


def lines_chart(
    lines: Sequence[Line],
    size: Size,
    limits: Sequence[float] = (),
    since: float | None = None,
    bands: Sequence[tuple[float | None, float | None, str]] = (),
) -> Spec:
    """Lines, the zero line where it is inside, dashed limits, and bands (from, to, colour; None: the axis' end).

    `since` is the first year of the axis.
    """
    days = [day for line in lines for day, value in line.points if value is not None]
    found = [value for line in lines for _, value in line.points if value is not None] + list(limits)
    ticks = nice_ticks(min(found), max(found))
    first, last = since or year(min(days)), year(max(days))
    axes = {
        "x": _x_years(first, last, size, 10, (last - first) * 0.015),
        "y": _y_values(ticks[0], ticks[-1], ticks),
    }
    layers = []
    for low, high, color in bands:
        ends = (ticks[0] if low is None else low, ticks[-1] if high is None else high)
        layers.append(areas([(first, last)], *ends, axes, color, opacity=0.18))
    layers += [_rule(limit, axes["y"]) for limit in limits]
    if ticks[0] < 0 < ticks[-1]:
        layers.append(_rule(0.0, axes["y"], "mid", ()))
    return _specification([*layers, *_line_layers(lines, axes)], size)


# ---- gold against bonds

_HIGHEST = 6  # percent of inflation, the right end
_GAP_AT = 2.0


def gold_chart(nominal: float, real: float | None, size: Size) -> Spec:
    """10-year Treasury, 10-year TIPS and gold at an unchanged price: real return, % a year, against inflation, %."""
    ticks = nice_ticks(-float(_HIGHEST), nominal, 6)
    title = {"title": "Inflation over the holding period, % a year", "titleColor": _token("soft")}
    style = {"titleFontWeight": "normal", "titleFontSize": size.font}
    axes = {
        "x": {
            "field": "x",
            "type": "quantitative",
            "scale": {"domain": [0, _HIGHEST], "nice": False},
            "axis": {"values": list(range(_HIGHEST + 1)), "grid": False, **title, **style},
        },
        "y": _y_values(ticks[0], ticks[-1], ticks),
    }

    def line(start: float, end: float, color: str, dash: tuple[int, ...] = ()) -> Spec:
        rows = [{"x": 0.0, "y": start}, {"x": 6.0, "y": end}]
        return _layer(
            "line", rows, axes, color, strokeWidth=2, **({"strokeDash": list(dash)} if dash else {})
        )

    def words(at: float, value: float, text: str, color: str, **style: Any) -> Spec:
        return _text([{"x": at, "y": value, "text": text}], axes, color, **style)

    layers = [
        _rule(0.0, axes["y"], "mid", ()),
        line(nominal, nominal - 6, "ink"),
        line(0.0, -6.0, "gold", (6, 3)),
    ]
    if real is not None:
        layers += [
            line(real, real, "stim", (2, 2)),
            words(6.0, real, "10-year TIPS", "stim-text", align="right", dy=-8),
        ]
    gap = {"x": _GAP_AT, "y": -_GAP_AT, "y2": nominal - _GAP_AT}
    gap_text = f"gap {number(nominal)}{THIN}pp" + ("" if size.is_narrow else ", at any inflation")
    at_five = {"x": 5.0, "y": nominal - 5}
    five_text = f"{number(nominal - 5, 2, sign=True)}{THIN}% at 5{THIN}%"
    bold = {"fontWeight": "bold"}
    layers += [
        words(0.5, nominal - 0.5, "10-year Treasury", "ink", align="left", dx=6, dy=-8),
        words(3.9, -3.9, "gold, price unchanged", "gold-text", align="right", dy=12),
        _layer("rule", [gap], {**axes, **_to("y2")}, "hot", strokeWidth=2),
        words(_GAP_AT, (gap["y"] + gap["y2"]) / 2 - 0.55, gap_text, "hot-text", align="left", dx=6, **bold),
        _layer("point", [at_five], axes, "ink", filled=True, size=45, opacity=1),
        words(5.0, nominal - 5, five_text, "ink", align="right", dx=-4, dy=14, **bold),
    ]
    return _specification(layers, size)


def gold_description(nominal: float, real: float | None) -> str:
    """The three lines in words."""
    tips = "" if real is None else f" The 10-year TIPS returns {number(real)} % at any inflation."
    return (
        f"Real return a year against inflation from 0 to {_HIGHEST} %. The 10-year Treasury falls from "
        f"{number(nominal)} % to {number(nominal - _HIGHEST)} %; gold at an unchanged price from 0 to "
        f"{MINUS}{_HIGHEST} %, always {number(nominal)} points below.{tips}"
    )


# ---- the timeline

_TOP, _BOTTOM = 1.13, -0.56
_HALF = 0.075  # height of a lane above, and below, its middle
_STATE_LANE, _STANCE_LANE = -0.19, -0.45


@dataclass(frozen=True)
class Timeline:
    """What the timeline shows; spells are rows of `Release.spells`, announcements have a name each."""

    score: Line
    regimes: Sequence[Row]
    states: Sequence[Row]
    stances: Sequence[Row]
    announcements: Sequence[tuple[dt.date, str]]
    recessions: Sequence[tuple[dt.date, dt.date]]  # first and last day
    enter_bubble: float
    enter_depression: float
    bubble_rule: Sequence[str]  # in lines
    depression_rule: Sequence[str]

    @property
    def first(self) -> float:
        return year(self.score.points[0][0])

    @property
    def last(self) -> float:
        return year(self.score.points[-1][0])


def timeline_chart(shown: Timeline, size: Size) -> Spec:
    """The score, shaded where easing met a bubble or a depression, and two lanes read by position."""
    room = (shown.last - shown.first) * (0.05 if size.is_narrow else 0.2)  # the rules stand there
    axes = {
        "x": _x_years(shown.first, shown.last, size, room=room),
        "y": _y_values(_BOTTOM, _TOP, [0, 0.2, 0.4, 0.6, 0.8, 1], ".1f"),
    }
    recessions = [
        (max(year(first), shown.first), min(year(last), shown.last))
        for first, last in shown.recessions
        if year(last) > shown.first and year(first) < shown.last
    ]
    bubbles, depressions = (
        _spans(shown.regimes, f"stimulus_into_{name}") for name in ("bubble", "depression")
    )
    layers = [
        areas(recessions, 0.0, 1.0, axes, "mid", opacity=0.25),
        areas(bubbles, shown.enter_bubble, 1.0, axes, "hot", opacity=0.25),
        areas(depressions, 0.0, shown.enter_depression, axes, "cold", opacity=0.25),
        _rule(shown.enter_bubble, axes["y"], "hot"),
        _rule(shown.enter_depression, axes["y"], "cold"),
        *_announcements(shown, axes, size),
        *_line_layers([shown.score], axes),
    ]
    if shown.score.last is not None:
        day, value = shown.score.last
        newest = {"x": year(day), "y": value, "text": number(value)}
        layers.append(_text([newest], axes, "ink", align="right", dx=-2, dy=-12, fontWeight="bold"))
    layers += [
        *_lane(shown, shown.states, _STATE_LANE, {"bubble": "hot", "depression": "cold"}, axes),
        *_lane(shown, shown.stances, _STANCE_LANE, {"stimulus": "stim", "tightening": "tight"}, axes),
        *_labels(shown, axes, size),
    ]
    return _specification(layers, size)


def _spans(spells: Sequence[Row], value: str) -> list[tuple[float, float]]:
    """First and last year of the spells of one value."""
    return [(year(one["first"]), year(one["end_date"])) for one in spells if one["value"] == value]


def _announcements(shown: Timeline, axes: Axes, size: Size) -> list[Spec]:
    """A vertical line at each, its name above; a name that would touch the one before is raised."""
    lines = [{"x": year(day), "y": 0.0, "y2": 1.0} for day, _ in shown.announcements]
    rule = _layer("rule", lines, {**axes, **_to("y2")}, "ink", strokeWidth=1, opacity=0.55)
    apart = 4.4 if size.is_narrow else 1.6
    names: list[Row] = []
    for day, name in shown.announcements:
        touches = names and year(day) - names[-1]["x"] < apart and names[-1]["y"] < 1.05
        names.append({"x": year(day), "y": 1.09 if touches else 1.03, "text": name})
    return [rule, _text(names, axes, "ink", fontWeight="bold", baseline="middle")]


def _lane(
    shown: Timeline, spells: Sequence[Row], middle: float, colors: dict[str, str], axes: Axes
) -> list[Spec]:
    """A thin line in the middle, blocks of the first value above it, of the second below it."""
    line = {"x": year(spells[0]["first"]), "x2": shown.last, "y": middle}
    blocks = zip(colors.items(), (_HALF, -_HALF), strict=True)
    return [
        _layer("rule", [line], {**axes, **_to("x2")}, "mid", strokeWidth=1),
        *(
            areas(_spans(spells, value), middle, middle + height, axes, color)
            for (value, color), height in blocks
        ),
    ]


def _labels(shown: Timeline, axes: Axes, size: Size) -> list[Spec]:
    """Names of the lanes, and in the wide drawing of the two limits, where the score leaves room for them."""
    lanes = [
        {"x": shown.first, "y": _STATE_LANE + _HALF + 0.03, "text": "State: bubble up, depression down"},
        {
            "x": shown.first,
            "y": _STANCE_LANE + _HALF + 0.03,
            "text": "Direction of policy: stimulus up, tightening down",
        },
    ]
    layers = [_text(lanes, axes, "soft", align="left", baseline="bottom")]
    if not size.is_narrow:  # there the caption alone has the rules
        height = size.font + 2
        rules = [
            (shown.enter_bubble, shown.bubble_rule, "hot-text", -height * len(shown.bubble_rule)),
            (shown.enter_depression, shown.depression_rule, "cold-text", 4),
        ]
        layers += [
            _text(
                [{"x": shown.last, "y": limit, "text": text}],
                axes,
                color,
                align="left",
                baseline="top",
                dx=10,
                dy=start + n * height,
            )
            for limit, rule, color, start in rules
            for n, text in enumerate(rule)
        ]
    return layers
