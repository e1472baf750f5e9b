"""FRED's protocol against a server that speaks it: the seam in fredapi, limits, pages, windows, secrecy."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
import traceback
from collections.abc import Iterator

import fredapi
import numpy as np
import pandas as pd
import pytest

from assets.sources import fred_client
from assets.sources.fred_client import (
    FredClient,
    FredError,
    NotInAlfred,
    SeriesNotFound,
    TooManyVintages,
    checked_root,
)
from assets.sources.protocol import CredentialsRefused
from tests.fakes import fred_server as server_module
from tests.fakes.fred_runs import quick_client
from tests.fakes.fred_server import FredServer, fred_server
from tests.fakes.fred_world import KEY, Published, ReleaseDates, World, published

TODAY = dt.date(2026, 11, 24)
RATES = [("2026-01-01", "2026-02-06", 4.3), ("2026-01-01", "2026-03-06", 4.4), ("2026-02-01", "2026-03-06", 4.4),
         ("2026-03-01", "2026-04-03", np.nan)]  # fmt: skip


@pytest.fixture
def server() -> Iterator[FredServer]:
    world = World(TODAY, {"UNRATE": published("UNRATE", RATES)})
    world.releases[10] = ReleaseDates(
        "Employment Situation", np.array(["2026-02-06", "2026-03-06"], "datetime64[D]")
    )
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
    return list(
        zip(
            found.observation.astype(str), found.start.astype(str), found.end.astype(str), found.value.tolist(),
            strict=True,
        )
    )  # fmt: skip


def test_fredapi_still_fetches_in_the_one_method_we_override() -> None:
    """Fails when fredapi moves its single fetching method: then pace, retries and secrecy would be bypassed."""
    assert "_Fred__fetch_data" in vars(fredapi.Fred), "fredapi keeps its requests elsewhere now"
    assert vars(FredClient)["_Fred__fetch_data"] is vars(FredClient)["_fetch"]
    used = [
        name
        for name, made in vars(fredapi.Fred).items()
        if callable(made) and "urlopen" in made.__code__.co_names
    ]
    assert used == ["_Fred__fetch_data"], "fredapi fetches in another place too"


def test_fredapis_own_methods_fetch_through_our_method(server: FredServer) -> None:
    client = quick_client(server)
    assert client.get_series_info("UNRATE")["units"] == "Percent"
    assert client.get_series("UNRATE").dropna().tolist() == [4.4, 4.4]
    assert client.get_series_vintage_dates("UNRATE")[0] == dt.datetime(2026, 2, 6)
    assert client.requests == len(server.asked) == 3


def test_more_than_one_page_of_observations_arrives_completely(
    server: FredServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """fredapi itself stops at 100,000 rows without an error."""
    server.world.series["LONG"] = many_vintages("LONG", 1500, rewritten=20)
    monkeypatch.setattr(fred_client, "ROWS_PER_RESPONSE", 700)
    monkeypatch.setattr(server_module, "MOST_ROWS", 700)
    truth = server.world.series["LONG"]
    assert as_rows(quick_client(server).all_releases("LONG")) == as_rows(truth)
    assert server.count("observations") == -(-len(truth.value) // 700)


@pytest.mark.parametrize("dates", [2001, 3800, 3801, 5700])
def test_stitched_vintages_are_the_truth_across_window_boundaries(server: FredServer, dates: int) -> None:
    """FRED clips periods to the window asked for; glued wrongly they look like revisions nobody made."""
    server.world.series["DAILY"] = truth = many_vintages("DAILY", dates, rewritten=30)
    assert len(truth.vintage_dates) == dates
    assert as_rows(quick_client(server).all_releases("DAILY")) == as_rows(truth)
    windows = -(-(dates - 1) // 1900) if dates > 2000 else 1
    assert server.count("observations") <= 1 + windows + 1 and server.count("vintagedates") == 1


def test_a_value_that_goes_and_comes_back_the_same_is_not_glued(server: FredServer) -> None:
    rows = [
        ("2026-01-01", "2026-02-01", 1.0),
        ("2026-01-01", "2026-03-01", np.nan),
        ("2026-01-01", "2026-04-01", 1.0),
    ]
    server.world.series["GAP"] = published("GAP", rows)
    assert len(quick_client(server).all_releases("GAP")) == 3


def test_a_window_of_vintages_begins_where_it_is_asked_to(server: FredServer) -> None:
    found = quick_client(server).all_releases("UNRATE", "2026-03-05")
    assert found["realtime_start"].astype(str).tolist() == [
        "2026-03-05",
        "2026-03-06",
        "2026-03-06",
        "2026-04-03",
    ]


def test_a_series_that_changes_between_two_pages_is_read_again(
    server: FredServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.world.series["LONG"] = truth = many_vintages("LONG", 900)
    monkeypatch.setattr(fred_client, "ROWS_PER_RESPONSE", 500)
    count = f'count="{len(truth.value)}"'.encode()

    from tests.fakes.faults import replaced

    server.script.add("offset=500", replaced(count, b'count="901"'))
    assert as_rows(quick_client(server).all_releases("LONG")) == as_rows(truth)


def test_refusals_have_kinds(server: FredServer) -> None:
    client = quick_client(server)
    with pytest.raises(SeriesNotFound, match="series does not exist"):
        client.series_info("NOSUCH")
    server.world.series["UNRATE"].is_in_alfred = False
    with pytest.raises(NotInAlfred):
        client.all_releases("UNRATE")
    with pytest.raises(CredentialsRefused, match=r"not registered.*fredaccount"):
        quick_client(server, key="f" * 32).series_info("UNRATE")
    with pytest.raises(TooManyVintages):
        server.world.series["D"] = many_vintages("D", 2100)
        client._observations("D", {"realtime_start": "1776-07-04", "realtime_end": "9999-12-31"})


@pytest.mark.parametrize("series_id", ["GDP&limit=1", "gdp", "", "GDP ", "A" * 26, "../fred", "GDP\nX"])
def test_an_id_that_is_none_is_never_sent(server: FredServer, series_id: str) -> None:
    with pytest.raises(FredError, match="no FRED series id"):
        quick_client(server).series_info(series_id)
    assert server.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "api.stlouisfed.org/fred",
        "ftp://x/fred",
        "http://example.org/fred",
        "https://u@x/fred",
        "https://x/f?a=1",
    ],
)
def test_an_address_that_would_expose_the_key_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="FRED_ROOT_URL"):
        checked_root(url)


def test_the_key_is_in_no_text_of_client_or_failure(server: FredServer) -> None:
    client = quick_client(server)
    assert KEY not in f"{client!r} {vars(client)!r} {client.__dict__}"
    with pytest.raises(TypeError):
        pickle.dumps(client)
    with pytest.raises(TypeError):
        copy.deepcopy(client)
    server.world.key = "e" * 32
    with pytest.raises(CredentialsRefused) as caught:
        client.series_info("UNRATE")
    shown = "".join(traceback.format_exception(caught.value))
    assert KEY not in shown and caught.value.__context__ is None and caught.value.__cause__ is None


def test_release_dates_with_figures_are_not_mixed_with_planned_ones(server: FredServer) -> None:
    server.world.releases[10].planned = np.array(["2026-03-20", "2027-01-08"], "datetime64[D]")
    client = quick_client(server)
    assert client.release_of("UNRATE") == fred_client.Release(10, "Employment Situation")
    assert client.release_dates(10, planned=False).astype(str).tolist() == ["2026-02-06", "2026-03-06"]
    assert client.release_dates(10, planned=True).astype(str).tolist()[-2:] == ["2026-03-20", "2027-01-08"]
