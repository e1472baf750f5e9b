"""Every way we could think of in which an input goes wrong blocks the publication, by a check with a name."""

from __future__ import annotations

import csv
import datetime as dt
import io
import shutil
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from assets.catalog.loader import PROJECT_ROOT, load_catalog
from assets.catalog.models import Series
from assets.raw import ingest
from assets.sources.sample import SampleSource
from assets.warehouse.tables import append_rows
from checks.archive import check_archive
from tests.builders import an_archive
from tests.integration.sample_night import SAMPLE_END, night_facts

pytestmark = pytest.mark.slow
REFUSED = "fetch_status__not_refused"
Mutation = Callable[[Path], None]
Line = tuple[str, str]


def folder_of(place: Path) -> Path:
    """A sample folder below `place` whose files are links, to be replaced one by one."""
    folder = place / "sample_data"
    folder.mkdir()
    for file in (PROJECT_ROOT / "sample_data").iterdir():
        (folder / file.name).symlink_to(file)
    return folder


def text(series_id: str, change: Callable[[str], str | bytes]) -> Mutation:
    """The text of one file changed."""

    def mutate(folder: Path) -> None:
        file = folder / (series_id if "." in series_id else f"{series_id}.csv")
        changed = change(file.read_text(encoding="utf-8"))
        file.unlink()
        file.write_bytes(changed if isinstance(changed, bytes) else changed.encode())

    return mutate


def rows(series_id: str, change: Callable[[list[Line]], Sequence[Line]]) -> Mutation:
    """The rows of one file changed, its header kept."""

    def change_text(content: str) -> str:
        header, *lines = csv.reader(io.StringIO(content))
        changed = change([(line[0], line[1]) for line in lines])
        return "\n".join(",".join(line) for line in (header, *changed)) + "\n"

    return text(series_id, change_text)


def figures(
    series_id: str, change: Callable[[float], float], first: str = "0", last: str = "9999"
) -> Mutation:
    """The figures of one file changed, between two dates."""
    return rows(
        series_id,
        lambda lines: [
            (day, f"{change(float(value)):.10g}" if value and first <= day <= last else value)
            for day, value in lines
        ],
    )


def provenance(change: Callable[[dict[str, str]], dict[str, str]]) -> Mutation:
    """What is stated of the files changed, line by line."""

    def change_text(content: str) -> str:
        lines, out = list(csv.DictReader(io.StringIO(content))), io.StringIO()
        writer = csv.DictWriter(out, list(lines[0]))
        writer.writeheader()
        writer.writerows(map(change, lines))
        return out.getvalue()

    return text("provenance.csv", change_text)


def stated(series_id: str, column: str, value: str) -> Mutation:
    """Another statement of the publisher about a series."""
    return provenance(lambda line: {**line, column: value} if line["series_id"] == series_id else line)


# How many rows a file has is not stated: the count shall not be what catches the fault.
without_rows = provenance(lambda line: {**line, "rows": ""})


def swapped(one: str, other: str) -> Mutation:
    """Two files under each other's name."""

    def mutate(folder: Path) -> None:
        first, second = (folder / f"{name}.csv" for name in (one, other))
        texts = first.read_text(encoding="utf-8"), second.read_text(encoding="utf-8")
        for file, content in zip((first, second), reversed(texts), strict=True):
            file.unlink()
            file.write_text(content, encoding="utf-8")
        without_rows(folder)

    return mutate


def copied(source: str, target: str) -> Mutation:
    """One file under another's name too."""

    def mutate(folder: Path) -> None:
        (folder / f"{target}.csv").unlink()
        shutil.copyfile(folder / f"{source}.csv", folder / f"{target}.csv")
        without_rows(folder)

    return mutate


def moved(series_id: str, months: int) -> Mutation:
    """Every figure stamped some months later; what would lie after the last stamp is left out."""

    def change(lines: list[Line]) -> list[Line]:
        stamps = [day for day, _ in lines]
        return list(zip(stamps[months:], [value for _, value in lines[: len(lines) - months]], strict=True))

    def mutate(folder: Path) -> None:
        rows(series_id, change)(folder)
        without_rows(folder)

    return mutate


# name: what happened, the file, and the check that must say so (for a refused payload: the rule that refused it)
MUTATIONS: dict[str, tuple[Mutation, str]] = {
    # units and scales
    "assets_in_billions": (figures("WALCL", lambda v: v / 1000), "implausible_value"),
    "reserves_in_billions_lately": (figures("WRESBAL", lambda v: v / 1000, "2025-07"), "WRESBAL__within_walcl"),
    "money_a_fifth": (figures("M2SL", lambda v: v / 5, "2020"), "BOGMBASE__within_m2sl"),
    "gdp_at_quarterly_rate": (figures("GDP", lambda v: v / 4, "2020"), "GDP__deflator_growth"),
    "profits_at_quarterly_rate": (figures("CP", lambda v: v / 4), "CP__within_gdp"),
    "unemployment_as_share": (figures("UNRATE", lambda v: v / 100), "implausible_value"),
    "yields_in_basis_points": (figures("DGS10", lambda v: v * 100), "implausible_value"),
    "expected_inflation_as_share": (figures("EXPINF10YR", lambda v: v / 100), "DFII10__near_expinf10yr"),
    "unit_text_changed": (stated("WRESBAL", "unit", "Billions of U.S. Dollars"), "unit_changed"),
    "rate_became_an_index": (stated("UNRATE", "unit", "Index 2017=100"), "unit_changed"),
    "frequency_text_changed": (stated("CPIAUCSL", "frequency", "Quarterly"), "frequency_changed"),
    # plausible, and wrong
    "prices_on_another_base_midway": (figures("CPIAUCSL", lambda v: v / 2, "2015"), "PCEPILFE__near_cpiaucsl"),
    "core_prices_on_another_base_midway": (figures("PCEPILFE", lambda v: v * 0.8, "2015"), "PCEPILFE__near_cpiaucsl"),
    "real_gdp_in_former_dollars_midway": (figures("GDPC1", lambda v: v * 0.75, "2010"), "GDP__deflator_growth"),
    "real_yield_with_wrong_sign": (figures("DFII10", lambda v: -v), "DFII10__near_expinf10yr"),
    "deficit_with_wrong_sign": (figures("MTSDS133FMS", lambda v: -v), "MTSDS133FMS__near_fygfdpun"),
    "digits_transposed_in_a_month": (
        figures("GS10", lambda v: v + 0.27, "2025-10", "2025-10-31"),
        "GS10__mean_of_dgs10",
    ),
    "policy_rate_a_year_late": (moved("FEDFUNDS", 12), "FEDFUNDS__below_dfedtaru"),
    "yields_a_quarter_late": (moved("GS10", 3), "GS10__mean_of_dgs10"),
    "target_range_lower_limit": (figures("DFEDTARU", lambda v: v - 0.25), "FEDFUNDS__below_dfedtaru"),
    "corporate_yield_is_a_spread": (figures("HQMCB10YR", lambda v: v / 4), "HQMCB10YR__near_gs10"),
    "unemployment_is_another_country": (figures("UNRATE", lambda v: v * 2.1, "2023"), "UNRATE__near_icsa"),
    "bills_are_the_ten_year": (copied("GS10", "TB3MS"), "TB3MS__near_fedfunds"),
    "debt_files_swapped": (swapped("GFDEBTN", "FYGFDPUN"), "FYGFDPUN__within_gfdebtn"),
    "balance_sheet_files_swapped": (swapped("WALCL", "TREAST"), "implausible_value"),
    # files: every rule that refuses one is in test_validate
    "empty_file": (text("UNRATE", lambda _: ""), "empty_file"),
    "cut_off_in_the_middle": (rows("WALCL", lambda r: r[: len(r) // 2]), "shorter_than_before"),
    "quarters_for_months": (rows("CPIAUCSL", lambda r: r[::3]), "frequency_changed"),
}  # fmt: skip


@cache
def honest_archive() -> dict[str, pd.DataFrame]:
    """The raw tables of the honest sample."""
    with an_archive() as con:
        fetched(con, load_catalog().in_profile("sample"), PROJECT_ROOT)
        return {name: con.execute(f"SELECT * FROM raw.{name}").df() for name in ("vintages", "fetches")}


def fetched(con: duckdb.DuckDBPyConnection, series: Sequence[Series], root: Path) -> None:
    """Fetch those series from the sample folder below `root`."""
    facts = night_facts(root, SAMPLE_END, dt.datetime(2026, 10, 1, 1, tzinfo=dt.UTC))
    list(ingest(con, series, SampleSource(root), SAMPLE_END, facts, load_catalog()))


def blocked_by(root: Path) -> tuple[set[str], set[str]]:
    """Names of the checks that block a run on that folder, and the rules that refused a payload.

    Series whose files are those of the sample are taken from the honest archive.
    """
    catalog, folder = load_catalog(), root / "sample_data"
    changed = {file.stem for file in folder.iterdir() if not file.is_symlink()}
    series = [s for s in catalog.in_profile("sample") if s.series_id in changed or changed == {"provenance"}]
    with an_archive() as con:
        for name, rows_of in honest_archive().items():
            known = rows_of[~rows_of["series_id"].isin([s.series_id for s in series])]
            append_rows(con, catalog.tables[name], known)
        fetched(con, series, root)
        found = check_archive(con, catalog, SAMPLE_END)
        refused = _refusals(con)
    return {result.rule.name for results in found.values() for result in results}, refused


def _refusals(con: duckdb.DuckDBPyConnection) -> set[str]:
    messages = con.execute("SELECT message FROM raw.fetches WHERE status = 'refused'").fetchall()
    return {message.split(": ")[2] for (message,) in messages}


def test_the_sample_itself_is_not_blocked(tmp_path: Path) -> None:
    folder_of(tmp_path)
    assert blocked_by(tmp_path) == (set(), set())


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutated_input_is_blocked_by_its_check(name: str, tmp_path: Path) -> None:
    mutate, check = MUTATIONS[name]
    mutate(folder_of(tmp_path))
    blocking, refused = blocked_by(tmp_path)
    if "__" in check:
        assert check in blocking, sorted(blocking | refused)
    else:
        assert check in refused, sorted(blocking | refused)
        assert REFUSED in blocking
