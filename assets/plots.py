"""Pictures for the Dagster UI: PNG inside markdown, since the UI draws no other."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import dagster as dg
import pandas as pd

from assets.catalog.method import Method

MAX_BYTES = 60_000
_WIDTH, _HEIGHT = 680, 220
_INK, _BUBBLE, _DEPRESSION, _SOFT = "#1c1f24", "#d55e00", "#0072b2", "#5a6068"
_CONDITIONS = {
    "valuation_score": _BUBBLE,
    "economy_score": "#009e73",
    "credit_score": "#9a5b8f",
    "inflation_score": "#b8860b",
}
_YEARS_SHOWN = 10


def score_plot(regime: pd.DataFrame, method: Method) -> dg.MarkdownMetadataValue:
    """The bubble score of every month-end, shaded where the state is a bubble (warm) or a depression (cold)."""
    newest = regime["as_of_date"].max()
    if regime["bubble_score"].notna().any():
        regime = regime[regime["as_of_date"] >= regime["as_of_date"][regime["bubble_score"].notna()].min()]
    enter = {_BUBBLE: method.state.bubble.enter_score, _DEPRESSION: method.state.depression.enter_score}
    lines = [
        _layer("rule", [{"y": at}], _scale("y"), color=color, strokeDash=[4, 3])
        for color, at in enter.items()
    ]
    score = [{"x": day, "y": value} for day, value in _points(regime, "bubble_score")]
    spec = _spec(
        "Bubble score, 0 to 1; shaded: bubble (orange), depression (blue)",
        [
            *(
                _shade(regime, state, color)
                for state, color in (("bubble", _BUBBLE), ("depression", _DEPRESSION))
            ),
            *lines,
            _layer("line", score, {**_x(), **_scale("y")}, color=_INK, strokeWidth=1.5),
        ],
    )
    return _markdown(spec, f"Bubble score to {newest:%Y-%m-%d}")


def conditions_plot(regime: pd.DataFrame) -> dg.MarkdownMetadataValue:
    """The four condition scores of the last ten years: what the newest verdict came from."""
    newest = regime["as_of_date"].max()
    recent = regime[regime["as_of_date"] > newest - pd.DateOffset(years=_YEARS_SHOWN)]
    points = [
        {"x": day, "y": value, "condition": name.removesuffix("_score")}
        for name in _CONDITIONS
        for day, value in _points(recent, name)
    ]
    color = {
        "field": "condition",
        "type": "nominal",
        "title": None,
        "scale": {
            "domain": [name.removesuffix("_score") for name in _CONDITIONS],
            "range": [*_CONDITIONS.values()],
        },
        "legend": {"orient": "top"},
    }
    lines = _layer("line", points, {**_x(), **_scale("y"), "color": color}, strokeWidth=1.5)
    spec = _spec("Condition scores, 0 cold to 1 hot", [lines])
    return _markdown(spec, f"Scores of the four conditions, {_YEARS_SHOWN} years to {newest:%Y-%m-%d}")


def _points(regime: pd.DataFrame, column: str) -> list[tuple[str, float | None]]:
    """Date and value; a missing value breaks the line."""
    values = zip(regime["as_of_date"], regime[column], strict=True)
    return [(f"{day:%Y-%m-%d}", None if pd.isna(value) else round(float(value), 4)) for day, value in values]


def _shade(regime: pd.DataFrame, state: str, color: str) -> dict[str, Any]:
    """Rectangles over the spells of a state, from its first date to the first date after it."""
    dates, inside = list(regime["as_of_date"]), list(regime["condition_state"] == state)
    spells: list[dict[str, str]] = []
    for n, (day, holds) in enumerate(zip(dates, inside, strict=True)):
        if not holds:
            continue
        if n == 0 or not inside[n - 1]:
            spells.append({"x": f"{day:%Y-%m-%d}"})
        spells[-1]["x2"] = f"{dates[min(n + 1, len(dates) - 1)]:%Y-%m-%d}"
    return _layer("rect", spells, {**_x(), "x2": {"field": "x2"}}, color=color, opacity=0.18)


def _layer(mark: str, values: list[Any], encoding: dict[str, Any], **style: Any) -> dict[str, Any]:
    return {"data": {"values": values}, "mark": {"type": mark, **style}, "encoding": encoding}


def _x() -> dict[str, Any]:
    return {"x": {"field": "x", "type": "temporal", "title": None, "axis": {"format": "%Y", "grid": False}}}


def _scale(field: str) -> dict[str, Any]:
    return {"y": {"field": field, "type": "quantitative", "title": None, "scale": {"domain": [0, 1]}}}


def _spec(title: str, layers: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": _WIDTH,
        "height": _HEIGHT,
        "background": "#ffffff",
        "title": {"text": title, "anchor": "start", "fontWeight": "normal", "color": _SOFT},
        "layer": layers,
    }


def _markdown(spec: dict[str, Any], alt: str) -> dg.MarkdownMetadataValue:
    """The picture as a data address; in words only when it cannot be drawn, or is too large for the history."""
    try:
        import vl_convert

        picture = _packed(vl_convert.vegalite_to_png(spec, scale=1))
    except Exception as error:  # a release needs no picture to be valid
        return dg.MetadataValue.md(f"{alt} (not drawn: {type(error).__name__})")
    if len(picture) > MAX_BYTES:
        return dg.MetadataValue.md(f"{alt} (the picture takes {len(picture)} bytes and is left out)")
    return dg.MetadataValue.md(f"![{alt}](data:image/png;base64,{base64.b64encode(picture).decode()})")


def _packed(png: bytes) -> bytes:
    """The same picture, its pixels compressed as far as it goes: a third of what the renderer writes."""
    head, pixels, tail, at = png[:8], b"", b"", 8
    while at < len(png):
        length = int.from_bytes(png[at : at + 4], "big")
        name, chunk = png[at + 4 : at + 8], png[at : at + 12 + length]
        at += 12 + length
        if name == b"IDAT":
            pixels += chunk[8:-4]
        elif pixels:
            tail += chunk
        else:
            head += chunk
    packed = b"IDAT" + zlib.compress(zlib.decompress(pixels), 9)
    checksum = zlib.crc32(packed).to_bytes(4, "big")
    return head + (len(packed) - 4).to_bytes(4, "big") + packed + checksum + tail
