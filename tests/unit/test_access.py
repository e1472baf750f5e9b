"""Key, pace and addresses of the publishers are read strictly, and no text contains the key."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from assets.sources.fred import FredSource
from assets.sources.fred_client import REQUESTS_PER_SECOND, TERMS, ApiKey
from assets.sources.protocol import CredentialsRefused
from assets.sources.registry import Sources
from pipelines.settings import (
    KNOWN_VARIABLES,
    PROJECT_ROOT,
    URL_VARIABLES,
    ConfigurationError,
    Settings,
    choose_profile,
    load_settings,
    open_sources,
    read_access,
)
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
    assert read_access(live, {}).fred_requests_per_second is None, "FRED's own pace"
    assert REQUESTS_PER_SECOND == 1.8
    assert set(URL_VARIABLES.values()) < set(KNOWN_VARIABLES)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("FRED_REQUESTS_PER_SECOND", pace) for pace in ("fast", "0", "-1", "nan", "inf")),
        *(("WORLD_BANK_URL", url) for url in ("example.org", "file:///etc/passwd", "https://", "http://[x")),
        ("REGIME_PREFER", "fred"),
        *(("REGIME_RETRY_BUDGET_SECONDS", seconds) for seconds in ("an hour", "99999999")),
    ],
)
def test_an_impossible_value_is_refused_by_its_name(live: Settings, name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        read_access(live, {name: value})


def test_all_retries_of_a_run_share_one_budget(live: Settings) -> None:
    assert Sources(read_access(live, {})).budget.seconds == 900
    assert read_access(live, {"REGIME_RETRY_BUDGET_SECONDS": "0"}).retry_budget_seconds == 0
    assert read_access(live, {"REGIME_PREFER": "publishers"}).prefers_publishers


def test_an_unreachable_fred_is_reported_at_once_and_does_not_stop_the_run(live: Settings) -> None:
    lines = list[str]()
    nowhere = dict.fromkeys(("FRED_ROOT_URL", *URL_VARIABLES.values()), "http://127.0.0.1:9/x")
    open_sources(live, nowhere, lines.append)
    with running(fed_board()) as board:
        open_sources(live, {**nowhere, "FED_BOARD_URL": board.root + BOARD_PATH}, lines.append)
    assert [line.split(" (")[0] for line in lines] == [
        "no publisher can be reached",
        "FRED cannot be reached",
    ]
    assert KEY not in "".join(lines)


@pytest.mark.parametrize("key", ["short", "A" * 32])
def test_an_impossible_key_is_refused_without_repeating_it(live: Settings, key: str) -> None:
    settings = load_settings(environ={"FRED_API_KEY": key})
    with pytest.raises(ConfigurationError, match=r"fredaccount\.stlouisfed\.org/apikeys") as caught:
        open_sources(settings, {})
    assert key not in str(caught.value)


def test_no_text_of_access_or_sources_contains_the_key(
    live: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FredSource, "probe", lambda _: None)
    sources = open_sources(live, {})
    fred = sources.of("fred")
    assert fred is sources.of("fred"), "made once a run"
    assert KEY not in f"{read_access(live, {})!r} {sources!r} {vars(sources)!r} {fred!r} {vars(fred)!r}"


def test_the_sample_contacts_no_publisher() -> None:
    sources = open_sources(replace(load_settings(environ={}), fred_api_key=None), {})
    assert sources.last_day(dt.datetime.now(dt.UTC)).isoformat() == "2026-09-30"


@pytest.mark.parametrize("document", ["README.md", ".env.example", "docs/live.md", "docs/data_terms.md"])
def test_freds_terms_are_quoted_where_a_key_is_entered(document: str) -> None:
    text = (PROJECT_ROOT / document).read_text(encoding="utf-8").replace("\n# ", " ")
    assert TERMS in text


def test_freds_terms_are_in_the_error_of_a_missing_key() -> None:
    with pytest.raises(ConfigurationError) as refused:
        choose_profile({"REGIME_PROFILE": "live"})
    assert TERMS in str(refused.value)
    with pytest.raises(CredentialsRefused) as none:
        ApiKey("")
    assert TERMS in str(none.value)
