"""The figures of the report: which columns each shows, with its caption, description and values by year."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assets.report import charts
from assets.report.charts import FULL, PANEL, Line, Size, Spec, inline_svg, year
from assets.report.published import Release, Sources
from assets.report.words import ABSENT, day, label_words, listed, month, number

SOLID, DASHED, DOTTED = (), (6, 3), (2, 2)
_EVENT_NAMES = {
    "qe1": "QE1",
    "qe2": "QE2",
    "qe3": "QE3",
    "bills_2019": "2019",
    "qe4_2020": "2020",
    "reserves_2025": "2025",
}
# A recession begins with the month after the peak and ends with the month of the trough.
_RECESSIONS = """
SELECT CAST(peak_month + INTERVAL 1 MONTH AS DATE) AS first, last_day(trough_month) AS last FROM recessions ORDER BY 1
"""


@dataclass(frozen=True)
class Caption:
    """What and unit; the window; sources; as-of and point in time. Always in this order."""

    what: str
    window: str
    sources: Sources
    as_of: str
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """A figure ready for the page: its SVG in each width, and values by year with the header first."""

    key: str
    title: str
    pictures: Sequence[str]
    caption: Caption
    legend: Sequence[Line] = ()
    table: Sequence[Sequence[str]] = ()


@dataclass(frozen=True)
class Panel:
    """A line chart over the years; its lines share one unit. `limits` are parameters drawn as dashed lines."""

    key: str
    title: str
    what: str
    unit: str
    lines: Sequence[tuple[str, str, str, tuple[int, ...]]]  # table.column, name, colour token, dash
    limits: Sequence[str] = ()
    note: str = ""
    decimals: int = 2


MONEY = Panel(
    "money",
    "Money supply against the real short rate",
    "M2, % on the year before; real short rate, % a year.",
    "%",
    [
        ("money_and_rates.m2_yoy_pct", "M2, year on year", "stim", SOLID),
        ("money_and_rates.real_short_rate_pct", "3-month bill less CPI inflation", "hot", DASHED),
    ],
)
MARKETS = (
    Panel(
        "premium",
        "Equity risk premium",
        "Earnings yield, %, and its excess over a 10-year yield, percentage points.",
        "%",
        [
            ("equity_risk_premium.earnings_yield_pct", "earnings yield", "ink", SOLID),
            ("equity_risk_premium.erp_vs_real_10y_pp", "over the real 10-year", "cold", DASHED),
            ("equity_risk_premium.erp_vs_nominal_10y_pp", "over the nominal 10-year", "hot", DOTTED),
        ],
        note="The level depends on the earnings basis of each row: compare ranks, not levels.",
    ),
    Panel(
        "yields",
        "Ten-year yields",
        "10-year Treasury yield, nominal and real, % a year.",
        "%",
        [
            ("real_yields.nominal_10y_pct", "nominal", "ink", SOLID),
            ("real_yields.real_10y_pct", "real", "stim", DASHED),
        ],
        note="Real: TIPS from January 2003, before that nominal less expected inflation.",
    ),
    Panel(
        "spreads",
        "Credit spreads",
        "Corporate bond spreads and the excess bond premium, percentage points.",
        "pp",
        [
            ("credit_spreads.gz_spread_pp", "Gilchrist-Zakrajsek", "ink", SOLID),
            ("credit_spreads.baa_10y_pp", "Baa less 10-year", "cold", DASHED),
            ("credit_spreads.hqm_10y_spread_pp", "high quality less 10-year", "cold", DOTTED),
            ("credit_spreads.ebp_pp", "excess bond premium", "hot", DASHED),
        ],
    ),
    Panel(
        "conditions",
        "Financial conditions",
        "National Financial Conditions Index; 0 is average, positive is tighter.",
        "sd",
        [("credit_spreads.nfci_index", "NFCI", "ink", SOLID)],
    ),
)
FED = (
    Panel(
        "assets",
        "Balance sheet and reserves",
        "Total assets of the Federal Reserve and reserve balances, % of GDP.",
        "% of GDP",
        [
            ("reserve_growth.fed_assets_pct_gdp", "Fed assets", "ink", SOLID),
            ("reserve_growth.reserve_balances_pct_gdp", "reserves", "stim", DASHED),
        ],
        decimals=1,
    ),
    Panel(
        "impulse",
        "Balance-sheet impulse",
        "Change of the balance sheet over half a year, at a yearly rate, % of GDP.",
        "% of GDP",
        [("reserve_growth.balance_sheet_impulse_pct_gdp", "impulse", "stim", SOLID)],
        ["stance.impulse_pct_gdp", "-stance.impulse_pct_gdp"],
        "Dashed: beyond it the balance sheet counts as growing or shrinking.",
    ),
    Panel(
        "monetisation",
        "Monetisation",
        "Fed purchases of Treasuries over a year, % of the change of the public debt and of the deficit.",
        "%",
        [
            ("monetisation.share_12m_pct", "of new public debt", "ink", SOLID),
            ("monetisation.share_12m_of_deficit_pct", "of the deficit", "gold", DASHED),
        ],
        [f"monetisation.{band}_from_pct" for band in ("building", "active", "dominant")],
        "Dashed: bands building, active and dominant.",
        decimals=0,
    ),
    Panel(
        "deficit",
        "Federal deficit",
        "Federal deficit of twelve months, % of GDP; a surplus is negative.",
        "% of GDP",
        [("fiscal_and_debt.deficit_12m_pct_gdp", "deficit", "ink", SOLID)],
        ["monetisation.minimum_deficit_pct_gdp"],
        "Dashed: below it no band of monetisation applies.",
        decimals=1,
    ),
)


def timeline_figure(release: Release) -> Figure | None:
    """The score since the first scored month-end, with the two lanes below it; None before there is one."""
    score = Line("Bubble score", "ink", release.history("regime", "bubble_score"), "score 0 to 1")
    if not score.points:
        return None
    shown = charts.Timeline(
        score,
        release.spells("regime"),
        release.spells("condition_state"),
        release.spells("stance"),
        [
            (row["as_of_date"], _EVENT_NAMES.get(row["phase"], f"{row['as_of_date']:%Y}"))
            for row in release.phases
            if row["kind"] == "qe_start"
        ],
        [(row["first"], row["last"]) for row in release.rows(_RECESSIONS)],
        release.parameters["state.bubble.enter_score"],
        release.parameters["state.depression.enter_score"],
    )
    lanes = "; ".join(
        f"{name} {label_words(spells[-1]['value'])} since {month(spells[-1]['first'])}"
        for name, spells in (("state", shown.states), ("stance", shown.stances))
    )
    description = (
        f"Bubble score from {month(score.points[0][0])} to {day(release.as_of)}, newest "
        f"{number(release.today['bubble_score'])}. Lanes below: {lanes}. Vertical lines: purchases announced."
    )
    note = (
        f"Dashed: a bubble can begin at {number(shown.enter_bubble)}, a depression at "
        f"{number(shown.enter_depression)}. Shaded: easing into a bubble (above), into a depression (below). "
        "Vertical lines: purchases announced. Grey: recessions as dated by the NBER, which dates them months later."
    )
    what = "Bubble score, 0 cold to 1 hot: mean of valuation, economy and credit."
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
        _caption(release, what, score, ["regime.bubble_score"], note),
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
        Caption(
            "Real return held to maturity, % a year.",
            f"Yields of {day(rows['treasury_10y']['observation_date'])}.",
            release.sources_of(["DGS10", "DFII10"]),
            as_of(release),
            "Arithmetic, not a forecast.",
        ),
    )


def panel_figure(release: Release, panel: Panel) -> Figure | None:
    """The panel drawn; lines without figures are named in the caption. None where no line has any."""
    lines = {
        column: Line(name, color, release.history(*column.split(".")), panel.unit, dash, panel.decimals)
        for column, name, color, dash in panel.lines
    }
    with_figures = {column: line for column, line in lines.items() if line.last}
    shown = list(with_figures.values())
    if not shown:
        return None
    absent = [line.name for line in lines.values() if not line.last]
    note = f"{panel.note} No figures in this profile: {listed(absent)}." if absent else panel.note
    limits = [
        (-1 if name.startswith("-") else 1) * release.parameters[name.removeprefix("-")]
        for name in panel.limits
    ]
    sizes, since = FULL, None
    if panel is not MONEY:  # small multiples begin in the same year, so that years line up below each other
        sizes = PANEL
        since = year(release.row("SELECT min(as_of_date) AS first FROM regime")["first"])
    longest = min(shown, key=lambda line: line.points[0][0])
    return Figure(
        panel.key,
        panel.title,
        _pictures(
            panel.key,
            sizes,
            lambda size: charts.lines_chart(shown, size, limits, since),
            panel.title,
            _described(shown),
        ),
        _caption(release, panel.what, longest, list(with_figures), note.strip()),
        shown,
        _by_year(shown),
    )


def panel_figures(release: Release, panels: Sequence[Panel]) -> list[Figure]:
    """Those of the panels that have figures."""
    return [figure for panel in panels if (figure := panel_figure(release, panel))]


def as_of(release: Release) -> str:
    """As-of date and point-in-time grade, the end of every caption."""
    grade = str(release.today["pit_grade"]).replace("_", " ")
    return f"As known on {day(release.as_of)}, {grade} point in time."


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


def _by_year(lines: Sequence[Line]) -> list[list[str]]:
    """The last figure of each year, newest year first; header first."""
    years: dict[int, dict[str, str]] = {}
    for line in lines:
        for day_of, value in line.points:
            if value is not None:
                years.setdefault(day_of.year, {})[line.name] = number(value, line.decimals)
    rows = [
        [str(when), *(found.get(line.name, ABSENT) for line in lines)]
        for when, found in sorted(years.items(), reverse=True)
    ]
    return [["Year", *(f"{line.name}, {line.unit}" for line in lines)], *rows]


def _caption(release: Release, what: str, line: Line, columns: Sequence[str], note: str) -> Caption:
    """Caption of a history; the window is that of `line`."""
    assert line.last is not None
    window = f"Month-ends {month(line.points[0][0])} to {month(line.last[0])}."
    return Caption(what, window, release.sources(*columns), as_of(release), note)


def _pictures(
    key: str, sizes: Sequence[Size], spec: Callable[[Size], Spec], title: str, description: str
) -> list[str]:
    """The chart drawn in every size."""
    return [inline_svg(spec(size), key, size.name, title, description) for size in sizes]
