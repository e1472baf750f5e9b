"""How publishers are reached: read strictly, and the key shown by nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from assets.sources.fred import FredSource
from assets.sources.fred_client import REQUESTS_PER_SECOND
from assets.sources.protocol import CredentialsRefused, SourceUnreachable
from assets.sources.registry import Sources
from pipelines.access import URL_VARIABLES, open_sources, read_access
from pipelines.settings import KNOWN_VARIABLES, ConfigurationError, Settings, load_settings
from tests.fakes.fed_board import PATH as BOARD_PATH
from tests.fakes.fed_board import fed_board
from tests.fakes.fred_world import KEY
from tests.fakes.server import running


@pytest.fixture
def live() -> Settings:
    return load_settings(environ={"FRED_API_KEY": KEY})


def test_addresses_and_pace_are_those_of_the_environment(live: Settings) -> None:
    access = read_access(
        live, {"FRED_REQUESTS_PER_SECOND": "0.5", "SHILLER_URL": "https://example.org/ie_data.xls"}
    )
    assert (access.fred_requests_per_second, access.urls) == (
        0.5,
        {"shiller": "https://example.org/ie_data.xls"},
    )
    assert read_access(live, {}).fred_requests_per_second is None, (
        "FRED's own pace, declared beside its client"
    )
    assert REQUESTS_PER_SECOND == 1.8
    assert set(URL_VARIABLES.values()) < set(KNOWN_VARIABLES)


@pytest.mark.parametrize("pace", ["fast", "0", "-1", "nan", "inf"])
def test_a_pace_that_is_none_is_refused(live: Settings, pace: str) -> None:
    with pytest.raises(ConfigurationError, match="FRED_REQUESTS_PER_SECOND"):
        read_access(live, {"FRED_REQUESTS_PER_SECOND": pace})


def test_the_time_for_asking_again_is_one_budget_of_the_run(live: Settings) -> None:
    assert Sources(read_access(live, {})).budget.seconds == 900
    assert read_access(live, {"REGIME_RETRY_BUDGET_SECONDS": "0"}).retry_budget_seconds == 0
    with pytest.raises(ConfigurationError, match="REGIME_RETRY_BUDGET_SECONDS is"):
        read_access(live, {"REGIME_RETRY_BUDGET_SECONDS": "an hour"})
    with pytest.raises(ConfigurationError, match="from 0 to 21600"):
        read_access(live, {"REGIME_RETRY_BUDGET_SECONDS": "99999999"})


def test_a_fred_where_nothing_listens_is_said_at_once(live: Settings) -> None:
    said = list[str]()
    nowhere = dict.fromkeys(("FRED_ROOT_URL", *URL_VARIABLES.values()), "http://127.0.0.1:9/x")
    open_sources(live, nowhere, said.append)
    with running(fed_board()) as board:
        open_sources(live, {**nowhere, "FED_BOARD_URL": board.root + BOARD_PATH}, said.append)
    assert [line.split(" (")[0] for line in said] == ["no publisher can be reached", "FRED cannot be reached"]
    assert KEY not in "".join(said)


@pytest.mark.parametrize("url", ["example.org", "file:///etc/passwd", "https://", "http://[x"])
def test_an_address_that_is_none_is_refused(live: Settings, url: str) -> None:
    with pytest.raises(ConfigurationError, match="WORLD_BANK_URL"):
        read_access(live, {"WORLD_BANK_URL": url})


@pytest.mark.parametrize("key", ["short", "A" * 32])
def test_an_impossible_key_is_told_at_once_and_not_repeated(live: Settings, key: str) -> None:
    settings = load_settings(environ={"FRED_API_KEY": key})
    with pytest.raises(ConfigurationError, match=r"fredaccount\.stlouisfed\.org/apikeys") as caught:
        open_sources(settings, {})
    assert key not in str(caught.value)


def test_a_fred_that_cannot_be_reached_is_no_reason_to_stop(
    live: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_: FredSource) -> None:
        raise SourceUnreachable("FRED: connection refused")

    monkeypatch.setattr(FredSource, "probe", silent)
    assert repr(open_sources(live, {})) == "Sources(live)"


def test_the_key_is_shown_by_no_text_of_access_or_sources(
    live: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FredSource, "probe", lambda _: None)
    sources = open_sources(live, {})
    fred = sources.of("fred")
    assert fred is sources.of("fred"), "made once a run"
    assert KEY not in f"{read_access(live, {})!r} {sources!r} {vars(sources)!r} {fred!r} {vars(fred)!r}"


def test_the_sample_asks_nobody() -> None:
    sources = open_sources(replace(load_settings(environ={}), fred_api_key=None), {})
    assert sources.last_day(dt.datetime.now(dt.UTC)).isoformat() == "2026-05-31"


def test_live_without_a_key_is_refused_by_the_source_too(live: Settings) -> None:
    with pytest.raises(CredentialsRefused):
        FredSource.connect(None)
