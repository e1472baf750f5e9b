"""Writes `docs/validation.md` from a run on the sample: `python -m docs._generate.validation`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from assets.catalog.loader import PROJECT_ROOT
from assets.compute.regime import grid_states
from assets.compute.state import STATE_BY_CODE
from assets.report.record import CASES, POST
from assets.report.sentences import templates
from tests.helpers import SAMPLE_AS_OF, Computed, on_sample

PAGE = PROJECT_ROOT / "docs" / "validation.md"
# table, column, what a reader knew on the day of the post, tolerance: yields of the day before, unemployment of August
KNOWN = (
    ("real_yields", "nominal_10y_pct", 4.10, 0.005),
    ("real_yields", "tips_10y_pct", 1.81, 0.005),
    ("activity_inflation", "unemployment_rate_pct", 4.3, 0.001),
    ("activity_inflation", "cpi_yoy_pct", 3.0, 0.05),
    ("activity_inflation", "real_gdp_yoy_pct", 2.1, 0.05),
)
_FRAGILE = ("2012-09-30", "2021-11-30")
_QUERIED = (
    "regime", "outside_agreement", "parameter_sensitivity", "method_variants", "regime_changes", "event_responses",
)  # fmt: skip


def page() -> str:
    """The full page, from the sample alone."""
    computed, post = on_sample(), on_sample(POST)
    reading = post.readings
    return rendered(
        "validation",
        {name: computed.run.table(name).reset_index(names="position") for name in _QUERIED},
        as_of=SAMPLE_AS_OF,
        cases=list(_cases(computed)),
        regime=computed.frame.set_index(computed.frame.index.strftime("%Y-%m-%d")).to_dict("index"),
        post=post.frame.iloc[-1],
        post_day=POST,
        known=list(_known(post)),
        cited={name: entry.value for name, entry in post.catalog.reference_values.items()},
        bond=reading["real_yields.nominal_10y_pct"].value[-1],
        real=reading["real_yields.real_10y_pct"].value[-1],
        profits=reading["equity_risk_premium.earnings_yield_nipa_pct"].observation_date[-1],
        sets=grid_states(computed.regime).shape[1],
        near=computed.catalog.method.robustness.near_threshold,
        fragile=list(_FRAGILE),
        by_parameter=list(_by_parameter(computed)),
        least_agreed=10,
        window=3,
    )


def rendered(name: str, tables: Mapping[str, pd.DataFrame], **content: object) -> str:
    """A page by its template, which queries the tables by name."""
    with duckdb.connect() as con:
        for table, frame in tables.items():
            con.register(table, frame)

        def query(sql: str, *parameters: object) -> list[tuple[Any, ...]]:
            return con.execute(sql, parameters).fetchall()

        page = templates(Path(__file__).parent, (), autoescape=False).get_template(f"{name}.md.j2")
        return page.render(query=query, table=_table, **content).rstrip("\n") + "\n"


def _table(header: str, rows: Sequence[Sequence[object]]) -> str:
    """A table in Markdown; names of columns are separated like cells."""
    lines = [f"| {header} |", "| --- " * (header.count(" | ") + 1) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(map(str, row))} |" for row in rows)]) + "\n"


def _cases(computed: Computed) -> Iterator[tuple[str, ...]]:
    for first, last, column, expected in CASES:
        values = ", ".join(dict.fromkeys(computed.frame.loc[first:last, column]))
        months = first[:7] if first == last else f"{first[:7]} to {last[:7]}"
        yield months, column, expected, values, "yes" if values == expected else "**no**"


def _known(post: Computed) -> Iterator[tuple[str, ...]]:
    for name, column, expected, _ in KNOWN:
        reading = post.readings[f"{name}.{column}"]
        period = str(reading.observation_date[-1])
        yield f"`{name}.{column}`", f"{expected:g}", f"{reading.value[-1]:.2f}", period


def _by_parameter(computed: Computed) -> Iterator[tuple[str, str, str]]:
    """Per fragile month: how many sets say what, and the parameters in the order of their share."""
    codes = grid_states(computed.regime)
    shares = computed.run.table("parameter_sensitivity")
    for day in _FRAGILE:
        states = STATE_BY_CODE[codes[computed.frame.index.get_loc(day)]]
        counts = pd.Series(states).value_counts(normalize=True)
        of_day = shares[shares["as_of_date"] == day].sort_values("importance")
        yield (
            day[:7],
            ", ".join(f"{100 * n:.0f} % {state}" for state, n in counts.items()),
            ", ".join(
                f"`{row.parameter}` {100 * row.disagreement_share:.0f} %" for row in of_day.itertuples()
            ),
        )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
