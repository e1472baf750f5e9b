"""BEA, BLS, the Treasury, the Chicago Fed and Labor in the profile public: our figures, or a refusal by name."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from assets.catalog.loader import PROJECT_ROOT, load_catalog
from assets.catalog.models import Series
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
from assets.sources.public.carried import READERS, WithBundle
from assets.sources.public.claims import ClaimsSource, parse_report
from assets.sources.public.hqm import HqmSource, spot_rates
from assets.sources.public.mts import deficits, vintages
from assets.sources.public.nfci import column, parse_file
from assets.sources.public.rtdsm import ADDRESS
from assets.sources.public.shared import code_of
from assets.sources.sample import SampleSource
from assets.sources.validate import validate
from pipelines.settings import URL_VARIABLES
from tests.builders import a_series
from tests.fakes.public_readers import (
    REGISTER,
    bea_data,
    bls_answer,
    claims_report,
    mts_rows,
    spot_rates_workbook,
)
from tests.fakes.publishers import FEW_RETRIES, HTML, Held
from tests.fakes.server import Loopback, Served, running

SHARED = PROJECT_ROOT.parent / "shared"
REAL = SHARED / "realdata" / "primary"
needs_files = pytest.mark.skipif(not REAL.exists(), reason="the real files are not here")
UNEMPLOYMENT = "LNS14000000"
NFCI = b"Friday_of_Week,NFCI,Credit\n01/08/1971,0.59,-1.12\n01/15/1971,0.62,-1.13\n"
STATEMENTS = {
    "2025-12-31": {2026: {"October": "284.5e9", "November": "173.2e9", "December": "144.7e9"}},
    "2026-01-31": {2026: {"October": "284.3e9", "January": "94.6e9"}, 2025: {"January": "-128.6e9"}},
}


def by_date(figures: Figures) -> dict[str, float]:
    return dict(zip(figures.dates, figures.values, strict=True))


def agreement(figures: Figures, series_id: str, tolerance: float, folder: str = "figures") -> tuple[int, int]:
    """Figures of the file that we have too, and how many of them differ."""
    rows = read_date_value(_as_csv(SHARED / folder / f"{series_id}.csv"))
    ours = dict(zip(rows["observation_date"].dt.strftime("%Y-%m-%d"), rows["value"], strict=True))
    both = [(value, ours[date]) for date, value in by_date(figures).items() if date in ours]
    both = [pair for pair in both if not any(map(math.isnan, pair))]
    return len(both), sum(abs(one - other) > tolerance for one, other in both)


def _as_csv(file: Path) -> bytes:
    return b"date,value\n" + file.read_bytes().split(b"\n", 1)[1]


# --- BLS ---


def test_a_dash_is_missing_and_annual_means_are_left_out() -> None:
    answer = bls_answer(
        {
            UNEMPLOYMENT: [
                ("2025", "M13", "4.2"),
                ("2025", "M10", "-"),
                ("2025", "M09", "4.4"),
                ("2025", "Q03", "4.3"),
            ]
        }
    )
    found = by_date(parse_response(answer)[UNEMPLOYMENT])
    assert found["2025-09-01"] == 4.4 and math.isnan(found["2025-10-01"]) and len(found) == 2


def bls_server(answers: Callable[[dict[str, str]], Served]) -> Loopback:
    return Loopback({"/": answers})


def test_first_load_asks_for_every_decade_and_a_night_for_the_last_one() -> None:
    codes = ["LNS14000000", "CES0000000001", "CUSR0000SA0", "CUSR0000SA0L1E", "CES0500000003"]
    server = bls_server(lambda _: Served(bls_answer({code: [("2026", "M05", "4.3")] for code in codes})))
    with running(server):
        first = BlsSource(server.root + "/", FEW_RETRIES, now=lambda: dt.datetime(2026, 6, 15, tzinfo=dt.UTC))
        payload = first.fetch(a_series("UNRATE"))
        first.fetch(a_series("CPIAUCSL"))
        assert (payload.is_complete, first.requests) == (True, 9)
        night = BlsSource(server.root + "/", FEW_RETRIES, now=lambda: dt.datetime(2026, 6, 15, tzinfo=dt.UTC))
        assert not night.fetch(a_series("UNRATE"), Held()).is_complete
        assert night.requests == 1


def test_a_spent_quota_is_unreachable_for_today_and_not_asked_again() -> None:
    server = bls_server(lambda _: Served(bls_answer({}, status="REQUEST_NOT_PROCESSED")))
    with running(server):
        source = BlsSource(server.root + "/", FEW_RETRIES)
        for _ in range(2):
            with pytest.raises(SourceUnreachable, match="daily threshold") as failure:
                source.fetch(a_series("UNRATE"))
            assert not failure.value.may_pass
        assert source.requests == 1


# --- BEA ---


def test_the_register_gives_the_scale_and_a_rebased_index_is_refused() -> None:
    register = parse_register(REGISTER.encode(), ["A191RC", "DPCCRG"])
    gdp, core = a_series("GDP"), a_series("PCEPILFE")
    rows = [("A191RC", "2026Q1", "32,486,066"), ("DPCCRG", "2017M01", "99.9"), ("DPCCRG", "2017M12", "100.1")]
    found = parse_data(bea_data(rows), ["A191RC", "DPCCRG"])
    assert by_date(in_unit_of(gdp, found["A191RC"], register["A191RC"])) == {"2026-01-01": 32486.066}
    assert len(in_unit_of(core, found["DPCCRG"], register["DPCCRG"]).values) == 2
    rebased = found["DPCCRG"]._replace(values=[93.0, 93.2])
    with pytest.raises(Unusable, match=r"base year 2017 is 93\.10"):
        in_unit_of(core, rebased, register["DPCCRG"])
    in_thousands = register["A191RC"]._replace(scale=-3)
    with pytest.raises(Unusable, match="scale -3"):
        in_unit_of(gdp, found["A191RC"], in_thousands)
    with pytest.raises(Unusable, match="Chained Dollars"):
        in_unit_of(gdp, found["A191RC"], register["A191RC"]._replace(metric="Chained Dollars"))


def test_one_file_and_the_register_are_enough_for_the_quarterly_series() -> None:
    rows = [("A191RC", "2025Q4", "31,000,000"), ("A191RC", "2026Q1", "32,486,066"), ("ZZZ", "2026Q1", "1")]
    server = Loopback(
        {"/NipaDataQ.txt": Served(bea_data(rows)), "/SeriesRegister.txt": Served(REGISTER.encode())}
    )
    with running(server):
        source = BeaSource(server.root, FEW_RETRIES)
        payload = source.fetch(a_series("GDP"))
        assert validate(payload, a_series("GDP"), dt.date(2026, 6, 15), None) == []
        assert payload.observations["value"].tolist() == [31000.0, 32486.066]
        with pytest.raises(PayloadRefused, match="A055RC is not in SeriesRegister"):
            source.fetch(a_series("CP"))
        assert source.requests == 2


# --- Treasury ---


def test_a_positive_deficit_is_negative_and_the_newest_statement_counts() -> None:
    found = by_date(vintages(deficits(mts_rows(STATEMENTS))))
    assert found == {
        "2025-01-01": pytest.approx(128_600.0), "2025-10-01": pytest.approx(-284_300.0),
        "2025-11-01": pytest.approx(-173_200.0), "2025-12-01": pytest.approx(-144_700.0),
        "2026-01-01": pytest.approx(-94_600.0),
    }  # fmt: skip


def test_bundled_months_precede_the_first_statement() -> None:
    class Statements(Source):
        def fetch(self, series: Series, known: Known | None = None) -> Payload:
            found = vintages(deficits(mts_rows(STATEMENTS)))
            observations = observations_frame(found.dates, found.values)
            return Payload(series.series_id, observations, "url", is_complete=known is None)

    source = WithBundle(Statements(), SampleSource(PROJECT_ROOT))
    assert (
        source.fetch(a_series("MTSDS133FMS"), Known(None, None, None, None)).notes == ()
    )  # only what is new
    payload = source.fetch(a_series("MTSDS133FMS"))
    rows = payload.observations
    assert (
        rows["observation_date"].is_monotonic_increasing
        and str(rows["observation_date"].min().date()) < "1990"
    )
    found = vintages(deficits(mts_rows(STATEMENTS))).values
    assert len(found) == 6 and rows["value"].tolist()[-6:] == found
    assert payload.notes == ("bundled figures before 2025-01-01",)


def test_a_month_without_a_fiscal_year_or_after_its_statement_is_refused() -> None:
    for rows, rule in (
        ([row for row in mts_rows(STATEMENTS) if "FY" not in row["classification_desc"]], "not_a_date"),
        (mts_rows({"2026-01-31": {2026: {"March": "1.00"}}}), "future_date"),
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
    server = Loopback(
        {
            f"/hqm_{year % 100:02}_{(year + 4) % 100:02}.xls": Served(spot_rates_workbook(year))
            for year in range(1984, 2029, 5)
        }
    )
    now = dt.datetime(2026, 6, 15, tzinfo=dt.UTC)
    with running(server):
        first = HqmSource(server.root, FEW_RETRIES, now=lambda: now)
        payload = first.fetch(a_series("HQMCB10YR"))
        assert (payload.is_complete, first.requests) == (True, 9)
        night = HqmSource(server.root, FEW_RETRIES, now=lambda: now)
        newest = night.fetch(a_series("HQMCB10YR"), Held())
    assert (newest.is_complete, night.requests) == (False, 1)
    assert newest.observations["value"].tolist() == [10.24, 11.24]
    assert payload.observations["value"].tolist()[:2] == [10.84, 11.84] and len(payload.observations) == 18


# --- Chicago Fed and Labor ---


def test_conditions_index_is_dated_by_its_friday() -> None:
    assert by_date(column(parse_file(NFCI), "Credit")) == {"1971-01-08": -1.12, "1971-01-15": -1.13}
    with pytest.raises(Unusable, match="'Leverage' is not in it once"):
        column(parse_file(NFCI), "Leverage")


def test_claims_come_by_post_and_weeks_without_claims_are_left_out() -> None:
    report = claims_report([("8/22/2026", "204,000"), ("8/29/2026", "207,000"), ("9/5/2026", "&#160;")])
    server = Loopback({"/report.asp": Served(report, "text/xml")})
    with running(server):
        payload = ClaimsSource(f"{server.root}/report.asp", FEW_RETRIES).fetch(a_series("ICSA"))
    assert payload.observations["value"].tolist() == [204_000.0, 207_000.0]
    assert str(payload.observations["observation_date"].max().date()) == "2026-08-29"


def test_claims_may_be_six_weeks_old_in_this_profile_only() -> None:
    limits = {
        profile: {s.series_id: s.staleness_limit_days for s in load_catalog().in_profile(profile)}["ICSA"]
        for profile in ("sample", "public", "live")
    }
    assert limits == {"sample": 28, "public": 42, "live": 28}


@pytest.mark.parametrize("content", [HTML, b"", b"not it", NFCI[:30] + b"\n1,2"])
@pytest.mark.parametrize(
    "parse",
    [
        parse_response,
        parse_file,
        lambda content: parse_data(content, ["A191RC"]),
        lambda content: parse_register(content, ["A191RC"]),
        lambda content: parse_report(content, "InitialClaims/SA"),
    ],
)
def test_a_page_or_another_format_is_refused(parse: Callable[[bytes], object], content: bytes) -> None:
    with pytest.raises(Unusable) as refused:
        parse(content)
    assert refused.value.rule == "missing_column"


@pytest.mark.parametrize(
    ("parse", "rule"),
    [
        (lambda: parse_response(bls_answer({"A": [("2025", "M05", "4,3")]})), "not_a_number"),
        (lambda: parse_response(bls_answer({"A": [("2025", "B05", "4.3")]})), "not_a_date"),
        (lambda: parse_data(bea_data([("A191RC", "2026", "1")]), ["A191RC"]), "not_a_date"),
        (lambda: parse_data(bea_data([("A191RC", "2026Q1", "1,0")])[:-4], ["A191RC"]), "not_a_number"),
        (lambda: parse_report(claims_report([("2026-08-22", "1")]), "InitialClaims/SA"), "not_a_date"),
        (lambda: parse_report(claims_report([("8/22/2026", "1")]), "InitialClaims/ZZ"), "missing_column"),
        (lambda: column(parse_file(NFCI.replace(b"0.59", b"n.a.x")), "NFCI"), "not_a_number"),
        (lambda: column(parse_file(NFCI.replace(b"01/08/1971", b"1971-01-08")), "NFCI"), "not_a_date"),
    ],
)
def test_a_wrong_cell_is_refused_by_name(parse: Callable[[], object], rule: str) -> None:
    with pytest.raises(Unusable) as refused:
        parse()
    assert refused.value.rule == rule


# --- the publishers' own files ---


@needs_files
def test_real_files_of_bls_have_our_figures() -> None:
    """CPI and unemployment 31 of 31; payrolls 30 of 32, July and August 2026 being revised since."""
    found = parse_response((REAL / "bls" / "v1_timeseries_3series_2024-2026_excerpt.json").read_bytes())
    for series_id, counts in (("CPIAUCSL", (31, 0)), ("UNRATE", (31, 0)), ("PAYEMS", (32, 2))):
        assert agreement(found[code_of(a_series(series_id))], series_id, 1e-9) == counts


@needs_files
def test_real_files_of_bea_have_our_figures() -> None:
    """GDP 46 of 46 quarters to the first decimal; PCE prices of 29 of 31 months, two being of another estimate."""
    register = parse_register(
        (REAL / "bea" / "SeriesRegister_excerpt_2026-09.txt").read_bytes(), ["A191RC", "DPCERG"]
    )
    quarters = parse_data((REAL / "bea" / "NipaDataQ_excerpt_2026-09.txt").read_bytes(), ["A191RC"])
    gdp = in_unit_of(a_series("GDP"), quarters["A191RC"], register["A191RC"])
    assert agreement(gdp, "GDP", 0.0011) == (46, 0)
    months = parse_data((REAL / "bea" / "NipaDataM_excerpt_2026-09.txt").read_bytes(), ["DPCERG"])
    assert agreement(months["DPCERG"], "PCEPI", 0.0011) == (31, 2)


@needs_files
def test_other_real_files_have_our_figures() -> None:
    """Conditions index 2,875 weeks within 0.05 (estimated anew every week); claims 5 of 5; deficits 18 of 23."""
    index = parse_file((REAL / "regional_feds" / "nfci-data-series-csv_2026-03.csv").read_bytes())
    assert agreement(column(index, "NFCI"), "NFCI", 0.05, "realdata") == (2875, 0)
    report = parse_report(
        (REAL / "dol" / "r539cy_national_rundate_2026-09-28_excerpt.xml").read_bytes(), "InitialClaims/SA"
    )
    assert agreement(report, "ICSA", 0.0, "realdata") == (5, 0) and report.dates[-1] == "2026-08-29"
    statement = json.loads((REAL / "treasury" / "mts_table_1_2026-08_excerpt.json").read_bytes())
    months = vintages(deficits(statement["data"]))
    assert agreement(months, "MTSDS133FMS", 1.0) == (23, 5)
    assert by_date(months)["2026-07-01"] == pytest.approx(
        -432_285.727_964_6
    )  # restated since July's statement


def test_the_page_of_publishers_names_every_reader_with_its_address_and_variable() -> None:
    page = (PROJECT_ROOT / "docs" / "publishers.md").read_text(encoding="utf-8")
    for key, reader in READERS.items():
        row = next(line for line in page.splitlines() if line.startswith("|") and f", `{key}` |" in line)
        assert f"`{URL_VARIABLES[key]}`" in row, key
        address = getattr(reader, "address", None)
        assert address is None or address in row, key
    assert ADDRESS in page
