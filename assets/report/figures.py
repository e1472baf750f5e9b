"""Figures of the report: each a chart in two widths with its name, description, caption and figures by year.

Belongs here: which columns a figure shows, and its caption. Does not belong here: specifications (`charts/`),
sentences.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from assets.report.charts import gold as gold_spec
from assets.report.charts import lines as line_spec
from assets.report.charts.base import Line, Size, Spec
from assets.report.charts.svg import inline_svg
from assets.report.charts.timeline import Spell, Timeline, sizes, timeline
from assets.report.reading import Release, Sources
from assets.report.words import ABSENT, STATE_WORDS, day, listed, month, number

_EVENT_NAMES = {
    "qe1": "QE1",
    "qe2": "QE2",
    "qe3": "QE3",
    "bills_2019": "2019",
    "qe4_2020": "2020",
    "reserves_2025": "2025",
}


@dataclass(frozen=True)
class Caption:
    """What and unit; the window; publishers with series; as-of and point in time. Always in this order."""

    what: str
    window: str
    sources: Sources
    as_of: str
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """A figure ready for the page. `pictures` maps the width's name to its SVG."""

    key: str
    title: str
    pictures: dict[str, str]
    caption: Caption
    legend: Sequence[Line] = ()
    table: Sequence[Sequence[str]] = field(default_factory=list)  # figures by year, the header first


def timeline_figure(release: Release) -> Figure | None:
    """The score since the first scored month-end, with the two lanes below it; None before there is one."""
    score = Line("Bubble score", "ink", release.history("regime", "bubble_score"), "score 0 to 1")
    if not score.points:
        return None
    start = score.points[0][0]
    shown = Timeline(
        score,
        spells(release, "regime", start),
        spells(release, "condition_state", start),
        spells(release, "stance", start),
        [
            (row["as_of_date"], _EVENT_NAMES.get(row["phase"], f"{row['as_of_date']:%Y}"))
            for row in release.phases
            if row["kind"] == "qe_start"
        ],
        release.parameters["state.bubble.enter_score"],
        release.parameters["state.depression.enter_score"],
    )
    today = release.today
    newest = [(name, spells(release, name, start)) for name in ("condition_state", "stance")]
    said = "; ".join(
        f"{name.split('_')[0]} {STATE_WORDS.get(found[-1].value, found[-1].value)} since {month(found[-1].first)}"
        for name, found in newest
    )
    description = (
        f"Bubble score from {month(start)} to {day(release.as_of)}, newest {number(today['bubble_score'])}. "
        f"Lanes below: {said}. Vertical lines: purchases announced."
    )
    return Figure(
        "timeline",
        "Bubble score, conditions and stance",
        _pictures(
            "timeline",
            sizes(),
            lambda size: timeline(shown, size),
            ("Bubble score over time", description),
        ),
        caption(
            release,
            "Bubble score, 0 cold to 1 hot: mean of valuation, economy and credit.",
            score,
            ["regime.bubble_score"],
            f"Dashed: a bubble can begin at {number(shown.enter_bubble)}, a depression at "
            f"{number(shown.enter_depression)}. Shaded: easing into a bubble (above), into a depression (below). "
            "Upright lines: purchases announced.",
        ),
    )


def gold_figure(release: Release) -> Figure | None:
    """Gold against the 10-year Treasury and TIPS, by rate of inflation."""
    rows = release.rows("SELECT * FROM relative_attractiveness WHERE as_of_date = ?", release.as_of)
    held = {row["asset"]: row for row in rows}
    nominal, real = held["treasury_10y"]["yield_pct"], held["tips_10y"]["yield_pct"]
    if nominal is None:
        return None
    observed = held["treasury_10y"]["observation_date"]
    return Figure(
        "gold",
        "Real return held to maturity, by inflation",
        _pictures(
            "gold",
            gold_spec.SIZES,
            lambda size: gold_spec.gold_chart(nominal, real, size),
            ("Gold against bonds", gold_spec.description(nominal, real)),
        ),
        Caption(
            "Real return held to maturity, % a year.",
            f"Yields of {day(observed)}.",
            release.sources_of(["DGS10", "DFII10"]),
            as_of(release),
            "Arithmetic, not a forecast.",
        ),
    )


def lines_figure(
    release: Release,
    key: str,
    title: str,
    lines: Sequence[Line],
    what: str,
    columns: Sequence[str],
    sizes_of: Sequence[Size] = line_spec.PANEL,
    limits: Sequence[float] = (),
    note: str = "",
    since: float | None = None,
) -> Figure | None:
    """A line chart; lines without any figure are left out, and said so in the caption. None without a line."""
    drawn = [line for line in lines if line.last]
    if not drawn:
        return None
    absent = [line.name for line in lines if not line.last]
    if absent:
        note = f"{note} No figures in this profile: {listed(absent)}.".strip()
    longest = min(drawn, key=lambda line: line.points[0][0])
    return Figure(
        key,
        title,
        _pictures(
            key,
            sizes_of,
            lambda size: line_spec.lines_chart(drawn, size, limits, since),
            (title, described(drawn)),
        ),
        caption(release, what, longest, columns, note),
        drawn,
        by_year(drawn),
    )


def described(lines: Sequence[Line]) -> str:
    """Each line in words: newest figure, lowest and highest with their months."""
    said = []
    for line in lines:
        known = [(value, day_of) for day_of, value in line.points if value is not None]
        low, high = min(known), max(known)
        last = line.last
        assert last is not None
        said.append(
            f"{line.name}: {number(last[1], line.decimals)} {line.unit} in {month(last[0])}; "
            f"lowest {number(low[0], line.decimals)} in {month(low[1])}, "
            f"highest {number(high[0], line.decimals)} in {month(high[1])}."
        )
    return " ".join(said)


def by_year(lines: Sequence[Line]) -> list[list[str]]:
    """The last figure of each year, newest year first; header first."""
    years: dict[int, dict[str, str]] = {}
    for line in lines:
        for day_of, value in line.points:
            if value is not None:
                years.setdefault(day_of.year, {})[line.name] = number(value, line.decimals)
    names = [line.name for line in lines]
    rows = [
        [str(when), *(found.get(name, ABSENT) for name in names)] for when, found in sorted(years.items())
    ]
    return [["Year", *(f"{line.name}, {line.unit}" for line in lines)], *reversed(rows)]


def spells(release: Release, column: str, start: dt.date) -> list[Spell]:
    """Unbroken runs of a column of `regime` from `start`; a run ends where the next one begins."""
    rows = release.rows(
        f'SELECT as_of_date, "{column}" AS value FROM regime WHERE as_of_date >= ? ORDER BY as_of_date', start
    )
    found: list[Spell] = []
    for row in rows:
        if found and found[-1].value != row["value"]:
            found[-1] = Spell(found[-1].value, found[-1].first, row["as_of_date"])
        if not found or found[-1].value != row["value"]:
            found.append(Spell(row["value"], row["as_of_date"], rows[-1]["as_of_date"]))
    return found


def caption(release: Release, what: str, line: Line, columns: Sequence[str], note: str = "") -> Caption:
    """Caption of a history; the window is that of `line`."""
    last = line.last
    assert last is not None
    window = f"Month-ends {month(line.points[0][0])} to {month(last[0])}."
    return Caption(what, window, release.sources(*columns), as_of(release), note)


def as_of(release: Release) -> str:
    """As-of date and point-in-time grade, the end of every caption."""
    grade = str(release.today["pit_grade"]).replace("_", " ")
    return f"As known on {day(release.as_of)}, {grade} point in time."


def _pictures(
    figure: str, widths: Sequence[Size], spec: Callable[[Size], Spec], words: tuple[str, str]
) -> dict[str, str]:
    """The chart drawn in all widths; `words` are title and description."""
    from altair.utils.schemapi import debug_mode

    with debug_mode(False):  # tests validate specifications: it takes as long as all the drawing
        return {size.name: inline_svg(spec(size), figure, size.name, *words) for size in widths}
