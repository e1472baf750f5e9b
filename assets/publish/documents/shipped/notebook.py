"""A notebook on the published file: the label, since when, why, and what was known on a date you choose.

It is next to regime.duckdb in a release and needs duckdb, pandas, altair and marimo:
    marimo run notebook.py     (to look)        marimo edit notebook.py     (to change a copy of it)
Every cell queries the file read-only; every figure is from the file.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Stimulus regime, point in time")


@app.cell
def _():
    from pathlib import Path

    import altair as alt
    import duckdb
    import marimo as mo

    con = duckdb.connect(str(Path(__file__).with_name("regime.duckdb")), read_only=True)

    def rows(query, *parameters):
        found = con.execute(query, list(parameters))
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def frame(query, *parameters):
        return con.execute(query, list(parameters)).df()

    def table(found):
        return mo.ui.table(found, selection=None, show_column_summaries=False, show_data_types=False)

    return alt, frame, mo, rows, table


@app.cell
def _(mo, rows):
    about = rows("FROM about")[0]
    _score = "no score" if about["bubble_score"] is None else f"score {about['bubble_score']:.2f} of 1"
    mo.md(
        f"# {about['regime'].replace('_', ' ').capitalize()}\n"
        f"since {about['regime_since']}, as of {about['as_of_date']}, {about['profile']} figures, {_score}, "
        f"method {about['method_version']}, release {about['release_id']}\n\n{about['what']} {about['caution']}"
    )
    return (about,)


@app.cell
def _(mo, rows):
    caveats = rows(
        "SELECT severity, text FROM caveats WHERE applies_now AND severity <> 'note' ORDER BY severity DESC"
    )
    listed = "\n".join(f"- **{caveat['severity']}** {caveat['text']}" for caveat in caveats)
    mo.md(f"## What to know first\n{listed or 'nothing beyond the notes in the table caveats'}")
    return


@app.cell
def _(alt, frame, mo):
    history = frame(
        "SELECT as_of_date, bubble_score, condition_state, stance FROM regime "
        "WHERE as_of_date >= (SELECT min(as_of_date) FROM regime WHERE bubble_score IS NOT NULL) ORDER BY as_of_date"
    )
    days = alt.X("as_of_date:T", title=None)
    over_time = alt.Chart(history, width=700, height=200).mark_line()
    over_time = over_time.encode(days, alt.Y("bubble_score:Q", title="bubble score, 0 to 1"))
    lanes = [
        alt.Chart(history, width=700, height=70)
        .mark_tick(thickness=2, height=14)
        .encode(days, alt.Y(f"{lane}:N", title=lane, sort=states), tooltip=["as_of_date:T", f"{lane}:N"])
        for lane, states in (
            ("condition_state", ["bubble", "mid_cycle", "depression", "indeterminate"]),
            ("stance", ["stimulus", "neutral", "tightening"]),
        )
    ]
    timeline = alt.vconcat(over_time, *lanes).resolve_scale(x="shared")
    mo.vstack([mo.md("## Each month-end as it was known then"), timeline])
    return (timeline,)


@app.cell
def _(mo, rows, table):
    evidence = rows(
        "SELECT condition, component, round(value, 2) AS value, unit, observation_date, available_on, "
        "round(score, 2) AS score, round(contribution, 3) AS contribution, absent_reason "
        "FROM evidence_current ORDER BY condition, contribution DESC"
    )
    mo.vstack([mo.md("## Why"), table(evidence)])
    return (evidence,)


@app.cell
def _(mo, rows, table):
    conditions = ("valuation", "economy", "inflation", "credit")
    verdicts = ", ".join(f"max(verdict) FILTER (WHERE condition = '{name}') AS {name}" for name in conditions)
    phases = rows(f"SELECT as_of_date, phase, {verdicts} FROM four_by_four GROUP BY ALL ORDER BY as_of_date")
    mo.vstack([mo.md("## Past easing against now"), table(phases)])
    return (phases,)


@app.cell
def _(mo, rows, table):
    scenarios = rows(
        "SELECT scenario, moves, regime_before, regime_after, regime_if_it_lasts, "
        "round(bubble_score_before, 2) AS score_before, round(bubble_score_after, 2) AS score_after FROM scenarios"
    )
    mo.vstack([mo.md("## What if?\nMore: `python -m pipelines what-if --help`"), table(scenarios)])
    return (scenarios,)


@app.cell
def _(mo, table):
    from pathlib import Path as _Path

    import pandas as _pandas

    _file = _Path(__file__).with_name("try.csv")
    relabelled = _pandas.read_csv(_file) if _file.exists() else None
    _how = (
        "`python -m pipelines try METHOD.toml --csv > try.csv`, written next to this notebook, is shown here."
    )
    _text = _how if relabelled is None else f"{len(relabelled)} month-ends have another label."
    _shown = [] if relabelled is None else [table(relabelled.to_dict("records"))]
    mo.vstack([mo.md(f"## An own method next to ours\n{_text}"), *_shown])
    return (relabelled,)


@app.cell
def _(mo, rows):
    _published = [
        row["series_id"] for row in rows("SELECT series_id FROM series WHERE is_published ORDER BY series_id")
    ]
    series = mo.ui.dropdown(_published, value="UNRATE", label="series")
    on = mo.ui.date(value="2025-11-05", label="known on")
    mo.vstack([mo.md("## What was known on this date?"), mo.hstack([series, on], justify="start")])
    return on, series


@app.cell
def _(alt, frame, mo, on, rows, series, table):
    known = frame(
        "SELECT observation_date, value, realtime_start, vintage_source FROM series_as_of(?, ?) "
        "WHERE value IS NOT NULL ORDER BY observation_date",
        series.value,
        on.value,
    )
    newest = rows(
        "FROM series_as_of(?, ?) WHERE value IS NOT NULL ORDER BY observation_date DESC LIMIT 12",
        series.value,
        on.value,
    )
    then = rows(
        "FROM regime WHERE is_month_end AND as_of_date <= ? ORDER BY as_of_date DESC LIMIT 1", on.value
    )
    label = (
        f"label of {then[0]['as_of_date']}: **{then[0]['regime']}**" if then else "before the first month-end"
    )
    _named = rows("SELECT title || ', ' || unit AS title FROM series WHERE series_id = ?", series.value)
    line = alt.Chart(known.tail(240), width=700, height=200, title=_named[0]["title"]).mark_line()
    line = line.encode(
        alt.X("observation_date:T", title=None), alt.Y("value:Q", title=None, scale=alt.Scale(zero=False))
    )
    mo.vstack([mo.md(f"As known on {on.value}; {label}"), line, table(newest)])
    return known, newest


if __name__ == "__main__":
    app.run()
