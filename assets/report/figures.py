"""The figures of the report: which columns each shows, with its caption, description and the values to point at."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from markupsafe import Markup, escape

from assets.report import charts
from assets.report.charts import FULL, PANEL, Line, Size, Spec, year
from assets.report.published import Release, Row
from assets.report.verdict import PHASE_NAMES
from assets.report.words import counted, day, label_words, listed, month, number

# Colour token and dash of the lines of a panel, in their order.
_STYLES: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("ink", ()), ("second", (6, 3)), ("third", (2, 2)), ("second", (2, 2)),
)  # fmt: skip
# A recession begins with the month after the peak and ends with the month of the trough.
_RECESSIONS = """
SELECT CAST(peak_month + INTERVAL 1 MONTH AS DATE) AS first, last_day(trough_month) AS last FROM recessions ORDER BY 1
"""
_SINCE = {
    "record": "SELECT min(as_of_date) AS first FROM regime",
    "score": "SELECT min(as_of_date) AS first FROM regime WHERE bubble_score IS NOT NULL",
}


@dataclass(frozen=True)
class Figure:
    """A figure ready for the page: its SVG in each width, its caption, its tables, and the values to point at."""

    key: str
    title: str
    pictures: Sequence[str]
    what: str  # and unit
    window: str
    sources: str
    tables: Sequence[str]
    note: str = ""
    legend: Sequence[Line] = ()
    values: Markup | None = None


def timeline_figure(release: Release) -> Figure | None:
    """The score since the first scored month-end, with the two lanes below it; None before there is one."""
    score = Line("Bubble score", "ink", release.history("regime", "bubble_score"), "")
    if not score.points:
        return None
    starts = [row for row in release.phases if row["kind"] == "qe_start"]
    shown = charts.Timeline(
        score,
        release.spells("regime"),
        release.spells("condition_state"),
        release.spells("stance"),
        [(row["as_of_date"], _event_name(row)) for row in starts],
        [(row["first"], row["last"]) for row in release.rows(_RECESSIONS)],
        release.parameters["state.bubble.enter_score"],
        release.parameters["state.depression.enter_score"],
        *_rules(release),
    )
    lanes = "; ".join(
        f"{name} {label_words(spells[-1]['value'])} since {month(spells[-1]['first'])}"
        for name, spells in (("state", shown.states), ("stance", shown.stances))
    )
    description = (
        f"Bubble score from {month(score.points[0][0])} to {day(release.as_of)}, newest "
        f"{number(release.today['bubble_score'])}. Lanes below: {lanes}. Vertical lines: purchases announced."
    )
    rules = "; ".join(" ".join(rule) for rule in (shown.bubble_rule, shown.depression_rule))
    labels = [
        (row["as_of_date"], label_words(row["regime"]))
        for row in release.rows("SELECT as_of_date, regime FROM regime")
    ]
    return Figure(
        "timeline",
        "Bubble score, conditions and stance",
        _pictures(
            "timeline",
            charts.TIMELINE,
            lambda size: charts.timeline_chart(shown, size),
            "Bubble score over time",
            description,
        ),
        "Bubble score, 0 cold to 1 hot: mean of valuation, economy and credit.",
        _window(score),
        release.publishers("regime.bubble_score"),
        ["regime"],
        f"Dashed: {rules} (month-ends in a row; one is enough for a depression when unemployment or jobless claims "
        "jump). Shaded: easing into a bubble (above), into a depression (below). Grey: recessions of the NBER, dated "
        "months later.",
        values=_values([score], labels),
    )


def _event_name(phase: Row) -> str:
    """The first word of its name; of a new one the year."""
    return PHASE_NAMES.get(phase["phase"], f"{phase['as_of_date']:%Y}").split()[0]


def gold_figure(release: Release) -> Figure | None:
    """Gold against the 10-year Treasury and TIPS, by rate of inflation; None without a Treasury yield."""
    rows = {row["asset"]: row for row in release.newest_rows("relative_attractiveness")}
    nominal, real = rows["treasury_10y"]["yield_pct"], rows["tips_10y"]["yield_pct"]
    if nominal is None:
        return None
    return Figure(
        "gold",
        "Real return held to maturity, by inflation",
        _pictures(
            "gold",
            charts.GOLD,
            lambda size: charts.gold_chart(nominal, real, size),
            "Gold against bonds",
            charts.gold_description(nominal, real),
        ),
        "Real return held to maturity, % a year.",
        f"Yields of {day(rows['treasury_10y']['observation_date'])}.",
        release.publishers_of(["DGS10", "DFII10"]),
        ["relative_attractiveness"],
        "Arithmetic, not a forecast.",
    )


def panel(
    release: Release,
    key: str,
    title: str,
    what: str,
    unit: str,
    lines: Mapping[str, str],
    note: str = "",
    *,
    limits: Sequence[str] = (),
    bands: Sequence[tuple[str | None, str | None, str]] = (),
    decimals: int = 2,
    since: str | None = "record",
    is_main: bool = False,
) -> Figure | None:
    """A line chart over the years; its lines, named by column, share one unit. None where no line has figures.

    `since`: the first day, the same for charts below each other, so that years line up; without it the chart has the
    full width. `limits` are parameters drawn as dashed lines, `bands` parameters that bound a shaded area: from, to,
    colour. Values can be pointed at where `is_main`. Lines without figures are named in the caption.
    """
    first = None if since is None else release.row(_SINCE[since])["first"]
    drawn, absent = {}, []
    for (column, name), (color, dash) in zip(lines.items(), _STYLES, strict=False):
        points = [one for one in release.history(*column.split(".")) if first is None or one[0] >= first]
        line = Line(name, color, points, unit, dash, decimals)
        if line.last:
            drawn[column] = line
        else:
            absent.append(name)
    if not drawn:
        return None
    shown, parameters = list(drawn.values()), release.parameters
    at = [(-1 if name.startswith("-") else 1) * parameters[name.removeprefix("-")] for name in limits]
    areas = [
        (None if low is None else parameters[low], None if high is None else parameters[high], color)
        for low, high, color in bands
    ]
    start = None if first is None else year(first)
    return Figure(
        key,
        title,
        _pictures(
            key,
            FULL if first is None else PANEL,
            lambda size: charts.lines_chart(shown, size, at, start, areas),
            title,
            _described(shown),
        ),
        what,
        _window(min(shown, key=lambda line: line.points[0][0])),
        release.publishers(*drawn),
        list(dict.fromkeys(column.split(".")[0] for column in lines)),
        f"{note} No figures in this profile: {listed(absent)}.".strip() if absent else note,
        () if bands else shown,  # charts side by side all have a legend, or none
        _values(shown) if is_main else None,
    )


def _described(lines: Sequence[Line]) -> str:
    """Each line in words: newest, lowest and highest figure with their months."""
    texts = []
    for line in lines:
        known = [(value, day_of) for day_of, value in line.points if value is not None]
        newest, low, high = (
            (number(value, line.decimals), month(day_of))
            for value, day_of in (known[-1], min(known), max(known))
        )
        texts.append(
            f"{line.name}: {newest[0]} {line.unit} in {newest[1]}; lowest {low[0]} in {low[1]}, "
            f"highest {high[0]} in {high[1]}."
        )
    return " ".join(texts)


def _values(lines: Sequence[Line], labels: Iterable[tuple[dt.date, str]] = ()) -> Markup:
    """What the page's script shows of each month-end, as JSON: days, values by line, and runs of one label.

    A value is a whole number of its last decimal.

    Days are those from the first figure on: all but the newest are month-ends.
    """
    days = sorted({when for line in lines for when, _ in line.points})
    content = {
        "from": [days[0].year, days[0].month],
        "count": len(days),
        "last": [days[-1].year, days[-1].month, days[-1].day],
        "lines": [
            {"name": line.name, "unit": line.unit, "decimals": line.decimals, "values": _on(days, line)}
            for line in lines
        ],
        "labels": [[name, len(list(run))] for name, run in groupby(dict(labels)[when] for when in days)]
        if labels
        else [],
    }
    return Markup(str(escape(json.dumps(content, separators=(",", ":")))).replace("&#34;", '"'))


def _on(days: Sequence[dt.date], line: Line) -> list[int | None]:
    known = {when: round(value * 10**line.decimals) for when, value in line.points if value is not None}
    return [known.get(when) for when in days]


def _rules(release: Release) -> tuple[list[str], list[str]]:
    """What a bubble and a depression need: score and conditions, line by line."""
    limit = {
        name: number(release.parameters[f"state.{name}"])
        for name in (
            "bubble.enter_score", "bubble.enter_valuation", "bubble.enter_credit",
            "depression.enter_score", "depression.enter_economy", "depression.enter_credit",
        )
    }  # fmt: skip
    return (
        [
            "bubble:",
            f"score ≥ {limit['bubble.enter_score']},",
            f"valuation ≥ {limit['bubble.enter_valuation']},",
            f"credit ≥ {limit['bubble.enter_credit']},",
            f"{counted(int(release.parameters['state.confirmation_months']), 'month-end')}",
        ],
        [
            "depression:",
            f"score ≤ {limit['depression.enter_score']} with",
            f"economy ≤ {limit['depression.enter_economy']}",
            f"or credit ≤ {limit['depression.enter_credit']}",
        ],
    )


def _window(line: Line) -> str:
    """First and last month of a line that has figures."""
    assert line.last is not None
    return f"{month(line.points[0][0])} to {month(line.last[0])}."


def _pictures(
    key: str, sizes: Sequence[Size], spec: Callable[[Size], Spec], title: str, description: str
) -> list[str]:
    """The chart drawn in every size."""
    return [inline_svg(spec(size), key, size.name, title, description) for size in sizes]


# ---- drawn as inline SVG

# The renderer writes ARIA roles that accessibility checkers refuse, a font per text, and long decimals.
_DROPPED = re.compile(
    r' (?:role|aria-[a-z]+|font-family|class|pointer-events|version|xmlns:xlink|stroke-miterlimit)="[^"]*"'
)
# What SVG, or the page's stylesheet, assumes anyway.
_DEFAULTS = re.compile(
    r' (?:opacity|fill-opacity|stroke-opacity|stroke-width)="1"| (?:x2|y2)="0"| font-weight="normal"'
    r'| stroke-dasharray="none"| transform="translate\(0,0\)"| fill="var\(--soft\)"| stroke="var\(--line\)"'
)
_EMPTY = re.compile(
    r'<path d="M-?[\d.]+,-?[\d.]+h(?:0v0h0|[\d.]+v[\d.]+h-[\d.]+)Z"/>'
    r'|<path d="M-?[\d.]+,-?[\d.]+h0v0h0Z"[^>]*/>|<path[^>]* d=""[^>]*/>|<g[^>]*></g>|<text[^>]*></text>'
)
_TEXT_POSITION = re.compile(r'(<text[^>]*) transform="translate\((-?[\d.]+),(-?[\d.]+)\)"')
_BARE_GROUP = re.compile(r"<g>((?:(?!</?g\b).)*)</g>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_LINE = re.compile(r' d="M(-?[\d.]+,-?[\d.]+(?:[LM]-?[\d.]+,-?[\d.]+)+)"')
_POINT = re.compile(r"([LM])")
_OUTER = re.compile(r"<svg[^>]*?width=\"([\d.]+)\" height=\"([\d.]+)\"[^>]*>(.*)</svg>", re.DOTALL)


def inline_svg(spec: Spec, figure: str, width: str, title: str, description: str) -> str:
    """The drawing as an `<svg>` element; figure and width identify it on the page."""
    import vl_convert

    usual = spec["config"]["text"]["fontSize"]
    first, last = spec["layer"][-1]["encoding"]["x"]["scale"]["domain"]
    scale = f"{spec['width']} {first} {last}"
    return cleaned(vl_convert.vegalite_to_svg(spec), figure, width, title, description, usual, scale)


def cleaned(
    svg: str, figure: str, width: str, title: str, description: str, font: int, scale: str = ""
) -> str:
    """The renderer's SVG without what a page does not need, with a title and a description.

    Texts of the usual size, `font`, leave the size to the page. `scale` is for the script that points at values:
    width of the plot, first and last x.
    """
    found = _OUTER.search(svg)
    if found is None:
        raise ValueError("the renderer returned no SVG")
    across, down, body = found.groups()
    key = f"{figure}-{width}"
    body = _DEFAULTS.sub("", _DROPPED.sub("", body)).replace(f' font-size="{font}px"', "")
    body = _TAG.sub(lambda tag: _NUMBER.sub(lambda digits: _trimmed(float(digits[0])), tag[0]), body)
    body = _TEXT_POSITION.sub(r'\1 x="\2" y="\3"', body)
    body = _LINE.sub(lambda line: f' d="{_steps(line[1])}"', body)
    before = ""
    while before != body:
        before = body
        body = _BARE_GROUP.sub(r"\1", _EMPTY.sub("", body))
    named, described = (html.escape(text, quote=False) for text in (title, description))
    return (
        f'<svg class="{width}" viewBox="0 0 {_trimmed(float(across))} {_trimmed(float(down))}" data-x="{scale}" '
        f'role="img" aria-labelledby="{key}-t {key}-d">'
        f'<title id="{key}-t">{named}</title><desc id="{key}-d">{described}</desc>{body}</svg>'
    )


def _trimmed(value: float) -> str:
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _steps(line: str) -> str:
    """A line's points as steps in tenths of a pixel from one to the next: a third of the length, and no drift."""
    parts = ["M", *_POINT.split(line)]
    points = [[round(10 * float(value)) for value in point.split(",")] for point in parts[1::2]]
    text = "M" + ",".join(_tenths(value) for value in points[0])
    command = "M"
    for (before, point), kind in zip(pairwise(points), parts[2::2], strict=True):
        step = "".join(_joined(_tenths(now - was)) for was, now in zip(before, point, strict=True))
        # steps after a command repeat it as a line, so only a gap and its end need a letter
        letter = {"L": "l", "M": "m"}[kind] if kind != command or kind == "M" else ""
        text += letter + (step.removeprefix(" ") if letter else step)
        command = kind
    return text


def _tenths(value: int) -> str:
    text = f"{value / 10:.1f}".removesuffix(".0")
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def _joined(text: str) -> str:
    return text if text.startswith("-") else f" {text}"
