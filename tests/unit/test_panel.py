"""`panel`: the yearly rule against plain pandas, outcomes by hand, and one line for any other file."""

from __future__ import annotations

import hashlib
import io
import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import PROJECT_ROOT, load_catalog
from assets.compute.diagnostics.country_years import ALL, CASE, by_label, country_years, measured
from pipelines import __main__ as command_line
from pipelines.commands.panel import read_data_set
from pipelines.settings import ConfigurationError
from tests import plain_panel

CATALOG = load_catalog()
REAL = PROJECT_ROOT.parent / "shared" / "realdata" / "outside" / "JSTdatasetR6.csv"


@cache
def generated() -> pd.DataFrame:
    """A data set of the layout of release 6: waves and noise, some columns late, some empty."""
    random, parts = np.random.default_rng(6), []
    years = np.arange(1870, 2021)
    for n in range(18):
        noise = random.normal(size=(9, len(years)))
        wave = np.sin(years / (4.0 + n / 6.0) + n)
        of = pd.DataFrame(
            {"year": years, "country": f"Country {n}", "iso": f"C{n:02}", "pop": 1000.0 + years}
        )
        of["rgdpmad"] = 3000.0 * np.exp(np.cumsum(0.02 + 0.02 * wave + 0.01 * noise[0]))
        of["cpi"] = 10.0 * np.exp(np.cumsum(0.02 + 0.02 * noise[1]))
        of["stir"] = (4.0 + 1.5 * wave + 0.3 * noise[2]).round(2)
        of["ltrate"] = 5.0 + wave + 0.2 * noise[3]
        of["unemp"] = (6.0 - 2.0 * wave + 0.2 * noise[4]).round(1)
        of["tloans"] = 50.0 * np.exp(np.cumsum(0.05 + 0.06 * wave + 0.02 * noise[5]))
        of["crisisJST"] = (noise[6] > 1.8).astype(float)
        of["eq_capgain"] = 0.04 + 0.15 * wave + 0.1 * noise[7]
        of["eq_dp"] = 0.04 - 0.01 * wave + 0.002 * noise[8]
        of["eq_tr"] = of["eq_capgain"] + of["eq_dp"]
        of.loc[of["year"].between(1944, 1949), "eq_capgain"] = np.nan
        of.loc[of["year"] < 1890 + n, "unemp"] = np.nan
        if n > 15:
            of[["eq_tr", "eq_capgain", "eq_dp"]] = np.nan
        parts.append(of)
    return pd.concat(parts, ignore_index=True)


def data_set(source: str) -> pd.DataFrame:
    if source == "generated":
        return generated().query("iso < 'C05' or iso == 'C17'")
    if not REAL.exists():
        pytest.skip("the data set is not next to the project")
    return read_data_set(REAL)


@pytest.mark.parametrize("source", ["generated", "real"])
def test_labels_and_outcomes_agree_with_plain_pandas(source: str) -> None:
    data = data_set(source)
    cases = country_years(data, CATALOG)
    found, plain = measured(cases).reset_index(drop=True), plain_panel.country_years(data)
    assert found[["iso", "year", "regime"]].equals(plain[["iso", "year", "regime"]])
    for ours, theirs in (("bubble_score", "score"), ("real_return_pct", "return"), ("crisis_pct", "crisis")):
        np.testing.assert_allclose(found[ours], plain[theirs], rtol=0, atol=1e-9)
    table = by_label(cases, CATALOG.method).set_index("regime")
    for regime in (CASE, "tightening_into_bubble"):
        row, own = table.loc[regime], plain[plain["regime"] == regime]
        assert row["episodes"] == len(own[["iso", "spell"]].drop_duplicates()) >= 5
        for outcome, mean in (("return", "mean_real_return_pct"), ("crisis", "crisis_share_pct")):
            assert row[mean] == pytest.approx(own[outcome].mean(), abs=1e-9)
            difference = own[outcome].mean() - plain[outcome].mean()
            assert row[f"{mean}_less_all"] == pytest.approx(difference, abs=1e-9)
            bounds = [row[f"{mean}_less_all_low"], row[f"{mean}_less_all_high"]]
            assert bounds == pytest.approx(plain_panel.interval(plain, regime, outcome), abs=1e-9)
    assert table.loc[ALL, "country_years"] == len(plain)
    better = plain["return"] >= plain["return"].mean()
    counted = table["returned_at_least_the_mean_of_all"]
    assert counted[CASE] == int((better & (plain["regime"] == CASE)).sum())
    assert table.loc[CASE, "without_crisis"] == int(
        ((plain["regime"] == CASE) & (plain["crisis"] == 0)).sum()
    )


def test_a_later_year_changes_no_earlier_label() -> None:
    data = generated().query("iso < 'C03'")
    columns = ["iso", "year", "regime", "bubble_score", "valuation_score"]
    early = country_years(data[data["year"] <= 1990], CATALOG)[columns]
    late = country_years(data, CATALOG)[columns]
    pd.testing.assert_frame_equal(early, late[late["year"] <= 1990].reset_index(drop=True))


def test_the_command_prints_misses_first_the_hash_the_differences_and_that_it_is_exploratory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "own.csv"
    generated().to_csv(file, index=False)
    assert command_line.main(["panel", str(file)]) == 0
    text = capsys.readouterr().out
    assert hashlib.sha256(file.read_bytes()).hexdigest() in text.splitlines()[0]
    ordered = ("Misses first: after", CASE, "What differs from the monthly rule:", "Exploratory", "release 6")
    assert sorted(ordered, key=text.index) == list(ordered)

    assert command_line.main(["panel", str(file), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    table = by_label(country_years(read_data_set(file), CATALOG), CATALOG.method)
    assert [row["regime"] for row in rows] == table["regime"].tolist()
    assert {row["file_sha256"] for row in rows} == {hashlib.sha256(file.read_bytes()).hexdigest()}

    assert command_line.main(["panel", str(file), "--csv", "--cases"]) == 0
    printed = capsys.readouterr()
    assert len(pd.read_csv(io.StringIO(printed.out))) == 18 * 151
    assert "Exploratory" in printed.err

    assert command_line.main(["panel", str(file), "--cases"]) == 0
    assert "Exploratory" in capsys.readouterr().err


def test_any_other_file_is_one_line_with_the_way_out(tmp_path: Path) -> None:
    data = generated()
    text = data.to_csv(index=False)
    for message, content, name in (
        ("download it again", text[: len(text) // 2].rpartition("\n")[0], "own.csv"),
        ("has 2,717 rows", data[:-1].to_csv(index=False), "own.csv"),
        ("has 2,719 rows", pd.concat([data, data[:1]]).to_csv(index=False), "own.csv"),
        ("no column stir", data.drop(columns="stir").to_csv(index=False), "own.csv"),
        ("column cpi is not numeric", data.assign(cpi="n/a?").to_csv(index=False), "own.csv"),
        ("cannot be read", text, "own.xlsx"),
        ("not a .xlsx", text, "own.pdf"),
        ("there is no file", None, "none.csv"),
    ):
        if content is not None:
            (tmp_path / name).write_text(content, encoding="utf-8")
        with pytest.raises(ConfigurationError, match=message) as caught:
            read_data_set(tmp_path / name)
        assert "\n" not in str(caught.value)
