"""The readers of the profile public: their figures are ours, and another layout is refused by name."""

from __future__ import annotations

import datetime as dt
import json
import math
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from assets.catalog.loader import PROJECT_ROOT, CatalogError, load_catalog
from assets.catalog.models import Series
from assets.sources.fiscal_data import deficits, vintages
from assets.sources.pacing import RetryBudget
from assets.sources.parse import Figures, Rows, Unusable, read_date_value
from assets.sources.protocol import (
    Known,
    Payload,
    PayloadRefused,
    Source,
    SourceUnreachable,
    observations_frame,
)
from assets.sources.public.bea import BeaSource, in_unit_of, parse_data, parse_register
from assets.sources.public.bls import BlsSource, parse_response
from assets.sources.public.carried import READERS, CarriedSource, Completed
from assets.sources.public.claims import ClaimsSource, parse_report
from assets.sources.public.hqm import HqmSource, spot_rates
from assets.sources.public.nfci import column
from assets.sources.public.nyfed import NewYorkFedSource
from assets.sources.public.rtdsm import ADDRESS, RealTimeDataSet
from assets.sources.public.shared import carrier_of, code_of
from assets.sources.sample import SampleSource
from assets.sources.validate import validate
from pipelines.settings import URL_VARIABLES
from tests.builders import a_series
from tests.fakes.public_layouts import (
    REGISTER,
    bea_data,
    bls_answer,
    claims_report,
    mts_rows,
    spot_rates_workbook,
    zipped,
)
from tests.fakes.publishers import FEW_RETRIES, HTML, Held, figures, payload_of
from tests.fakes.server import Loopback, Served, running

JUNE = dt.datetime(2026, 6, 15, tzinfo=dt.UTC)


def by_date(found: Figures) -> dict[str, float]:
    return dict(zip(found.dates, found.values, strict=True))


def refused_by(content: bytes, series_id: str) -> PayloadRefused:
    with pytest.raises(PayloadRefused) as caught:
        payload_of(content, series_id)
    return caught.value


# --- the publishers' own files, next to the figures we have of the same series ---


def ours(*files: Path) -> dict[str, float]:
    known = dict[str, float]()
    for file in filter(Path.is_file, files):
        rows = read_date_value(b"date,value\n" + file.read_bytes().split(b"\n", 1)[1])
        known |= dict(zip(rows["observation_date"].dt.strftime("%Y-%m-%d"), rows["value"], strict=True))
    return known


def agreement(found: Figures, known: Mapping[str, float], tolerance: float) -> tuple[int, int]:
    """Figures in both, and how many of them differ."""
    both = np.array([(value, known[date]) for date, value in by_date(found).items() if date in known])
    both = both[~np.isnan(both).any(axis=1)]
    return len(both), int((np.abs(both[:, 0] - both[:, 1]) > tolerance).sum())


def test_real_files_have_our_figures(realdata: Path) -> None:
    """What differs was revised since: payrolls of two months, prices of two, and five deficits."""
    real, shared = realdata / "primary", realdata.parent / "figures"
    bls = parse_response((real / "bls" / "v1_timeseries_3series_2024-2026_excerpt.json").read_bytes())
    register = parse_register(
        (real / "bea" / "SeriesRegister_excerpt_2026-09.txt").read_bytes(), ["A191RC", "DPCERG"]
    )
    quarters = parse_data((real / "bea" / "NipaDataQ_excerpt_2026-09.txt").read_bytes(), ["A191RC"])
    months = parse_data((real / "bea" / "NipaDataM_excerpt_2026-09.txt").read_bytes(), ["DPCERG"])
    index = (real / "regional_feds" / "nfci-data-series-csv_2026-03.csv").read_bytes()
    claims = (real / "dol" / "r539cy_national_rundate_2026-09-28_excerpt.xml").read_bytes()
    statement = json.loads((real / "treasury" / "mts_table_1_2026-08_excerpt.json").read_bytes())
    deficit = vintages(deficits(statement["data"]))
    for series_id, found, folder, tolerance, counts in (
        ("CPIAUCSL", bls[code_of(a_series("CPIAUCSL"))], shared, 1e-9, (31, 0)),
        ("UNRATE", bls[code_of(a_series("UNRATE"))], shared, 1e-9, (31, 0)),
        ("PAYEMS", bls[code_of(a_series("PAYEMS"))], shared, 1e-9, (32, 2)),
        ("GDP", in_unit_of(a_series("GDP"), quarters["A191RC"], register["A191RC"]), shared, 1.1e-3, (46, 0)),
        ("PCEPI", months["DPCERG"], shared, 0.0011, (31, 2)),
        ("NFCI", column(index, "NFCI"), realdata, 0.05, (2875, 0)),  # estimated anew every week
        ("ICSA", parse_report(claims, "InitialClaims/SA"), realdata, 0.0, (5, 0)),
        ("MTSDS133FMS", deficit, shared, 1.0, (23, 5)),
    ):
        assert agreement(found, ours(folder / f"{series_id}.csv"), tolerance) == counts, series_id
    assert by_date(deficit)["2026-07-01"] == pytest.approx(-432_285.727_964_6)  # restated since July's


def test_stored_responses_are_read(realdata: Path) -> None:
    for file, of in {
        "H15_sdmx_lastobs3_2026-06-24.xml": {
            "DGS2": {"2026-06-22": 4.24, "2026-06-23": 4.16}, "DGS10": {"2026-06-22": 4.51, "2026-06-23": 4.5},
        },
        "H6_sdmx_lastobs2_2026-06-16.xml": {
            "M2SL": {"2026-04-01": 22804.5, "2026-05-01": 23052.3},
            "BOGMBASE": {"2026-04-01": 5470.4, "2026-05-01": 5538.6},
        },
    }.items():  # fmt: skip
        content = (realdata / "primary" / "fed_board" / file).read_bytes()
        for series_id, expected in of.items():
            release = carrier_of(a_series(series_id)).release
            assert figures(payload_of(zipped({f"{release}_data.xml": content}), series_id)) == expected
    folder = realdata / "primary" / "nyfed"
    got = figures(payload_of((folder / "effr_last5_2026-09-25.json").read_bytes(), "DFEDTARU"))
    assert got == {f"2026-09-{day}": 4.0 for day in (21, 22, 23, 24, 25)}
    got = figures(payload_of((folder / "rp_results_search_2026-09_6ops.json").read_bytes(), "RRPONTSYD"))
    assert got["2026-09-28"] == 0.851 and got["2026-09-25"] == 0.576


# --- the New York Fed, and the Financial Accounts ---

BY_DAY = ["2026-09-21", "2026-09-22", "2026-09-23"]


def operation(day: str, amount: object, **changes: str) -> dict[str, object]:
    return {
        "auctionStatus": "Results", "operationDate": day, "operationType": "Reverse Repo", "term": "Overnight",
        "note": "", "totalAmtAccepted": amount, **changes,
    }  # fmt: skip


def operations(*rows: Mapping[str, object]) -> bytes:
    return json.dumps({"repo": {"operations": rows}}).encode()


def rates(**changes: object) -> bytes:
    row = {"type": "EFFR", "percentRate": 3.88, "targetRateFrom": 3.75, "targetRateTo": 4.0}
    return json.dumps({"refRates": [{**row, "effectiveDate": day, **changes} for day in BY_DAY]}).encode()


def test_two_reverse_repo_operations_of_a_day_are_added_and_others_left_out() -> None:
    first = BY_DAY[0]
    content = operations(
        operation(first, 2e9), operation(first, 3.5e9), operation(first, 1e6, note="Small Value Exercise"),
        operation(first, 9e9, term="7 Days"), operation(first, 9e9, operationType="Repo"),
        operation(first, 9e9, auctionStatus="Announced"), *[operation(day, 5e9) for day in BY_DAY[1:]],
    )  # fmt: skip
    assert figures(payload_of(content, "RRPONTSYD")) == {first: 5.5, BY_DAY[1]: 5.0, BY_DAY[2]: 5.0}


def accounts(header: str = "date,FL103064106.Q,LM103164103.Q", label: str = "{}:Q{}") -> bytes:
    rows = [f"{label.format(2025 + n // 4, n % 4 + 1)},ND,{60000000 + n}" for n in range(6)]
    return zipped({"csv/b103.csv": "\n".join([header, f"{label.format(2024, 4)},1,ND", *rows]).encode()})


@pytest.mark.parametrize(
    ("series_id", "content", "rule"),
    [
        ("DFEDTARU", HTML, "missing_column"),
        ("DFEDTARU", b"{", "missing_column"),
        ("DFEDTARU", b'{"refRates": []}', "empty_file"),
        ("DFEDTARU", b'{"rates": []}', "missing_column"),
        ("DFEDTARU", rates(effectiveDate="2026-09-21"), "duplicate_key"),
        ("DFEDTARU", rates(effectiveDate="09/21/2026"), "not_a_date"),
        ("DFEDTARU", rates(targetRateTo="n.a. yet"), "not_a_number"),
        ("RRPONTSYD", operations(operation(BY_DAY[0], "1,000")), "not_a_number"),
        ("RRPONTSYD", operations(*[operation(day, 5e18) for day in BY_DAY]), "implausible_value"),
        ("NCBEILQ027S", accounts(header="date,FL103064106.Q,FL103164103.Q"), "missing_column"),
        ("NCBEILQ027S", accounts(label="Q{1}/{0}"), "not_a_date"),
        ("NCBEILQ027S", accounts(label="2024:Q4"), "duplicate_key"),
        ("NCBEILQ027S", accounts()[:-40], "missing_column"),
        ("NCBEILQ027S", zipped({"csv/b101.csv": b"date\n"}), "missing_column"),
        ("NCBEILQ027S", HTML, "missing_column"),
    ],
)
def test_wrong_responses_of_both_are_refused(series_id: str, content: bytes, rule: str) -> None:
    assert refused_by(content, series_id).rule == rule


@pytest.mark.parametrize("label", ["{}:Q{}", "{}-Q{}", "{}Q{}"])
def test_financial_accounts_are_read_in_each_way_of_writing_a_quarter(label: str) -> None:
    got = figures(payload_of(accounts(label=label), "NCBEILQ027S"))
    assert (min(got), max(got), got["2026-04-01"]) == ("2025-01-01", "2026-04-01", 60000005.0)


def test_a_known_history_is_asked_for_two_weeks_only() -> None:
    with running(Loopback({"/rates/unsecured/effr/search.json": Served(rates())})) as server:
        first = NewYorkFedSource(server.root, FEW_RETRIES).fetch(a_series("DFEDTARU"))
        held = Held(last_updated=first.last_updated, reconciled_at=dt.datetime.now(dt.UTC))
        second = NewYorkFedSource(server.root, FEW_RETRIES).fetch(a_series("DFEDTARU"), held)
    assert (first.is_complete, second.is_complete) == (True, False)
    assert [request.query["startDate"] for request in server.requests] == ["2008-12-16", "2026-09-09"]


# --- BLS and BEA ---


def test_a_dash_is_missing_and_annual_means_are_left_out() -> None:
    rows = [("2025", "M13", "4.2"), ("2025", "M10", "-"), ("2025", "M09", "4.4"), ("2025", "Q03", "4.3")]
    found = by_date(parse_response(bls_answer({"LNS14000000": rows}))["LNS14000000"])
    assert found["2025-09-01"] == 4.4 and math.isnan(found["2025-10-01"]) and len(found) == 2


def test_first_load_asks_for_every_decade_and_a_night_for_the_last_one() -> None:
    codes = ["LNS14000000", "CES0000000001", "CUSR0000SA0", "CUSR0000SA0L1E", "CES0500000003"]
    answer = Served(bls_answer({code: [("2026", "M05", "4.3")] for code in codes}))
    with running(Loopback({"/": answer})) as server:
        first, night = (BlsSource(f"{server.root}/", FEW_RETRIES, now=lambda: JUNE) for _ in range(2))
        payload = first.fetch(a_series("UNRATE"))
        first.fetch(a_series("CPIAUCSL"))
        assert (payload.is_complete, first.requests) == (True, 9)
        assert not night.fetch(a_series("UNRATE"), Held()).is_complete
        assert night.requests == 1


def test_a_spent_quota_is_unreachable_for_today_and_not_asked_again() -> None:
    with running(Loopback({"/": Served(bls_answer({}, status="REQUEST_NOT_PROCESSED"))})) as server:
        source = BlsSource(f"{server.root}/", FEW_RETRIES)
        for _ in range(2):
            with pytest.raises(SourceUnreachable, match="daily threshold") as failure:
                source.fetch(a_series("UNRATE"))
            assert not failure.value.may_pass
        assert source.requests == 1


def test_the_register_gives_the_scale_and_a_rebased_index_is_refused() -> None:
    register = parse_register(REGISTER.encode(), ["A191RC", "DPCCRG"])
    gdp, core = a_series("GDP"), a_series("PCEPILFE")
    rows = [("A191RC", "2026Q1", "32,486,066"), ("DPCCRG", "2017M01", "99.9"), ("DPCCRG", "2017M12", "100.1")]
    found = parse_data(bea_data(rows), ["A191RC", "DPCCRG"])
    assert by_date(in_unit_of(gdp, found["A191RC"], register["A191RC"])) == {"2026-01-01": 32486.066}
    assert len(in_unit_of(core, found["DPCCRG"], register["DPCCRG"]).values) == 2
    with pytest.raises(Unusable, match=r"base year 2017 is 93\.10"):
        in_unit_of(core, found["DPCCRG"]._replace(values=[93.0, 93.2]), register["DPCCRG"])
    for change in ({"scale": -3}, {"metric": "Chained Dollars"}, {"calculation": "Percent change"}):
        with pytest.raises(Unusable, match=str(*change.values())):
            in_unit_of(gdp, found["A191RC"], register["A191RC"]._replace(**change))


def test_one_file_and_the_register_are_enough_for_the_quarterly_series() -> None:
    rows = [("A191RC", "2025Q4", "31,000,000"), ("A191RC", "2026Q1", "32,486,066"), ("ZZZ", "2026Q1", "1")]
    files = {"/NipaDataQ.txt": Served(bea_data(rows)), "/SeriesRegister.txt": Served(REGISTER.encode())}
    with running(Loopback(files)) as server:
        source = BeaSource(server.root, FEW_RETRIES)
        payload = source.fetch(a_series("GDP"))
        assert validate(payload, a_series("GDP"), JUNE.date(), None) == []
        assert payload.observations["value"].tolist() == [31000.0, 32486.066]
        with pytest.raises(PayloadRefused, match="A055RC is not in SeriesRegister"):
            source.fetch(a_series("CP"))
        assert source.requests == 2


# --- the Treasury ---

STATEMENTS = {
    "2025-12-31": {2026: {"October": "284.5e9", "November": "173.2e9", "December": "144.7e9"}},
    "2026-01-31": {2026: {"October": "284.3e9", "January": "94.6e9"}, 2025: {"January": "-128.6e9"}},
}


def test_a_positive_deficit_is_negative_the_newest_statement_counts_and_bundled_months_precede() -> None:
    found = vintages(deficits(mts_rows(STATEMENTS)))
    assert by_date(found) == pytest.approx({
        "2025-01-01": 128_600.0, "2025-10-01": -284_300.0, "2025-11-01": -173_200.0, "2025-12-01": -144_700.0,
        "2026-01-01": -94_600.0,
    })  # fmt: skip

    class Statements(Source):
        def fetch(self, series: Series, known: Known | None = None) -> Payload:
            observations = observations_frame(found.dates, found.values)
            return Payload(series.series_id, observations, "url", is_complete=known is None)

    source = Completed(Statements(), SampleSource(PROJECT_ROOT), RealTimeDataSet())
    only_new = source.fetch(a_series("MTSDS133FMS"), Known(None, None, None, None))
    payload = source.fetch(a_series("MTSDS133FMS"))
    rows = payload.observations
    assert only_new.notes == () and payload.notes == ("bundled figures before 2025-01-01",)
    assert rows["observation_date"].is_monotonic_increasing
    assert str(rows["observation_date"].min().date()) < "1990" and rows["value"].tolist()[-6:] == found.values


def test_a_month_without_a_fiscal_year_or_after_its_statement_is_refused() -> None:
    for rows, rule in (
        ([row for row in mts_rows(STATEMENTS) if "FY" not in row["classification_desc"]], "not_a_date"),
        (mts_rows({"2026-01-31": {2026: {"March": "1.00"}}}), "future_date"),
        (mts_rows(STATEMENTS) + mts_rows(STATEMENTS), "duplicate_key"),
    ):
        with pytest.raises(Unusable) as refused:
            deficits(rows)
        assert refused.value.rule == rule


SPOT: Rows = [
    ["Treasury HQM Corporate Bond Yield Curve Spot Rates, Monthly Average: 2024-2028", None, None, None],
    [None, 2024.0, None, 2025.0],
    ["Maturity", "Nov", "Dec", "Jan"],
    [9.5, 5.0, 5.1, 5.2],
    [10.0, 5.31, 5.38, None],
]


def test_spot_rates_of_ten_years_are_read_and_other_workbooks_are_refused() -> None:
    assert by_date(spot_rates(SPOT, 10.0)) == {"2024-11-01": 5.31, "2024-12-01": 5.38}
    stated = [SPOT[0], ["Maturity", "November 2024", "December 2024", "January 2025"], *SPOT[3:]]
    assert spot_rates(stated, 10.0) == spot_rates(SPOT, 10.0)
    for title in (
        "HQM Par Yields, Monthly Average",
        "HQM Spot Rates, End of Month",
        "Treasury Nominal Coupon",
    ):
        with pytest.raises(Unusable) as refused:
            spot_rates([[title], *SPOT[1:]], 10.0)
        assert refused.value.rule == "unit_changed"
    with pytest.raises(Unusable, match="0 rows for a maturity of 10 years"):
        spot_rates(SPOT[:-1], 10.0)


def test_spot_rates_of_all_workbooks_come_first_and_then_only_the_newest() -> None:
    years = range(1984, 2029, 5)
    routes = {f"/hqm_{y % 100:02}_{(y + 4) % 100:02}.xls": Served(spot_rates_workbook(y)) for y in years}
    with running(Loopback(routes)) as server:
        first, night = (HqmSource(server.root, FEW_RETRIES, now=lambda: JUNE) for _ in range(2))
        payload, newest = first.fetch(a_series("HQMCB10YR")), night.fetch(a_series("HQMCB10YR"), Held())
    assert (payload.is_complete, first.requests, newest.is_complete, night.requests) == (True, 9, False, 1)
    assert newest.observations["value"].tolist() == [10.24, 11.24]
    assert payload.observations["value"].tolist()[:2] == [10.84, 11.84] and len(payload.observations) == 18


# --- the Chicago Fed and Labor ---

NFCI = b"Friday_of_Week,NFCI,Credit\n01/08/1971,0.59,-1.12\n01/15/1971,0.62,-1.13\n"


def test_conditions_index_is_dated_by_its_friday() -> None:
    assert by_date(column(NFCI, "Credit")) == {"1971-01-08": -1.12, "1971-01-15": -1.13}
    with pytest.raises(Unusable, match="'Leverage' is not in it exactly once"):
        column(NFCI, "Leverage")


def test_claims_come_by_post_and_weeks_without_claims_are_left_out() -> None:
    report = claims_report([("8/22/2026", "204,000"), ("8/29/2026", "207,000"), ("9/5/2026", "&#160;")])
    with running(Loopback({"/report.asp": Served(report, "text/xml")})) as server:
        payload = ClaimsSource(f"{server.root}/report.asp", FEW_RETRIES).fetch(a_series("ICSA"))
    assert figures(payload) == {"2026-08-22": 204_000.0, "2026-08-29": 207_000.0}


@pytest.mark.parametrize("content", [HTML, b"", b"not it", NFCI[:30] + b"\n1,2"])
@pytest.mark.parametrize(
    "parse",
    [
        parse_response,
        lambda content: list(column(content, "NFCI")),
        lambda content: parse_data(content, ["A191RC"]),
        lambda content: parse_register(content, ["A191RC"]),
        lambda content: parse_report(content, "InitialClaims/SA"),
    ],
)
def test_a_page_or_another_format_is_refused(parse: Callable[[bytes], object], content: bytes) -> None:
    with pytest.raises(Unusable) as refused:
        parse(content)
    assert refused.value.rule in ("missing_column", "empty_file")


@pytest.mark.parametrize(
    ("parse", "rule"),
    [
        (lambda: parse_response(bls_answer({"A": [("2025", "M05", "4,3")]})), "not_a_number"),
        (lambda: parse_response(bls_answer({"A": [("2025", "B05", "4.3")]})), "not_a_date"),
        (lambda: parse_data(bea_data([("A191RC", "2026", "1")]), ["A191RC"]), "not_a_date"),
        (lambda: parse_data(bea_data([("A191RC", "2026Q1", "1,0")])[:-4], ["A191RC"]), "not_a_number"),
        (lambda: parse_report(claims_report([("2026-08-22", "1")]), "InitialClaims/SA"), "not_a_date"),
        (lambda: parse_report(claims_report([("8/22/2026", "1")]), "InitialClaims/ZZ"), "missing_column"),
        (lambda: column(NFCI.replace(b"0.59", b"n.a.x"), "NFCI"), "not_a_number"),
        (lambda: column(NFCI.replace(b"01/08/1971", b"1971-01-08"), "NFCI"), "not_a_date"),
    ],
)
def test_a_wrong_cell_is_refused_by_name(parse: Callable[[], object], rule: str) -> None:
    with pytest.raises(Unusable) as refused:
        parse()
    assert refused.value.rule == rule


# --- all of them ---


def test_a_publisher_that_is_down_delays_only_its_own_series() -> None:
    """The series of one asset group come from several publishers: each is one part, with its own pauses."""
    source = CarriedSource({}, RetryBudget(0.0), PROJECT_ROOT)
    parts = source.parts([a_series(name) for name in ("DGS10", "UNRATE", "WALCL", "GDPPOT")])
    of_part = [[one.series_id for one in part.series] for part in parts]
    assert of_part == [["DGS10", "WALCL"], ["UNRATE"], ["GDPPOT"]]
    assert len({id(part.source) for part in parts}) == 3 and source.reader("board") is source.reader("board")


def test_a_carrier_of_an_unknown_series_or_reader_stops_the_load(tmp_path: Path) -> None:
    folder = tmp_path / "assets" / "catalog"
    shutil.copytree(PROJECT_ROOT / "assets" / "catalog", folder)
    file = folder / "carriers.toml"
    good = file.read_text()
    for wrong, message in (
        ('\n[DGS11]\nreader = "board"\n', "carriers.toml: 'DGS11' does not exist .did you mean 'DGS10'"),
        ('\n[DGS11]\nreader = "bord"\n', "carriers.toml: DGS11: key 'reader'"),
    ):
        file.write_text(good + wrong)
        with pytest.raises(CatalogError, match=message):
            load_catalog(tmp_path)


def test_the_page_of_publishers_names_every_reader_with_its_address_and_variable() -> None:
    page = (PROJECT_ROOT / "docs" / "publishers.md").read_text(encoding="utf-8")
    for key, reader in READERS.items():
        row = next(line for line in page.splitlines() if line.startswith("|") and f", `{key}` |" in line)
        assert f"`{URL_VARIABLES[key]}`" in row and str(getattr(reader, "address", "")) in row, key
    assert ADDRESS in page
