"""Agreement with outside references: by hand, again in plain loops on the sample, and with a file of the user's."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import PROJECT_ROOT, load_catalog
from assets.catalog.outside import Agreement
from assets.compute.diagnostics.outside_agreement import outside_agreement, outside_references
from assets.run_facts import RunFacts
from assets.warehouse.readers import brought_files
from tests.helpers import Computed, on_real_series, on_sample

CATALOG = load_catalog()
SHOCKS = "jarocinski_karadi_shocks"
FILE = "shocks_fed_jk_m.csv"
RECORD = (PROJECT_ROOT / "docs/decisions/0019-outside-references.md").read_text(encoding="utf-8")


def labels(states: list[str], first: str = "2001-01-31") -> pd.DataFrame:
    """`regime` of month-ends in these states; one without a score where the state is indeterminate."""
    return pd.DataFrame(
        {
            "as_of_date": pd.date_range(first, periods=len(states), freq="ME"),
            "is_month_end": True,
            "condition_state": states,
            "stance": "stimulus",
            "valuation_score": 0.7,
            "bubble_score": [np.nan if state == "indeterminate" else 0.5 for state in states],
        }
    )


def agreement(regime: pd.DataFrame, brought: dict[str, pd.Series]) -> pd.DataFrame:
    references = outside_references(CATALOG, brought)
    return outside_agreement(references, regime, CATALOG).set_index("rule")


def test_shocks_are_summed_over_six_months_and_only_their_sign_counts() -> None:
    months = pd.date_range("2001-01-01", periods=8, freq="MS")
    shocks = pd.Series([0.1, -0.5, 0.1, 0.1, 0.1, 0.0, 0.1, 0.9], months)  # sums: -0.1, -0.1, 1.3
    references = outside_references(CATALOG, {SHOCKS: shocks})
    own = references[references["reference"] == SHOCKS]
    assert own["value"].tolist() == [-1.0, -1.0, 1.0] and own["date"].tolist() == list(months[5:])
    found = agreement(labels(["mid_cycle"] * 8), {SHOCKS: shocks}).loc["stimulus_is_easing_shocks"]
    assert (found["cases"], found["hits"], found["miss_dates"]) == (3, 2, "2001-08-31")
    assert found["hit_share"] >= found["threshold_share"] == 0.6 and found["meets_threshold"]
    gap = shocks.drop(months[4])
    assert SHOCKS not in set(outside_references(CATALOG, {SHOCKS: gap})["reference"]), (
        "no six months in a row"
    )


Plain = dict[str, list[tuple[pd.Timestamp, bool]]]  # cases of each rule, and whether each is a hit


def plain_recessions(frame: pd.DataFrame) -> Plain:
    turns = [(one.peak_month, one.trough_month) for one in CATALOG.recessions.recessions]
    found: Plain = {
        "recession_is_depression": [],
        "recession_is_not_bubble": [],
        "depression_is_recession": [],
    }
    for day, state in frame.loc[: str(CATALOG.recessions.checked_until), "condition_state"].items():
        is_recession = any(peak < dt.date(day.year, day.month, 1) <= trough for peak, trough in turns)
        if is_recession:
            found["recession_is_depression"].append((day, state == "depression"))
            found["recession_is_not_bubble"].append((day, state != "bubble"))
        if state == "depression":
            found["depression_is_recession"].append((day, is_recession))
    return found


def plain_others(frame: pd.DataFrame) -> Plain:
    gauge = {"2021-02": 77.0, "2024-02": 52.0, "2025-11": 80.0}
    reports = {f"{one.date:%Y-%m}" for one in CATALOG.outside_references["fed_asset_valuations"].readings}
    found: Plain = {"high_gauge_is_bubble": [], "low_gauge_is_not_bubble": [], "high_valuations_are_hot": []}
    for day, row in frame.iterrows():
        month, is_bubble = f"{day:%Y-%m}", row["condition_state"] == "bubble"
        if month in gauge and gauge[month] >= 70:
            found["high_gauge_is_bubble"].append((day, is_bubble))
        elif month in gauge:
            found["low_gauge_is_not_bubble"].append((day, not is_bubble))
        if month in reports:
            found["high_valuations_are_hot"].append((day, row["valuation_score"] >= 0.7))
    return found


def days_of(named: str | None) -> set[str]:
    """Month-ends of a text such as 2001-04-30 to 2001-08-31, 2008-01-31."""
    runs = [part.split(" to ") for part in named.split(", ")] if named else []
    return {f"{day:%Y-%m-%d}" for run in runs for day in pd.date_range(run[0], run[-1], freq="ME")}


def test_the_sample_in_plain_loops() -> None:
    table = counted_again(on_sample())
    assert f"{table.loc['high_valuations_are_hot', 'hits']} of 7 months are hits" in RECORD


def test_the_longer_files_in_plain_loops(realdata: Path) -> None:
    table = counted_again(on_real_series(realdata))
    assert f"{table.loc['high_valuations_are_hot', 'hits']} of 7 reports are hits, below" in RECORD


def counted_again(computed: Computed) -> pd.DataFrame:
    """The table, after every rule was counted again month-end by month-end."""
    table = computed.run.table("outside_agreement").set_index("rule")
    frame = computed.frame.dropna(subset="bubble_score")
    for rule, cases in (plain_recessions(frame) | plain_others(frame)).items():
        misses = {f"{day:%Y-%m-%d}" for day, is_hit in cases if not is_hit}
        assert (table.loc[rule, "cases"], table.loc[rule, "misses"]) == (len(cases), len(misses)), rule
        assert days_of(table.loc[rule, "miss_dates"]) == misses, rule
    return table


def facts(place: Path) -> RunFacts:
    moment = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
    published = place / "published" / "regime.duckdb"
    return RunFacts("run", "sample", moment.date(), moment, place, published, "code")


def test_a_file_of_the_user_is_read_from_outside_in_the_data_directory(tmp_path: Path) -> None:
    assert brought_files(CATALOG, facts(tmp_path)) == {}
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / FILE).write_text("year,month,MP_median\n2001,2,0.5\n2001,1,-0.25\n2001,3,NA\n")
    found = brought_files(CATALOG, facts(tmp_path))[SHOCKS]
    assert [f"{day:%Y-%m-%d}" for day in found.index] == ["2001-01-01", "2001-02-01", "2001-03-01"]
    assert found.tolist()[:2] == [-0.25, 0.5] and np.isnan(found.iloc[2])


def test_a_file_of_another_shape_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    for text, reason in (
        ("year,month\n2001,1\n", "MP_median"),
        ("year,month,MP_median\n2001,13,0.5\n", "replace it"),
        ("year,month,MP_median\n2001,1,much\n", "much"),
        ("year,month,MP_median\n2001,1,0.5\n2001,1,0.5\n", "twice"),
    ):
        (tmp_path / "outside" / FILE).write_text(text)
        with pytest.raises(ValueError, match=rf"^outside/{FILE}: [^\n]*{reason}[^\n]*$"):
            brought_files(CATALOG, facts(tmp_path))


def test_a_rule_that_says_two_things_is_refused() -> None:
    score = {
        "name": "hot",
        "statement": "A hit is hot.",
        "case": "reference",
        "label_column": "valuation_score",
    }
    for wrong, fault in (
        ({"reference_minimum": 1.0, "label_minimum": 0.7, "label_below": 0.9}, "label_values"),
        ({"reference_minimum": 1.0, "label_minimum": 0.7, "reference_below": 1.0}, "reference_minimum"),
        ({"reference_minimum": 1.0, "label_minimum": 0.7, "threshold_share": 0.6}, "threshold_share"),
    ):
        with pytest.raises(ValueError, match=f"key '{fault}'"):
            Agreement.model_validate(score | wrong)


def test_the_shocks_of_the_authors_file_in_plain_loops(realdata: Path, tmp_path: Path) -> None:
    """Registered before the file was opened: whatever comes out is published."""
    source = realdata / "outside" / "jarocinski_karadi_shocks_fed_m.csv"
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / FILE).write_bytes(source.read_bytes())
    run = on_sample().run
    stored = {"regime": run.table("regime")}
    run = replace(run, brought=brought_files(CATALOG, facts(tmp_path)), stored=stored)
    table = run.table("outside_agreement").set_index("rule")
    rows = pd.read_csv(source)
    by_month = {f"{int(r.year)}-{int(r.month):02d}": r.MP_median for r in rows.itertuples()}
    for stance, rule, sign in (
        ("stimulus", "stimulus_is_easing_shocks", -1),
        ("tightening", "tightening_is_tightening_shocks", 1),
    ):
        cases = hits = 0
        for day, row in on_sample().frame.dropna(subset="bubble_score").iterrows():
            window = [str(p) for p in pd.period_range(end=day.to_period("M"), periods=6, freq="M")]
            if row["stance"] == stance and all(month in by_month for month in window):
                cases += 1
                hits += sign * sum(by_month[month] for month in window) > 0
        assert (table.loc[rule, "cases"], table.loc[rule, "hits"]) == (cases, hits)
        assert f"{hits} of {cases} months of {stance}" in RECORD
