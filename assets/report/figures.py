"""The figures of the report: which columns each shows, with its caption, description and the values to point at."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from markupsafe import Markup, escape

from assets.report import charts
from assets.report.charts import FULL, PANEL, Line, Size, Spec, year
from assets.report.published import Release, Row
from assets.report.svg import inline_svg
from assets.report.verdict import PHASE_NAMES
from assets.report.words import CONDITIONS, capital, counted, day, label_words, listed, month, number

# Colour token and dash of the lines of a panel, in their order.
_STYLES: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("ink", ()), ("second", (6, 3)), ("third", (2, 2)), ("second", (2, 2)),
)  # fmt: skip
# A recession begins with the month after the peak and ends with the month of the trough.
_RECESSIONS = """
SELECT CAST(peak_month + INTERVAL 1 MONTH AS DATE) AS first, last_day(trough_month) AS last FROM recessions ORDER BY 1
"""


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


@dataclass(frozen=True)
class Panel:
    """A line chart over the years; its lines, named by column, share one unit.

    `since` finds the first day shown, the same for charts below each other, so that years line up; without it the
    chart has the full width. `limits` are parameters drawn as dashed lines, `bands` parameters that bound a shaded
    area: from, to, colour. Values can be pointed at where `is_main`.
    """

    key: str
    title: str
    what: str
    unit: str
    lines: Mapping[str, str]
    note: str = ""
    limits: Sequence[str] = ()
    bands: Sequence[tuple[str | None, str | None, str]] = ()
    decimals: int = 2
    since: str | None = "SELECT min(as_of_date) AS first FROM regime"
    is_main: bool = False


MONEY = Panel(
    "money",
    "Money supply against the real short rate",
    "M2, % on the year before; real short rate, % a year.",
    "%",
    {
        "money_and_rates.m2_yoy_pct": "M2, year on year",
        "money_and_rates.real_short_rate_pct": "3-month bill less CPI inflation",
    },
    since=None,
    is_main=True,
)
MARKETS = (
    Panel(
        "premium",
        "Equity risk premium",
        "Earnings yield, %, and its excess over a 10-year yield, percentage points.",
        "%",
        {
            "equity_risk_premium.earnings_yield_pct": "earnings yield",
            "equity_risk_premium.erp_vs_real_10y_pp": "over the real 10-year",
            "equity_risk_premium.erp_vs_nominal_10y_pp": "over the nominal 10-year",
        },
        "The level depends on the earnings basis of each row: compare ranks, not levels.",
        is_main=True,
    ),
    Panel(
        "yields",
        "Ten-year yields",
        "10-year Treasury yield, nominal and real, % a year.",
        "%",
        {"real_yields.nominal_10y_pct": "nominal", "real_yields.real_10y_pct": "real"},
        "Real: TIPS from January 2003, before that nominal less expected inflation.",
        is_main=True,
    ),
    Panel(
        "spreads",
        "Credit spreads",
        "Corporate bond spreads and the excess bond premium, percentage points.",
        "pp",
        {
            "credit_spreads.gz_spread_pp": "Gilchrist-Zakrajsek",
            "credit_spreads.baa_10y_pp": "Baa less 10-year",
            "credit_spreads.hqm_10y_spread_pp": "high quality less 10-year",
            "credit_spreads.ebp_pp": "excess bond premium",
        },
        is_main=True,
    ),
    Panel(
        "conditions",
        "Financial conditions",
        "National Financial Conditions Index; 0 is average, positive is tighter.",
        "sd",
        {"credit_spreads.nfci_index": "NFCI"},
    ),
)
_SCORED = "SELECT min(as_of_date) AS first FROM regime WHERE bubble_score IS NOT NULL"
_TARGET = "verdict.inflation_target_pct"
_FOUR = (
    *(
        Panel(
            f"{name}-score",
            capital(name),
            f"{capital(name)} score.",
            "",
            {f"regime.{name}_score": name},
            bands=[(f"verdict.{name}_hot", None, "hot"), (None, f"verdict.{name}_cold", "cold")],
            since=_SCORED,
            is_main=True,
        )
        for name in ("valuation", "economy", "credit")
    ),
    Panel(
        "inflation-score",
        "Inflation",
        "Core PCE prices, % on the year before.",
        "%",
        {"activity_inflation.core_pce_yoy_pct": "core PCE"},
        bands=[(_TARGET, None, "hot"), (None, _TARGET, "cold")],
        since=_SCORED,
        is_main=True,
    ),
)
FED = (
    Panel(
        "assets",
        "Balance sheet and reserves",
        "Total assets of the Federal Reserve and reserve balances, % of GDP.",
        "% of GDP",
        {
            "reserve_growth.fed_assets_pct_gdp": "Fed assets",
            "reserve_growth.reserve_balances_pct_gdp": "reserves",
        },
        decimals=1,
    ),
    Panel(
        "impulse",
        "Balance-sheet impulse",
        "Change of the balance sheet over half a year, at a yearly rate, % of GDP.",
        "% of GDP",
        {"reserve_growth.balance_sheet_impulse_pct_gdp": "impulse"},
        "Dashed: beyond it the balance sheet counts as growing or shrinking.",
        ["stance.impulse_pct_gdp", "-stance.impulse_pct_gdp"],
    ),
    Panel(
        "monetisation",
        "Monetisation",
        "Fed purchases of Treasuries over a year, % of the change of the public debt and of the deficit.",
        "%",
        {
            "monetisation.share_12m_pct": "of new public debt",
            "monetisation.share_12m_of_deficit_pct": "of the deficit",
        },
        "Dashed: bands building, active and dominant.",
        [f"monetisation.{band}_from_pct" for band in ("building", "active", "dominant")],
        decimals=0,
    ),
    Panel(
        "deficit",
        "Federal deficit",
        "Federal deficit of twelve months, % of GDP; a surplus is negative.",
        "% of GDP",
        {"fiscal_and_debt.deficit_12m_pct_gdp": "deficit"},
        "Dashed: below it no band of monetisation applies.",
        ["monetisation.minimum_deficit_pct_gdp"],
        decimals=1,
    ),
)


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


def condition_figures(release: Release, base_rates: dict[str, str]) -> list[Figure]:
    """The four conditions with their hot and cold bands; the caption has how often each has been hot and cold."""
    rates = (f"{capital(base_rates[name])}." for name in CONDITIONS)
    return panel_figures(
        release, [replace(panel, note=note) for panel, note in zip(_FOUR, rates, strict=True)]
    )


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


def panel_figure(release: Release, panel: Panel) -> Figure | None:
    """The panel drawn; lines without figures are named in the caption. None where no line has any."""
    first = None if panel.since is None else release.row(panel.since)["first"]
    lines = {}
    for (column, name), (color, dash) in zip(panel.lines.items(), _STYLES, strict=False):
        points = [
            point for point in release.history(*column.split(".")) if first is None or point[0] >= first
        ]
        lines[column] = Line(name, color, points, panel.unit, dash, panel.decimals)
    shown = {column: line for column, line in lines.items() if line.last}
    if not shown:
        return None
    drawn, parameters = list(shown.values()), release.parameters
    absent = [line.name for line in lines.values() if not line.last]
    note = f"{panel.note} No figures in this profile: {listed(absent)}." if absent else panel.note
    limits = [
        (-1 if name.startswith("-") else 1) * parameters[name.removeprefix("-")] for name in panel.limits
    ]
    bands = [
        (None if low is None else parameters[low], None if high is None else parameters[high], color)
        for low, high, color in panel.bands
    ]
    since = None if first is None else year(first)
    return Figure(
        panel.key,
        panel.title,
        _pictures(
            panel.key,
            FULL if first is None else PANEL,
            lambda size: charts.lines_chart(drawn, size, limits, since, bands),
            panel.title,
            _described(drawn),
        ),
        panel.what,
        _window(min(drawn, key=lambda line: line.points[0][0])),
        release.publishers(*shown),
        list(dict.fromkeys(column.split(".")[0] for column in panel.lines)),
        note.strip(),
        () if panel.bands else drawn,  # charts side by side all have a legend, or none
        _values(drawn) if panel.is_main else None,
    )


def panel_figures(release: Release, panels: Iterable[Panel]) -> list[Figure]:
    """Those of the panels that have figures."""
    return [figure for panel in panels if (figure := panel_figure(release, panel))]


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
