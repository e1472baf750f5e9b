"""Gold against bonds: the real return held to maturity at each rate of inflation, and the gap that never changes.

Belongs here: its specification. Does not belong here: the yields, and what they say.
"""

from __future__ import annotations

from typing import Any

from assets.report.charts.base import (
    Size,
    Spec,
    nice_ticks,
    rows_of,
    rule_layer,
    specification,
    text_layer,
    token,
    y_values,
)
from assets.report.words import MINUS, THIN, number

SIZES = (Size("wide", 820, 250, 12), Size("narrow", 290, 250, 11))
_HIGHEST = 6  # percent of inflation, the right end
_GAP_AT = 2.0


def gold_chart(nominal: float, real: float | None, size: Size) -> Spec:
    """10-year Treasury, 10-year TIPS and gold at an unchanged price, percent a year against percent of inflation."""
    import altair as alt

    ticks = nice_ticks(-float(_HIGHEST), nominal, 6)
    x = alt.X(
        "x:Q",
        scale=alt.Scale(domain=[0, _HIGHEST], nice=False),
        axis=alt.Axis(
            values=list(range(_HIGHEST + 1)),
            grid=False,
            title="Inflation over the holding period, % a year",
            titleColor=token("soft"),
            titleFontWeight="normal",
            titleFontSize=size.font,
        ),
    )
    y = y_values((ticks[0], ticks[-1]), ticks)
    treasury, gold = [(0.0, nominal), (6.0, nominal - 6)], [(0.0, 0.0), (6.0, -6.0)]
    layers = [rule_layer(0.0, y, "mid", ()), _line(treasury, "ink", x, y), _line(gold, "gold", x, y, (6, 3))]
    if real is not None:
        layers += [
            _line([(0.0, real), (6.0, real)], "stim", x, y, (2, 2)),
            _words(6.0, real, "10-year TIPS", "stim-text", x, y, align="right", dy=-8),
        ]
    at_five = f"{number(nominal - 5, 2, sign=True)}{THIN}% at 5{THIN}%"
    layers += [
        _words(0.5, nominal - 0.5, "10-year Treasury", "ink", x, y, align="left", dx=6, dy=-8),
        _words(3.9, -3.9, "gold, price unchanged", "gold-text", x, y, align="right", dy=12),
        *_gap(nominal, size, x, y),
        _dot(5.0, nominal - 5, x, y),
        _words(5.0, nominal - 5, at_five, "ink", x, y, align="right", dx=-4, dy=14, fontWeight="bold"),
    ]
    return specification(layers, size)


def description(nominal: float, real: float | None) -> str:
    """The three lines in words."""
    tips = "" if real is None else f" The 10-year TIPS returns {number(real)} % at any inflation."
    return (
        f"Real return a year against inflation from 0 to {_HIGHEST} %. The 10-year Treasury falls from "
        f"{number(nominal)} % to {number(nominal - _HIGHEST)} %; "
        f"gold at an unchanged price from 0 to {MINUS}{_HIGHEST} %, "
        f"always {number(nominal)} points below.{tips}"
    )


def _line(points: list[tuple[float, float]], color: str, x: Any, y: Any, dash: tuple[int, ...] = ()) -> Any:
    import altair as alt

    style: dict[str, Any] = {"strokeDash": list(dash)} if dash else {}
    rows = [{"x": at, "y": value} for at, value in points]
    return alt.Chart(rows_of(rows)).mark_line(color=token(color), strokeWidth=2, **style).encode(x=x, y=y)


def _gap(nominal: float, size: Size, x: Any, y: Any) -> list[Any]:
    import altair as alt

    top, bottom = nominal - _GAP_AT, -_GAP_AT
    bar = alt.Chart(rows_of([{"x": _GAP_AT, "y": bottom, "y2": top}])).mark_rule(
        color=token("hot"), strokeWidth=2
    )
    said = f"gap {number(nominal)}{THIN}pp" + ("" if size.is_narrow else ", at any inflation")
    return [
        bar.encode(x=x, y=y, y2="y2:Q"),
        _words(
            _GAP_AT, (top + bottom) / 2 - 0.55, said, "hot-text", x, y, align="left", dx=6, fontWeight="bold"
        ),
    ]


def _dot(at: float, value: float, x: Any, y: Any) -> Any:
    import altair as alt

    rows = rows_of([{"x": at, "y": value}])
    return alt.Chart(rows).mark_point(color=token("ink"), filled=True, size=45, opacity=1).encode(x=x, y=y)


def _words(at: float, value: float, text: str, color: str, x: Any, y: Any, **style: Any) -> Any:
    return text_layer([{"x": at, "y": value, "text": text}], x, y, color, **style)
