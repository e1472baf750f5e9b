"""`what-if` against the published label, `distance_to_flip` and every date computed anew; `try`: an own method."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from assets.catalog.loader import load_catalog
from assets.catalog.moves import MoveError
from assets.compute.archive import with_vintage
from assets.compute.calendar import days
from assets.compute.diagnostics.joint_moves import Baseline, Effect, baseline_of, comparison, newest, what_if
from assets.compute.registry import Computation
from pipelines import __main__ as command_line
from pipelines.commands.what_if import read_baseline
from tests.helpers import files_of, on_sample
from tests.integration.conftest import Night

Rows = dict[str, dict[str, Any]]


def baseline(con: duckdb.DuckDBPyConnection, date: dt.date | None = None) -> Baseline:
    profile, version = con.execute("SELECT profile, method_version FROM release_manifest").fetchall()[0]
    return read_baseline(con, load_catalog(), {"profile": profile, "method_version": version}, date)


@pytest.fixture(scope="module")
def base(release: duckdb.DuckDBPyConnection) -> Baseline:
    return baseline(release)


def by_item(found: Effect) -> Rows:
    return {row["item"]: row for row in comparison(found)}


@pytest.mark.parametrize("date", [None, dt.date(2009, 3, 31), dt.date(1998, 6, 30)])
def test_without_a_move_the_published_label_scores_and_contributions_come_out(
    release: duckdb.DuckDBPyConnection, date: dt.date | None
) -> None:
    base = baseline(release, date)
    found = what_if(base, [])
    day = base.view.as_of[0].item()
    published = release.execute(
        "SELECT regime, bubble_score FROM regime WHERE as_of_date = ?", [day]
    ).fetchall()[0]
    assert (
        found.before.label,
        pytest.approx(float(found.before.regime.bubble_score[0]), abs=1e-12),
    ) == published
    rows = by_item(found)
    for condition, component, contribution in release.execute(
        "SELECT condition, component, contribution FROM regime_evidence WHERE as_of_date = ?", [day]
    ).fetchall():
        row = rows[f"{condition}.{component}"]
        assert row["contribution_before"] == (
            None if row["value_before"] is None else pytest.approx(contribution, abs=1e-12)
        )


def flips_as_promised(base: Baseline, row: dict[str, Any]) -> list[str]:
    """What is not as `distance_to_flip` says when its required value is fed back."""
    # "inside" is strictly between the limits, of which the nearer one is listed
    required = row["required_value"] * (1.0 - 1e-6 if row["comparison"] == "inside" else 1.0)
    found = what_if(base, [f"{row['component']}={required!r}"])
    wrong = []
    if row["condition"] == "stance":
        if found.after.stance != row["leads_to"]:
            wrong.append("stance")
        return wrong
    if row["measure"] == "bubble_score":
        value = float(found.after.regime.bubble_score[0])
    else:
        value = float(found.after.regime.conditions[row["measure"].removesuffix("_score")].score[0])
    limit, sign = row["limit_value"], row["comparison"]
    if not {"<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit}[sign]:
        wrong.append(f"{row['measure']} {value} {sign} {limit}")
    if row["is_sufficient"]:
        # leaving one state may be entering another at once
        if not found.after.lasting.endswith(row["leads_to"]) and not row["flip"].startswith("leave"):
            wrong.append(f"label {found.after.lasting}")
        # where the rule already holds, the row counts the month-ends after the date
        most = row["month_ends_needed"] + (found.before.lasting != found.before.label)
        if found.after.lasting == found.before.label or found.after.month_ends_needed > most:
            wrong.append(f"{found.after.lasting} after {found.after.month_ends_needed}")
    return wrong


def reachable(con: duckdb.DuckDBPyConnection, since: str) -> Iterator[tuple[Baseline, dict[str, Any]]]:
    con.execute(
        f"SELECT * FROM distance_to_flip WHERE reachability = 'reachable' AND as_of_date >= DATE '{since}' "
        "ORDER BY as_of_date, flip, threshold, component"
    )
    names = [column[0] for column in con.description or []]
    rows = [dict(zip(names, row, strict=True)) for row in con.fetchall()]
    for day, of_day in groupby(rows, key=lambda row: row["as_of_date"]):
        base = baseline(con, day)
        for row in of_day:
            yield base, row


def test_the_reachable_values_of_the_last_years_flip_the_label(release: duckdb.DuckDBPyConnection) -> None:
    checked = [(base, row, flips_as_promised(base, row)) for base, row in reachable(release, "2025-01-01")]
    assert [
        (row["as_of_date"], row["flip"], row["component"], wrong) for _, row, wrong in checked if wrong
    ] == []
    assert len(checked) > 30 and any(row["is_sufficient"] for _, row, _ in checked)


def test_the_ten_year_yield_moves_both_premia_and_the_spread_over_it(base: Baseline) -> None:
    before, after = what_if(base, []), what_if(base, ["DGS10=-1pp"])
    was, now = by_item(before), by_item(after)
    for item, by in (
        ("valuation.erp_vs_nominal_10y", 1.0),
        ("valuation.erp_vs_real_10y", 1.0),
        ("credit.hqm_10y_spread", 1.0),
    ):
        assert now[item]["value_after"] - was[item]["value_before"] == pytest.approx(by, abs=1e-9)
    alone = by_item(what_if(base, ["DGS10=-1pp", "DFII10=+0pp", "GS10=+0pp"]))
    assert (
        alone["valuation.erp_vs_real_10y"]["value_after"] == was["valuation.erp_vs_real_10y"]["value_before"]
    )
    assert alone["credit.hqm_10y_spread"]["value_after"] == was["credit.hqm_10y_spread"]["value_before"]


def test_a_fall_of_equities_reaches_every_figure_of_their_price(base: Baseline) -> None:
    rows = by_item(what_if(base, ["equities=-20%"]))

    def both(item: str) -> tuple[float, float]:
        return rows[item]["value_before"], rows[item]["value_after"]

    before, after = both("valuation.equity_value_to_gdp")
    assert after == pytest.approx(0.8 * before)
    yield_before, yield_after = both("valuation.earnings_yield")
    assert yield_after == pytest.approx(yield_before / 0.8)
    for premium in ("erp_vs_nominal_10y", "erp_vs_real_10y"):
        before, after = both(f"valuation.{premium}")
        assert after - before == pytest.approx(yield_after - yield_before)
    for change in ("equity_drawdown", "equity_return_12m"):
        before, after = both(f"valuation.{change}")
        assert 1.0 + after / 100.0 == pytest.approx(0.8 * (1.0 + before / 100.0))


def test_what_is_left_out_gives_its_weight_to_the_rest(base: Baseline) -> None:
    rows = by_item(what_if(base, [], ["NFCI"]))
    assert rows["credit.nfci"]["contribution_after"] is rows["credit.nfci"]["value_after"] is None
    assert rows["credit.nfci"]["contribution_change"] == -rows["credit.nfci"]["contribution_before"]
    assert rows["credit.hqm_10y_spread"]["weight_after"] == pytest.approx(1.0)
    of_series = by_item(what_if(base, [], ["UNRATE"]))
    assert (
        of_series["economy.unemployment"]["value_after"]
        is of_series["economy.sahm_gap"]["value_after"]
        is None
    )


def test_a_group_is_left_out_whole(base: Baseline) -> None:
    for group, item in (("spreads", "credit.hqm_10y_spread"), ("equities", "valuation.equity_drawdown")):
        found = what_if(base, [], [group])
        assert by_item(found)[item]["value_after"] is None and found.after.label == "indeterminate"


@pytest.mark.parametrize(
    "moves", ["spreads=+2pp", "DGS10=-1pp spreads=+2pp", "spreads=+2pp GS10=+1pp", "DGS10=3.5 spreads=+2pp"]
)
def test_spreads_widen_by_their_move_whatever_the_yield_below_them_does(base: Baseline, moves: str) -> None:
    row = by_item(what_if(base, moves.split()))["credit.hqm_10y_spread"]
    assert row["value_after"] - row["value_before"] == pytest.approx(2.0, abs=1e-9)


def test_an_input_can_be_named_as_the_output_names_it(base: Baseline) -> None:
    named = by_item(what_if(base, ["valuation.earnings_yield=6"], ["credit.nfci"]))
    assert named == by_item(what_if(base, ["earnings_yield=6"], ["nfci"]))


def test_a_move_that_cannot_be_made_is_one_line_with_the_way_out(base: Baseline) -> None:
    for move, named in {
        "UNRAT=5": "did you mean UNRATE",
        "spread=+2pp": "did you mean spreads",
        "NFCI=+2pp": "not in percent",
        "DGS10=+5%": "DGS10=+1pp",
        "UNRATE=5%": "sign",
        "DGS10=+0.5": "the unit of a change",
        "UNRATE=-3": "give 1 to 30",
        "WALCL=6700": "(Millions of U.S. Dollars)",
        "equities=+2pp": "equities=-20%",
        "spreads=5": "spreads=+2pp",
        "BAA10Y=3": "not in this profile",
        "NFCI=-5%": "give its level",
        "UNRATE": "NAME=VALUE",
        "M2SL=5": "changes no label",
        "cape=-20%": "cape has no figure on the date: give its level",
        "UNRATE=5 unrate=6": "unrate is given twice",
    }.items():
        with pytest.raises(MoveError, match=re.escape(named)) as error:
            what_if(base, move.split())
        assert "\n" not in str(error.value)
    with pytest.raises(MoveError, match="unrate is given twice"):
        what_if(base, ["UNRATE=5"], ["economy.unrate", "UNRATE"])


def test_a_restricted_series_that_is_not_in_the_file_is_named(release: duckdb.DuckDBPyConnection) -> None:
    live = read_baseline(
        release,
        load_catalog(),
        {"profile": "live", "method_version": load_catalog().method.method_version},
        None,
    )
    with pytest.raises(MoveError, match="BAA10Y cannot be moved: its rights are restricted"):
        what_if(live, ["BAA10Y=+1pp"])
    assert any("BAA10Y is held still" in note for note in what_if(live, ["DGS10=+0.1pp"]).notes)


def test_the_command_prints_text_json_and_csv_of_the_same_rows(
    installed_night: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["what-if", "UNRATE=5.0", "equities=-20%", "--without", "NFCI"]
    printed = {}
    for form in ((), ("--json",), ("--csv",)):
        assert command_line.main([*arguments, *form]) == 0
        printed[form] = capsys.readouterr().out
    rows = json.loads(printed[("--json",)])
    assert len(printed[("--csv",)].splitlines()) == len(rows) + 1
    label = next(row for row in rows if row["item"] == "regime")
    assert label["text_before"] in printed[()] and label["text_after"] in printed[()]
    assert command_line.main(["what-if"]) == 2
    assert "nothing moves" in capsys.readouterr().err


def test_the_scenarios_of_the_night_are_what_the_command_gives(
    release: duckdb.DuckDBPyConnection, base: Baseline
) -> None:
    release.execute("SELECT * FROM scenarios ORDER BY scenario")
    names = [column[0] for column in release.description or []]
    rows = [dict(zip(names, row, strict=True)) for row in release.fetchall()]
    assert [row["scenario"] for row in rows] == sorted(load_catalog().what_if.scenarios)
    for row in rows:
        assert row["not_computed_reason"] is None
        found = what_if(base, row["moves"].split(" "))
        assert row["regime_after"] == found.after.label
        assert row["bubble_score_after"] == pytest.approx(
            float(found.after.regime.bubble_score[0]), abs=1e-12
        )
        assert row["bubble_score_before"] == pytest.approx(
            float(found.before.regime.bubble_score[0]), abs=1e-12
        )
    assert any(row["regime_after"] != row["regime_before"] for row in rows)


# ---- against a complete computation

# without equities, which move figures and not series; "+0pp" stops what follows the ten-year yield
CASES = [
    *(("2026-09-30", move) for move in ("UNRATE=6.5", "CPIAUCSL=+1%", "DFEDTARU=-75bp", "WALCL=+12%")),
    ("2026-09-30", "DGS10=-1pp DFII10=+0pp GS10=+0pp EXPINF10YR=+0pp UNRATE=+1pp EBP=+2pp"),
    ("2020-04-17", "UNRATE=+1pp GDP=-4% NFCI=0.8 CP=-20% TOTBKCR=+3%"),
]


@pytest.mark.parametrize(("date", "written"), CASES)
def test_scores_stance_and_contributions_are_those_of_a_complete_computation(date: str, written: str) -> None:
    run, moves = on_sample(date).run, written.split()
    base, archive, day = baseline_of(run.view, run.regime), run.archive, run.grid.as_of[-1]
    effect = what_if(base, moves)
    found = effect.after
    assert effect.figures or "no figure changed" in effect.notes[-1]
    for move in moves:
        series_id, change = move.split("=")
        period, value = newest(base.view, series_id) or (None, np.nan)
        moved = {
            "%": lambda v, x: v * (1 + x / 100),
            "pp": lambda v, x: v + x,
            "bp": lambda v, x: v + x / 100,
        }
        unit = next((unit for unit in moved if change.endswith(unit)), "")
        size = float(change.removesuffix(unit))
        at = day if series_id == "DFEDTARU" else period
        archive = with_vintage(archive, series_id, at, day, moved[unit](value, size) if unit else size)
    complete = Computation(archive, run.grid, run.catalog, run.profile).regime
    assert found.regime.bubble_score[0] == pytest.approx(complete.bubble_score[-1], abs=1e-12)
    assert found.stance == complete.stance.stance[-1]
    is_month_end = complete.grid.is_month_end[-1]
    state = (complete.states.state if is_month_end else complete.states.provisional)[-1]
    assert found.state == state
    for name, condition in complete.conditions.items():
        mine = found.regime.conditions[name]
        np.testing.assert_allclose(mine.weights[:, 0], condition.weights[:, -1], atol=1e-12)
        for one, other in zip(mine.components, condition.components, strict=True):
            np.testing.assert_allclose(one.score[0], other.score[-1], atol=1e-12, err_msg=one.name)


def test_a_view_of_an_earlier_date_moves_the_figures_known_then() -> None:
    view = replace(on_sample().run.view, as_of=days("2009-03-31"))
    period, value = newest(view, "UNRATE") or (None, None)
    assert (str(period), value) == ("2009-02-01", 8.3)


OWN = """
[state.bubble]
enter_score = 0.65
[stance]
rate_window_months = 9
[credit]
weight_spreads = 0.4
weight_nfci = 0.35
"""


@pytest.fixture
def data(installed_night: Night) -> Path:
    return installed_night.published.parents[1]


def test_months_are_relabelled_with_their_cause_and_nothing_is_written(
    data: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path_factory.mktemp("own") / "own.toml"
    file.write_text(OWN, encoding="utf-8")
    before = files_of(data)
    assert command_line.main(["try", str(file), "--json"]) == 0
    printed = capsys.readouterr()
    assert files_of(data) == before
    assert "4 parameters differ" in printed.err
    rows = {row["as_of_date"]: row for row in json.loads(printed.out)}
    assert len(rows) > 20 and all(
        row["cause"] and row["regime"] != row["regime_own"] for row in rows.values()
    )
    by_part = {
        part: [r["cause"] for r in rows.values() if r["changed_part"] == part]
        for part in ("stance", "condition")
    }
    assert all("9 months" in cause and "6 months" in cause for cause in by_part["stance"])
    assert any("state.bubble.enter_score >= 0.65" in cause for cause in by_part["condition"])
    assert rows["2019-08-31"]["regime"] == "stimulus_mid_cycle" and "unchanged" in rows["2019-08-31"]["cause"]


def test_our_own_method_relabels_nothing_and_gives_the_published_labels(
    data: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path_factory.mktemp("own") / "own.toml"
    file.write_text(f"[state.bubble]\nenter_score = {load_catalog().method.state.bubble.enter_score}\n")
    assert command_line.main(["try", str(file)]) == 0
    out = capsys.readouterr().out
    assert "0 of 501 month-ends have another label" in out and "no parameter differs" in out


def test_a_wrong_or_missing_file_is_one_line_naming_file_and_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "own.toml"
    for text, named in (
        (None, "own.toml: file is missing"),
        ("[state.buble]\nenter_score = 0.6", "unknown key 'buble' (did you mean 'bubble'?)"),
        ("[credit]\nweight_nfci = 0.9", "weights sum to"),
        ("[state.bubble]\nenter_score = 2.0", "enter_score"),
        ("[state.bubble\n", "not valid TOML"),
        ("state = 3", "state"),
    ):
        if text is not None:
            file.write_text(text, encoding="utf-8")
        assert command_line.main(["try", str(file)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "own.toml" in line and named in line
