"""Writes `docs/validation.md` from a run on the sample: `python -m docs._generate.validation`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from assets.catalog.loader import PROJECT_ROOT
from assets.compute.diagnostics.attribution import regime_changes
from assets.compute.diagnostics.sensitivity import method_variants, parameter_sensitivity
from assets.compute.robustness import grid_states
from assets.compute.state import STATE_BY_CODE
from assets.report.record import CASES, POST
from tests.helpers import SAMPLE_AS_OF, Computed, on_sample

PAGE = PROJECT_ROOT / "docs" / "validation.md"
LEAST_AGREED = 10
# table, column, what a reader knew on the day of the post, tolerance: yields of the day before, unemployment of August
KNOWN = (
    ("real_yields", "nominal_10y_pct", 4.10, 0.005),
    ("real_yields", "tips_10y_pct", 1.81, 0.005),
    ("activity_inflation", "unemployment_rate_pct", 4.3, 0.001),
    ("activity_inflation", "cpi_yoy_pct", 3.0, 0.05),
    ("activity_inflation", "real_gdp_yoy_pct", 2.1, 0.05),
)
RESPONSE_MONTHS = 3
FRAGILE = ("2012-09-30", "2021-11-30")


def page() -> str:
    """The full page, from the sample alone."""
    computed, post = on_sample(), on_sample(POST)
    parts = [
        _head(),
        *_outside(computed),
        *_cases(computed),
        *_post(post),
        *_agreement(computed),
        *_fragile(computed),
        *_changes(computed),
        *_responses(computed),
    ]
    return "\n".join(parts) + "\n"


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"


def _head() -> str:
    return (
        "# Validation\n"
        f"Written from a run on the bundled sample as of {SAMPLE_AS_OF}; `python -m docs._generate.validation` "
        "writes it again, and a test compares the page with the sample. The same cases are tested on longer real "
        "series. The known dates were chosen together with the method: they are regression cases, which show that "
        "the labels did not move. They do not prove that the method is right.\n"
    )


def _outside(computed: Computed) -> Iterator[str]:
    frame = computed.run.table("outside_agreement")
    frame = frame.assign(miss_share=1.0 - frame["hit_share"]).sort_values(
        ["miss_share", "misses"], ascending=False, kind="stable"
    )
    yield "## Misses against outside references\n"
    yield (
        "What others dated or measured, the rule with the largest share of misses first. Rules marked exploratory were "
        "written after somebody had looked and have no threshold; the others were written before "
        "([decision 0019](decisions/0019-outside-references.md)). The last column is how often the hit's side is so in "
        "any month.\n"
    )
    yield table(
        ("who", "rule", "misses of cases", "hits", "threshold", "in any month"),
        [
            (
                row.who,
                row.statement,
                f"{row.misses} of {row.cases}" if row.cases else f"no case ({row.absent_reason})",
                _share(row.hit_share),
                _share(row.threshold_share) if row.status == "registered" else "exploratory",
                _share(row.base_share),
            )
            for row in frame.itertuples()
        ],
    )
    yield "Month-ends of the misses:\n"
    yield table(
        ("rule", "misses"),
        [(f"`{row.rule}`", row.miss_dates) for row in frame.itertuples() if row.misses],
    )


def _share(share: float) -> str:
    return "" if pd.isna(share) else f"{100 * share:.0f} %"


def _responses(computed: Computed) -> Iterator[str]:
    frame = computed.run.table("event_responses")
    measured = frame[(frame["window_months"] == RESPONSE_MONTHS) & frame["placebo_low_change"].notna()]
    yield "## What markets did after programmes and label changes\n"
    outside = int(measured["is_outside_band"].sum())
    yield (
        f"Mean change over {RESPONSE_MONTHS} full months, number of events first, and where the middle 90 percent of "
        f"random dates lie. {outside} of {len(measured)} means lie outside; of dates drawn at random one in ten would. "
        "`event_responses` has the other windows.\n"
    )
    yield table(
        ("event", "measure", "events (measured)", "mean change", "random dates"),
        [
            (
                f"`{row.event}`",
                f"`{row.measure}`, {row.unit}",
                f"{row.events} ({row.events_measured})",
                f"{row.mean_change:+.2f}{' (outside)' if row.is_outside_band else ''}",
                f"{row.placebo_low_change:+.2f} to {row.placebo_high_change:+.2f}",
            )
            for row in measured.itertuples()
        ],
    )


def _cases(computed: Computed) -> Iterator[str]:
    rows = []
    for first, last, column, expected in CASES:
        found = computed.frame.loc[first:last, column]
        values = ", ".join(dict.fromkeys(found))
        months = first[:7] if first == last else f"{first[:7]} to {last[:7]}"
        rows.append((months, column, expected, values, "yes" if values == expected else "**no**"))
    yield "## Known dates\n"
    yield table(("month-end", "column", "expected", "result", "passed"), rows)
    yield (
        "September 2012 must not be a bubble and is "
        f"`{computed.frame.loc['2012-09-30', 'condition_state']}`; March 2022 must not be stimulus and is "
        f"`{computed.frame.loc['2022-03-31', 'stance']}`. With the figures known "
        "then, March and April 2020 are mid-cycle: unemployment for March was published on 3 April, April's on 8 May.\n"
    )


def _post(post: Computed) -> Iterator[str]:
    row = post.frame.iloc[-1]
    yield f"## The post's own figures, as known on {POST}\n"
    rows = []
    for name, column, expected, _ in KNOWN:
        reading = post.readings[f"{name}.{column}"]
        rows.append(
            (f"`{name}.{column}`", f"{expected:g}", f"{reading.value[-1]:.2f}", reading.observation_date[-1])
        )
    yield table(("column", "the post", "computed", "period"), rows)
    cited = {name: entry.value for name, entry in post.catalog.reference_values.items()}
    forward = 100.0 * cited["forward_eps_usd"] / cited["sp500_close_index"]
    bond = post.readings["real_yields.nominal_10y_pct"].value[-1]
    real = post.readings["real_yields.real_10y_pct"].value[-1]
    profits = post.readings["equity_risk_premium.earnings_yield_nipa_pct"].observation_date[-1]
    yield (
        f"The label that day is `{row['regime']}`, score {row['bubble_score']:.3f}. The newest profits and equity "
        f"value known then are of the quarter that began on {profits}. The post's forward earnings yield is cited, not "
        f"computed: {cited['forward_eps_usd']:.2f} / {cited['sp500_close_index']:.2f} = {forward:.2f} percent. Its "
        f"premium is {forward:.2f} - {bond:.2f} = {forward - bond:.2f}; over the real yield it would "
        f"be {forward - real:.2f}.\n"
    )


def _agreement(computed: Computed) -> Iterator[str]:
    frame = computed.frame[computed.frame["agreement"].notna()]
    rows = [
        (
            state,
            len(rows),
            f"{rows['agreement'].mean():.2f}",
            f"{rows['agreement'].min():.2f}",
            int((rows["agreement"] == 1).sum()),
        )
        for state, rows in frame.groupby("condition_state")
    ]
    sets = grid_states(computed.regime, computed.catalog.method).shape[1]
    yield f"## Agreement of {sets} parameter sets\n"
    yield table(("state", "month-ends", "mean agreement", "lowest", "full agreement"), rows)
    near = computed.catalog.method.robustness.near_threshold
    count = int((frame["distance_to_threshold"] <= near).sum())
    yield f"{count} of {len(frame)} dates lie within {near:g} of a score threshold in force.\n"
    of_parameter = parameter_sensitivity(computed.regime)
    shares = of_parameter.groupby("parameter")["disagreement_share"].mean().sort_values(ascending=False)
    yield table(
        ("parameter", "share with different states among pairs of sets that differ only in this parameter"),
        [(f"`{name}`", f"{100 * share:.1f} %") for name, share in shares.items()],
    )
    named = _variants(computed)
    scored = named[named["as_of_date"].isin(frame.index)]
    same = scored.groupby("variant")["is_same_regime"].mean().sort_values()
    yield table(
        ("alternative, tested and not chosen", "same label"),
        [(f"`{name}`", f"{100 * share:.1f} %") for name, share in same.items()],
    )


def _fragile(computed: Computed) -> Iterator[str]:
    named = _variants(computed)
    rows = []
    for day in FRAGILE:
        row = computed.frame.loc[day]
        other = named[(named["as_of_date"] == day) & ~named["is_same_regime"]]
        rows.append(
            (
                day[:7],
                f"`{row['regime']}`",
                f"{row['bubble_score']:.3f} ({row['score_p05']:.2f} to {row['score_p95']:.2f})",
                f"{row['distance_to_threshold']:.3f}",
                ", ".join(f"`{v.variant}`: {v.regime_variant}" for v in other.itertuples()) or "none",
            )
        )
    yield "## Where the method is fragile\n"
    header = (
        "month-end",
        "label",
        "score (5 to 95 % of weights)",
        "distance to threshold",
        "other label under",
    )
    yield table(header, rows)
    yield (
        "States of the parameter sets in these months, and how often changing one parameter alone changes the "
        "state:\n"
    )
    yield table(("month-end", "states of the sets", "parameter and share of pairs"), _by_parameter(computed))
    frame = computed.frame[computed.frame["agreement"].notna()].nsmallest(LEAST_AGREED, "agreement")
    yield f"The {LEAST_AGREED} dates with the least agreement:\n"
    yield table(
        ("month-end", "label", "score", "agreement"),
        [
            (f"{day:%Y-%m}", f"`{row['regime']}`", f"{row['bubble_score']:.3f}", f"{row['agreement']:.2f}")
            for day, row in frame.sort_index().iterrows()
        ],
    )


def _by_parameter(computed: Computed) -> Iterator[tuple[str, str, str]]:
    """Per fragile month: how many sets say what, and the parameters in the order of their share."""
    codes = grid_states(computed.regime, computed.catalog.method)
    shares = parameter_sensitivity(computed.regime)
    for day in FRAGILE:
        states = STATE_BY_CODE[codes[computed.frame.index.get_loc(day)]]
        of_day = shares[shares["as_of_date"] == day].sort_values("importance")
        yield (
            day[:7],
            ", ".join(
                f"{100 * n:.0f} % {state}"
                for state, n in pd.Series(states).value_counts(normalize=True).items()
            ),
            ", ".join(
                f"`{row.parameter}` {100 * row.disagreement_share:.0f} %" for row in of_day.itertuples()
            ),
        )


def _changes(computed: Computed) -> Iterator[str]:
    changes = regime_changes(computed.regime)
    states = changes[changes["component"].notna()]
    yield "## Cause of each change of state\n"
    yield table(
        ("month-end", "from", "to", "thresholds", "component", "decisive alone"),
        [
            (
                f"{row.as_of_date:%Y-%m}",
                row.condition_state_before,
                row.condition_state,
                row.thresholds_crossed,
                f"{row.component} {row.component_value_before:.2f} to {row.component_value:.2f} {row.component_unit}",
                "yes" if row.is_decisive else "no",
            )
            for row in states.itertuples()
        ],
    )


def _variants(computed: Computed) -> pd.DataFrame:
    return method_variants(computed.regime)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
