"""FRED's protocol against a server that speaks it: the seam in fredapi, limits, pages, windows, dates, secrecy."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
import traceback
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import fredapi
import numpy as np
import pandas as pd
import pytest

from assets.compute.calendar import Days, days
from assets.sources import fred_client
from assets.sources.fred import expected_on, is_overdue, next_stamp, publications
from assets.sources.fred_client import (
    FredClient,
    FredError,
    NotInAlfred,
    SeriesNotFound,
    TooManyVintages,
    checked_root,
    parse_observations,
)
from assets.sources.parse import Unusable
from assets.sources.protocol import CredentialsRefused
from tests.builders import a_series
from tests.fakes import fred_server as server_module
from tests.fakes.faults import replaced
from tests.fakes.fred_runs import quick_client
from tests.fakes.fred_server import FredServer, fred_server
from tests.fakes.fred_world import KEY, Published, ReleaseDates, World, published

TODAY = dt.date(2026, 11, 24)
RATES = [("2026-01-01", "2026-02-06", 4.3), ("2026-01-01", "2026-03-06", 4.4), ("2026-02-01", "2026-03-06", 4.4),
         ("2026-03-01", "2026-04-03", np.nan)]  # fmt: skip


@pytest.fixture
def server() -> Iterator[FredServer]:
    world = World(TODAY, {"UNRATE": published("UNRATE", RATES)})
    world.releases[10] = ReleaseDates("Employment Situation", days(["2026-02-06", "2026-03-06"]))
    with fred_server(world) as running:
        yield running


def many_vintages(series_id: str, dates: int, rewritten: int = 0) -> Published:
    """A daily series with one vintage a day, some of which rewrite the figures of many days."""
    first = np.datetime64("2010-01-01", "D")
    rows = []
    for n in range(dates):
        day = first + n
        rows.append((str(day - 1), str(day), n / 7))
        if rewritten and n % 97 == 96:
            rows += [(str(day - 1 - back), str(day), n / 7 + back) for back in range(1, rewritten + 1)]
    return published(series_id, rows, frequency="Daily")


def as_rows(found: pd.DataFrame | Published) -> list[tuple[str, str, str, float]]:
    if isinstance(found, pd.DataFrame):
        found = found.set_axis(["observation", "value", "start", "end"], axis="columns")
    stamps = (column.astype(str) for column in (found.observation, found.start, found.end))
    return list(zip(*stamps, found.value.tolist(), strict=True))


def test_fredapi_fetches_in_the_one_method_we_override(server: FredServer) -> None:
    """Fails when fredapi moves its single fetching method: then pace, retries and secrecy would be bypassed."""
    assert "_Fred__fetch_data" in vars(fredapi.Fred), "fredapi keeps its requests elsewhere now"
    assert vars(FredClient)["_Fred__fetch_data"] is vars(FredClient)["_fetch"]
    used = [name for name, made in vars(fredapi.Fred).items()
            if callable(made) and "urlopen" in made.__code__.co_names]  # fmt: skip
    assert used == ["_Fred__fetch_data"], "fredapi fetches in another place too"
    client = quick_client(server)
    assert client.get_series_info("UNRATE")["units"] == "Percent"
    assert client.requests == len(server.asked) == 1


def test_more_than_one_page_arrives_completely_also_when_the_series_changes_between_two(
    server: FredServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """fredapi itself stops at 100,000 rows without an error."""
    server.world.series["LONG"] = truth = many_vintages("LONG", 1500, rewritten=20)
    monkeypatch.setattr(fred_client, "ROWS_PER_RESPONSE", 700)
    monkeypatch.setattr(server_module, "MOST_ROWS", 700)
    pages = -(-len(truth.value) // 700)
    assert as_rows(quick_client(server).all_releases("LONG")) == as_rows(truth)
    assert server.count("observations") == pages
    server.script.add("offset=700", replaced(f'count="{len(truth.value)}"'.encode(), b'count="901"'))
    assert as_rows(quick_client(server).all_releases("LONG")) == as_rows(truth)
    assert server.count("observations") == pages + 2 + pages


@pytest.mark.parametrize("dates", [2001, 3800, 3801])
def test_stitched_vintages_are_the_truth_across_window_boundaries(server: FredServer, dates: int) -> None:
    """FRED clips periods to the window asked for; glued wrongly they look like revisions nobody made."""
    server.world.series["DAILY"] = truth = many_vintages("DAILY", dates, rewritten=30)
    assert len(truth.vintage_dates) == dates
    assert as_rows(quick_client(server).all_releases("DAILY")) == as_rows(truth)
    windows = -(-(dates - 1) // 1900) if dates > 2000 else 1
    assert server.count("observations") <= 1 + windows + 1 and server.count("vintagedates") == 1


def test_a_value_that_comes_back_is_not_glued_and_a_window_begins_where_it_is_asked_to(
    server: FredServer,
) -> None:
    starts = ("2026-02-01", "2026-03-01", "2026-04-01")
    rows = [("2026-01-01", start, value) for start, value in zip(starts, (1.0, np.nan, 1.0), strict=True)]
    server.world.series["GAP"] = published("GAP", rows)
    assert len(quick_client(server).all_releases("GAP")) == 3
    found = quick_client(server).all_releases("UNRATE", "2026-03-05")["realtime_start"].astype(str)
    assert found.tolist() == ["2026-03-05", "2026-03-06", "2026-03-06", "2026-04-03"]


def test_refusals_have_kinds(server: FredServer) -> None:
    client = quick_client(server)
    with pytest.raises(SeriesNotFound, match="series does not exist"):
        client.series_info("NOSUCH")
    server.world.series["UNRATE"].is_in_alfred = False
    with pytest.raises(NotInAlfred):
        client.all_releases("UNRATE")
    with pytest.raises(TooManyVintages):
        server.world.series["D"] = many_vintages("D", 2100)
        client._observations("D", {"realtime_start": "1776-07-04", "realtime_end": "9999-12-31"})


def test_an_id_that_is_none_is_never_sent(server: FredServer) -> None:
    for series_id in ("GDP&limit=1", "gdp", "", "GDP ", "A" * 26, "../fred", "GDP\nX"):
        with pytest.raises(FredError, match="no FRED series id"):
            quick_client(server).series_info(series_id)
    assert server.asked == []


def test_an_address_that_would_expose_the_key_is_refused() -> None:
    for url in ("api.stlouisfed.org/fred", "ftp://x/fred", "http://example.org/fred", "https://u@x/fred",
                "https://x/f?a=1"):  # fmt: skip
        with pytest.raises(ValueError, match="FRED_ROOT_URL"):
            checked_root(url)


def test_the_key_is_in_no_text_of_client_or_failure(server: FredServer) -> None:
    client = quick_client(server)
    assert KEY not in f"{client!r} {vars(client)!r} {client.__dict__}"
    for written in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            written(client)
    server.world.key = "e" * 32
    with pytest.raises(CredentialsRefused, match=r"not registered.*fredaccount") as caught:
        client.series_info("UNRATE")
    shown = "".join(traceback.format_exception(caught.value))
    assert KEY not in shown and caught.value.__context__ is None and caught.value.__cause__ is None


def test_release_dates_with_figures_are_not_mixed_with_planned_ones(server: FredServer) -> None:
    server.world.releases[10].planned = days(["2026-03-20", "2027-01-08"])
    client = quick_client(server)
    assert client.release_of("UNRATE") == fred_client.Release(10, "Employment Situation")
    assert client.release_dates(10, planned=False).astype(str).tolist() == ["2026-02-06", "2026-03-06"]
    assert client.release_dates(10, planned=True).astype(str).tolist()[-2:] == ["2026-03-20", "2027-01-08"]


# --- what release dates say of first publications ---


def dated(series_id: str, observations: list[str], dates: list[str] | Days) -> dict[str, str]:
    known = publications(days(observations), a_series(series_id), days(dates))
    return {str(stamp): str(day) for stamp, day in known.items()}


def test_a_figure_takes_its_own_release_day_and_no_day_serves_two_periods() -> None:
    # January's was two weeks late (shutdown)
    dates = ["1995-12-08", "1996-01-19", "1996-02-02", "1996-03-08"]
    assert dated("UNRATE", ["1995-12-01", "1996-01-01", "1996-02-01"], dates) == {
        "1995-12-01": "1996-01-19", "1996-01-01": "1996-02-02", "1996-02-01": "1996-03-08",
    }  # fmt: skip
    dates = ["2013-09-06", "2013-10-22", "2013-11-08", "2013-12-06"]
    expected = {"2013-09-01": "2013-10-22", "2013-10-01": "2013-11-08"}
    assert dated("UNRATE", [*expected], dates) == expected
    # the first of three estimates
    dates = ["2018-01-26", "2018-02-28", "2018-03-28", "2018-04-27", "2018-05-30", "2018-06-28", "2018-07-27"]
    assert dated("GDP", ["2018-01-01"], dates) == {"2018-01-01": "2018-04-27"}
    # periods before the calendar begins are left to the lag
    assert dated("UNRATE", ["1994-01-01"], ["1995-12-08", "1996-01-19", "1996-02-02"]) == {}
    assert dated("DGS10", ["1996-01-02"], ["1996-01-02", "1996-01-03"]) == {}


def test_a_weekly_release_never_dates_a_monthly_figure_before_its_lag() -> None:
    """FRED does not state which week brought the month's figure; a week too early would be look-ahead."""
    weekly = np.arange(np.datetime64("1999-01-07"), np.datetime64("1999-12-31"), 7)
    (day,) = dated("M2SL", ["1999-03-01"], weekly).values()
    assert day >= "1999-04-28"


def test_a_figure_is_overdue_after_its_lag_and_not_for_ever_and_planned_by_the_calendar() -> None:
    series, april = a_series("UNRATE"), dt.date(2026, 4, 1)
    assert not is_overdue(april, series, dt.date(2026, 6, 10))
    assert is_overdue(april, series, dt.date(2026, 6, 11))
    assert not is_overdue(dt.date(2025, 4, 1), series, dt.date(2026, 6, 11))
    assert str(next_stamp(april, series)) == "2026-05-01" and np.isnat(next_stamp(april, a_series("DGS10")))
    assert str(expected_on(april, series, days(["2026-05-08", "2026-06-05", "2026-07-02"]))) == "2026-06-05"
    assert np.isnat(expected_on(april, series, days(["2026-05-08"])))


def test_a_period_that_ends_before_it_begins_is_refused_by_name() -> None:
    def of(start: str, end: str) -> ET.Element:
        row = f'<observation realtime_start="{start}" realtime_end="{end}" date="2024-03-01" value="3.8"/>'
        return ET.fromstring(f"<observations>{row}</observations>")

    assert len(parse_observations(of("2024-05-03", "2024-05-03"))) == 1
    with pytest.raises(Unusable, match="'2024-05-06 to 2024-05-03' on 2024-03-01 is no real-time period"):
        parse_observations(of("2024-05-06", "2024-05-03"))
