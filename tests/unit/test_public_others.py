"""The profile public: who serves what, the New York Fed's API and the Financial Accounts."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from assets.catalog.loader import PROJECT_ROOT, CatalogError, load_catalog
from assets.sources.pacing import RetryBudget
from assets.sources.protocol import PayloadRefused
from assets.sources.public.carried import READERS, CarriedSource
from assets.sources.public.nyfed import NewYorkFedSource
from assets.sources.public.shared import carrier_of
from tests.builders import a_series
from tests.fakes.public_board import zipped
from tests.fakes.publishers import FEW_RETRIES, Held, figures, payload_of
from tests.fakes.server import Loopback, Served, running

BY_DAY = ["2026-09-21", "2026-09-22", "2026-09-23"]


def operation(day: str, amount: float, **changes: str) -> dict[str, object]:
    return {
        "auctionStatus": "Results", "operationDate": day, "operationType": "Reverse Repo", "term": "Overnight",
        "note": "", "totalAmtAccepted": amount, **changes,
    }  # fmt: skip


def operations(*rows: Mapping[str, object]) -> bytes:
    return json.dumps({"repo": {"operations": rows}}).encode()


def rates(**changes: object) -> bytes:
    row = {"type": "EFFR", "percentRate": 3.88, "targetRateFrom": 3.75, "targetRateTo": 4.0}
    return json.dumps({"refRates": [{**row, "effectiveDate": day, **changes} for day in BY_DAY]}).encode()


def test_stored_target_range_is_ours(realdata: Path) -> None:
    content = (realdata / "primary" / "nyfed" / "effr_last5_2026-09-25.json").read_bytes()
    got = figures(payload_of(content, "DFEDTARU"))
    assert got == {f"2026-09-{day}": 4.0 for day in (21, 22, 23, 24, 25)}


def test_stored_reverse_repo_is_counted_without_the_repo_operations_beside_it(realdata: Path) -> None:
    content = (realdata / "primary" / "nyfed" / "rp_results_search_2026-09_6ops.json").read_bytes()
    got = figures(payload_of(content, "RRPONTSYD"))
    assert got["2026-09-28"] == 0.851 and got["2026-09-25"] == 0.576
    kinds = [row["operationType"] for row in json.loads(content)["repo"]["operations"]]
    assert len(got) == kinds.count("Reverse Repo") < len(kinds)


def test_two_reverse_repo_operations_of_a_day_are_added_and_exercises_left_out() -> None:
    days = [operation(day, 5e9) for day in BY_DAY[1:]]
    content = operations(
        operation(BY_DAY[0], 2e9),
        operation(BY_DAY[0], 3.5e9),
        operation(BY_DAY[0], 1e6, note="Small Value Exercise"),
        operation(BY_DAY[0], 9e9, term="7 Days"),
        operation(BY_DAY[0], 9e9, operationType="Repo"),
        operation(BY_DAY[0], 9e9, auctionStatus="Announced"),
        *days,
    )
    assert figures(payload_of(content, "RRPONTSYD")) == {BY_DAY[0]: 5.5, BY_DAY[1]: 5.0, BY_DAY[2]: 5.0}


@pytest.mark.parametrize(
    ("series_id", "content", "rule"),
    [
        ("DFEDTARU", b"<html>down</html>", "missing_column"),
        ("DFEDTARU", b"{", "missing_column"),
        ("DFEDTARU", b'{"refRates": []}', "empty_file"),
        ("DFEDTARU", b'{"rates": []}', "missing_column"),
        ("DFEDTARU", rates(effectiveDate="2026-09-21"), "duplicate_key"),
        ("DFEDTARU", rates(effectiveDate="09/21/2026"), "not_a_date"),
        ("DFEDTARU", rates(targetRateTo="n.a. yet"), "not_a_number"),
        ("RRPONTSYD", operations({**operation(BY_DAY[0], 1.0), "totalAmtAccepted": "1,000"}), "not_a_number"),
        ("RRPONTSYD", operations(*[operation(day, 5e18) for day in BY_DAY]), "implausible_value"),
    ],
)
def test_wrong_responses_of_the_new_york_fed_are_refused(series_id: str, content: bytes, rule: str) -> None:
    with pytest.raises(PayloadRefused) as caught:
        payload_of(content, series_id)
    assert caught.value.rule == rule


def test_a_known_history_is_asked_for_two_weeks_only() -> None:
    server = Loopback({"/rates/unsecured/effr/search.json": Served(rates())})
    with running(server):
        first = NewYorkFedSource(server.root, FEW_RETRIES).fetch(a_series("DFEDTARU"))
        held = Held(last_updated=first.last_updated, reconciled_at=dt.datetime.now(dt.UTC))
        second = NewYorkFedSource(server.root, FEW_RETRIES).fetch(a_series("DFEDTARU"), held)
    assert (first.is_complete, second.is_complete) == (True, False)
    assert [request.query["startDate"] for request in server.requests] == ["2008-12-16", "2026-09-09"]


def accounts(header: str = "date,FL103064106.Q,LM103164103.Q", label: str = "{}:Q{}") -> bytes:
    rows = [f"{label.format(2025 + n // 4, n % 4 + 1)},ND,{60000000 + n}" for n in range(6)]
    return zipped({"csv/b103.csv": "\n".join([header, f"{label.format(2024, 4)},1,ND", *rows]).encode()})


@pytest.mark.parametrize("label", ["{}:Q{}", "{}-Q{}", "{}Q{}"])
def test_financial_accounts_are_read_in_each_way_of_writing_a_quarter(label: str) -> None:
    got = figures(payload_of(accounts(label=label), "NCBEILQ027S"))
    assert min(got) == "2025-01-01" and max(got) == "2026-04-01"
    assert got["2026-04-01"] == 60000005.0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (accounts(header="date,FL103064106.Q,FL103164103.Q"), "LM103164103.Q is not in it once"),
        (accounts(label="Q{1}/{0}"), "is no quarter"),
        (accounts()[:-40], "the zip is damaged"),
        (zipped({"csv/b101.csv": b"date\n"}), "no csv/b103.csv in the zip"),
        (b"<html></html>", "web page"),
    ],
)
def test_wrong_financial_accounts_are_refused(content: bytes, words: str) -> None:
    with pytest.raises(PayloadRefused) as caught:
        payload_of(content, "NCBEILQ027S")
    assert words in str(caught.value)


def test_every_series_of_the_profile_has_a_reader_or_a_bundled_file() -> None:
    for series in load_catalog().in_profile("public"):
        reader = carrier_of(series).reader
        if reader == "sample":
            assert (PROJECT_ROOT / "sample_data" / f"{series.series_id}.csv").is_file(), series.series_id
        else:
            assert reader in READERS, series.series_id


def test_a_publisher_that_is_down_delays_only_its_own_series() -> None:
    """The series of one asset group come from several publishers: each is one part, with its own pauses."""
    names = ["DGS10", "UNRATE", "WALCL", "GDPPOT"]
    source = CarriedSource({}, RetryBudget(0.0), PROJECT_ROOT)
    parts = source.parts([a_series(name) for name in names])
    assert [[one.series_id for one in part.series] for part in parts] == [
        ["DGS10", "WALCL"],
        ["UNRATE"],
        ["GDPPOT"],
    ]
    assert len({id(part.source) for part in parts}) == 3
    assert source.reader("board") is source.reader("board")


def test_a_carrier_of_an_unknown_series_or_reader_stops_the_load(tmp_path: Path) -> None:
    folder = tmp_path / "assets" / "catalog"
    shutil.copytree(PROJECT_ROOT / "assets" / "catalog", folder)
    file = folder / "carriers.toml"
    good = file.read_text()
    for wrong, message in (
        ('\n[DGS11]\nreader = "board"\n', "carriers.toml: 'DGS11' does not exist .did you mean 'DGS10'"),
        ('\n[DGS11]\nreader = "bord"\n', "carriers.toml: DGS11: key 'reader'"),
        ('\n[DGS11]\nreader = "board"\nfactor = 2\n', "carriers.toml: DGS11: unknown key 'factor'"),
    ):
        file.write_text(good + wrong)
        with pytest.raises(CatalogError, match=message):
            load_catalog(tmp_path)
