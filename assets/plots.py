"""Pictures for the Dagster UI: the report's charts as PNG inside markdown, since the UI draws no other."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Mapping

import dagster as dg
import pandas as pd

from assets.catalog.method import Method
from assets.report.charts import Line, Size, Spec, areas, lines_chart, year

MAX_BYTES = 60_000
_SIZE = Size("both", 680, 220, 12)
_SHADED = {"bubble": "hot", "depression": "cold"}
_CONDITIONS = {"valuation": "hot", "economy": "stim", "credit": "tight", "inflation": "gold"}
# Colours of the report on white: a PNG knows no stylesheet.
_COLORS = {
    "ink": "#1c1f24", "soft": "#5a6068", "mid": "#7b7f86", "line": "#dddddd", "hot": "#d55e00", "cold": "#0072b2",
    "stim": "#008f68", "tight": "#9a5b8f", "gold": "#a67a08",
}  # fmt: skip
_YEARS_SHOWN = 10


def score_plot(regime: pd.DataFrame, method: Method) -> dg.MarkdownMetadataValue:
    """The bubble score of every month-end, shaded where the state is a bubble (warm) or a depression (cold)."""
    limits = (method.state.bubble.enter_score, method.state.depression.enter_score)
    words = "Bubble score; shaded: bubble (orange), depression (blue)"
    return _drawn(words, regime, {"bubble_score": "ink"}, limits, _SHADED)


def conditions_plot(regime: pd.DataFrame) -> dg.MarkdownMetadataValue:
    """The four condition scores of the last ten years: what the newest verdict came from."""
    recent = regime[regime["as_of_date"] > regime["as_of_date"].max() - pd.DateOffset(years=_YEARS_SHOWN)]
    words = "Valuation (orange), economy (green), credit (purple), inflation (brown)"
    return _drawn(words, recent, {f"{name}_score": color for name, color in _CONDITIONS.items()})


def _drawn(
    words: str,
    regime: pd.DataFrame,
    columns: Mapping[str, str],
    limits: tuple[float, ...] = (),
    shaded: Mapping[str, str] | None = None,
) -> dg.MarkdownMetadataValue:
    """Lines of columns in their colours, on months shaded by state; in words only where it cannot be drawn."""
    days = [day.date() for day in regime["as_of_date"]]
    words = f"{words}, 0 cold to 1 hot, to {max(days)}"
    lines = []
    for name, color in columns.items():
        values = [None if pd.isna(value) else round(float(value), 4) for value in regime[name]]
        lines.append(Line(name, color, list(zip(days, values, strict=True)), "score"))
    scored = [day for line in lines for day, value in line.points if value is not None]
    if not scored:
        return dg.MetadataValue.md(f"{words} (not drawn: no score yet)")
    spec = lines_chart(lines, _SIZE, limits)
    axes = spec["layer"][-1]["encoding"]
    months = list(zip(days, days[1:], regime["condition_state"], strict=False)) if shaded else []
    low, high = axes["y"]["scale"]["domain"]
    for name, color in (shaded or {}).items():
        spans = [(year(a), year(b)) for a, b, state in months if state == name and a >= min(scored)]
        spec["layer"].insert(0, areas(spans, low, high, axes, color, opacity=0.18))
    return _markdown(spec, words)


def _markdown(spec: Spec, words: str) -> dg.MarkdownMetadataValue:
    """The picture as a data address; in words only when it cannot be drawn, or is too large for the history."""
    spec["config"]["background"] = "#ffffff"
    spec["title"] = {
        "text": words,
        "anchor": "start",
        "fontWeight": "normal",
        "fontSize": 12,
        "color": "var(--soft)",
    }
    colored = re.sub(r"var\(--([\w-]+)\)", lambda token: _COLORS[token[1]], json.dumps(spec))
    try:
        import vl_convert

        picture = _packed(vl_convert.vegalite_to_png(colored, scale=1))
    except Exception as error:  # a release needs no picture to be valid
        return dg.MetadataValue.md(f"{words} (not drawn: {type(error).__name__})")
    if len(picture) > MAX_BYTES:
        return dg.MetadataValue.md(f"{words} (the picture takes {len(picture)} bytes and is left out)")
    return dg.MetadataValue.md(f"![{words}](data:image/png;base64,{base64.b64encode(picture).decode()})")


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
