"""The environment is read strictly: a typing error never runs something else, and no text contains the key."""

from __future__ import annotations

import datetime as dt
import pickle
import re
from pathlib import Path

import pytest

from assets.sources.fred import FredSource
from assets.sources.fred_client import REQUESTS_PER_SECOND, TERMS
from assets.sources.registry import Sources
from pipelines.settings import (
    PROJECT_ROOT,
    ConfigurationError,
    Secret,
    Settings,
    load_folders,
    load_settings,
    open_sources,
    read_access,
    read_environment,
    unknown_variables,
)
from tests.fakes.fred_world import KEY

SAMPLE_END = dt.date(2026, 9, 30)


def test_without_variables_the_sample_runs_as_of_its_last_day() -> None:
    settings = load_settings(environ={})
    assert (settings.profile, settings.as_of, settings.run_date) == ("sample", None, SAMPLE_END)
    assert settings.warehouse_path == PROJECT_ROOT / "data" / "sample.warehouse.duckdb"
    assert settings.published_path == PROJECT_ROOT / "data" / "published" / "regime.duckdb"
    assert settings.dagster_home == PROJECT_ROOT / "dagster_home"
    assert settings.fred_api_key is None
    assert settings.notices == ()


WRONG = {
    r"REGIME_PROFILE is 'prod': give sample, public or live": {"REGIME_PROFILE": "prod"},
    rf"https://fredaccount\.stlouisfed\.org/apikeys .*{re.escape(TERMS)}": {"REGIME_PROFILE": "live"},
    "REGIME_PUBLISH_RESTRICTED is 'yes': give 1 or 0": {"REGIME_PUBLISH_RESTRICTED": "yes"},
    "after the sample's last day": {"REGIME_AS_OF": "2026-10-01"},
    "before the first month-end": {"REGIME_AS_OF": "1984-12-31"},
    r"REGIME_AS_OF is '2024-13-01': give a date as YYYY-MM-DD": {"REGIME_AS_OF": "2024-13-01"},
}


@pytest.mark.parametrize("message", WRONG)
def test_a_wrong_value_is_refused_with_the_way_out(message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load_settings(environ=WRONG[message])


def test_a_key_alone_runs_live_public_is_chosen_by_name_and_each_profile_has_a_warehouse_of_its_own() -> None:
    key, today = {"FRED_API_KEY": "abc"}, dt.date(2026, 11, 24)
    for variables, profile, warehouse in (
        (key, "live", "warehouse.duckdb"),
        ({**key, "REGIME_PROFILE": "sample"}, "sample", "sample.warehouse.duckdb"),
        ({**key, "REGIME_PROFILE": "public"}, "public", "public.warehouse.duckdb"),
        ({"REGIME_PROFILE": "public"}, "public", "public.warehouse.duckdb"),
    ):
        settings = load_settings(environ=variables, today=today)
        assert (settings.profile, settings.warehouse_path.name) == (profile, warehouse)
        assert settings.run_date == (SAMPLE_END if profile == "sample" else today)


def test_the_command_lines_date_overrides_the_variable_and_restricted_figures_are_published_on_request() -> (
    None
):
    settings = load_settings(as_of=dt.date(2020, 1, 31), environ={"REGIME_AS_OF": "2024-12-31"})
    assert settings.as_of == settings.run_date == dt.date(2020, 1, 31)
    off = load_settings(environ={"REGIME_AS_OF": "2024-12-31", "REGIME_PUBLISH_RESTRICTED": "0"})
    assert off.run_date == dt.date(2024, 12, 31) and not off.publishes_restricted
    on = load_settings(environ={"REGIME_PUBLISH_RESTRICTED": "1"})
    assert on.publishes_restricted and "do not pass it on" in on.notices[0]


def test_the_environment_overrides_dotenv_and_an_empty_variable_is_not_set(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("REGIME_PROFILE=live\nFRED_API_KEY=a$b{c}\nREGIME_DATA_DIR=from-file\n")
    variables = read_environment({"REGIME_PROFILE": "sample", "REGIME_DATA_DIR": ""}, tmp_path)
    assert variables == {"REGIME_PROFILE": "sample", "FRED_API_KEY": "a$b{c}"}


def test_a_line_of_dotenv_may_be_written_in_any_usual_way(tmp_path: Path) -> None:
    for line in (
        "export FRED_API_KEY=k", 'FRED_API_KEY="k"', "FRED_API_KEY = k", "FRED_API_KEY=k # mine", "FRED_API_KEY=k\r",
        "\ufeffFRED_API_KEY=k", "# a note\r\n\r\n  FRED_API_KEY=k\r\n",
    ):  # fmt: skip
        (tmp_path / ".env").write_bytes(f"{line}\n".encode())
        assert read_environment({}, tmp_path) == {"FRED_API_KEY": "k"}, line


def test_a_line_that_is_not_understood_stops_with_its_number_and_without_its_value(tmp_path: Path) -> None:
    for line in (
        "FRED_API_KEY: 0123secret", "FRED_API_KEY 0123secret", "0123secret", 'FRED_API_KEY="0123secret',
        "FRED-API-KEY=0123secret", "FRED_API_KEY=0123secret\0",
    ):  # fmt: skip
        (tmp_path / ".env").write_text(f"# first\n\nREGIME_PROFILE=sample\n\n{line}\nREGIME_DATA_DIR=x\n")
        with pytest.raises(ConfigurationError, match=r"^\.env:5 is not understood") as caught:
            read_environment({}, tmp_path)
        assert "0123" not in str(caught.value)
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00K")
    with pytest.raises(ConfigurationError, match=r"\.env cannot be read"):
        read_environment({}, tmp_path)


@pytest.mark.parametrize("written", ["~/regime", "${HOME}/regime", "$BASE", "me/x/../regime"])
def test_a_path_means_the_same_in_dotenv_and_in_the_environment(
    written: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = tmp_path / "me" / "regime"
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.chdir("/")
    variables = {"HOME": str(tmp_path / "me"), "BASE": str(expected)}
    paths = dict.fromkeys(("REGIME_DATA_DIR", "DAGSTER_HOME"), written)
    in_environment = read_environment(variables | paths, tmp_path)
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in paths.items()))
    for found in (in_environment, read_environment(variables, tmp_path)):
        folders = load_folders(found, tmp_path)
        assert folders.data_dir == folders.dagster_home == expected


def test_a_path_that_cannot_be_expanded_names_variable_and_line_and_other_texts_keep_their_dollar(
    tmp_path: Path,
) -> None:
    url = "mailtos://u:a$HOME${HOME}~@example.org"
    assert read_environment({"REGIME_ALERT_URLS": url, "HOME": "/h"})["REGIME_ALERT_URLS"] == url
    (tmp_path / ".env").write_text("# first\nREGIME_DATA_DIR=$NO_SUCH/data\n")
    for home, message in (
        ("x", r"^\.env:2: REGIME_DATA_DIR refers to \$NO_SUCH, which is not set"),
        ("~nobody-of-this-name/x", "^DAGSTER_HOME begins with ~, and no such home directory"),
        ("$(pwd)/x", "^DAGSTER_HOME cannot be expanded"),
    ):
        given = {"DAGSTER_HOME": home} | ({} if home == "x" else {"REGIME_DATA_DIR": "x"})
        with pytest.raises(ConfigurationError, match=message):
            read_environment(given, tmp_path)


TYPING_ERRORS = {
    "FREDAPIKEY": "FRED_API_KEY", "DAGSTERHOME": "DAGSTER_HOME", "SHILLER_URI": "SHILLER_URL",
    "REGIME_ASOF": "REGIME_AS_OF", "REGIME_DIR": "REGIME_DATA_DIR", "REGIME_PROFIL": "REGIME_PROFILE",
    "FRED_KEY": "FRED_API_KEY", "fred_api_key": "FRED_API_KEY", "REGIME_SOMETHING_ELSE": None,
}  # fmt: skip


def test_typing_errors_are_named_with_what_was_meant_in_one_line() -> None:
    written = dict.fromkeys(TYPING_ERRORS, "x")
    assert unknown_variables({**written, "PATH": "y", "REGIME_AS_OF": "z"}) == TYPING_ERRORS
    (notice,) = load_settings(
        environ={"REGIME_ASOF": "2020-01-31", "FRED_KEY": "x", "REGIME_COLOUR": "red"}
    ).notices
    assert "REGIME_ASOF" in notice and "FRED_KEY" in notice and "REGIME_COLOUR" not in notice


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
    assert Sources(read_access(live, {})).budget.seconds == 900
    assert read_access(live, {"REGIME_RETRY_BUDGET_SECONDS": "0"}).retry_budget_seconds == 0
    assert read_access(live, {"REGIME_PREFER": "publishers"}).prefers_publishers


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


def test_an_unreachable_fred_is_reported_at_once_and_does_not_stop_the_run(live: Settings) -> None:
    lines = list[str]()
    open_sources(live, {"FRED_ROOT_URL": "http://127.0.0.1:9/x"}, lines.append)
    assert [line.split(" (")[0] for line in lines] == ["FRED cannot be reached"]
    assert KEY not in "".join(lines)


@pytest.mark.parametrize("key", ["short", "A" * 32])
def test_an_impossible_key_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(ConfigurationError, match=r"fredaccount\.stlouisfed\.org/apikeys") as caught:
        open_sources(load_settings(environ={"FRED_API_KEY": key}), {})
    assert key not in str(caught.value)


def test_no_text_of_settings_or_sources_contains_the_key(
    live: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FredSource, "probe", lambda _: None)
    sources = open_sources(live, {})
    fred = sources.of("fred")
    assert fred is sources.of("fred"), "made once a run"
    assert live.fred_api_key is not None and live.fred_api_key.reveal() == KEY
    shown = f"{live!r} {live} {live.fred_api_key:} {read_access(live, {})!r} {vars(sources)!r} {vars(fred)!r}"
    assert KEY not in shown
    with pytest.raises(TypeError):
        pickle.dumps(Secret(KEY))


@pytest.mark.parametrize("document", ["README.md", ".env.example", "docs/live.md", "docs/data_terms.md"])
def test_freds_terms_are_quoted_where_a_key_is_entered(document: str) -> None:
    text = (PROJECT_ROOT / document).read_text(encoding="utf-8").replace("\n# ", " ")
    assert TERMS in text
