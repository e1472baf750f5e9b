"""What the pages show works: every block is run here, run by the test named for it, or left out with its reason.

Commands, links and messages that a page names exist; pages made from code are what the code gives.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest

from assets.catalog.loader import load_catalog
from assets.report.published import Release
from assets.warehouse.connection import CONFIG
from assets.warehouse.schema import open_warehouse
from docs._generate import evidence, validation
from docs._generate.post import NOT_ANNOUNCED, NOT_MEASURED, POST_DAY, filled, rewritten, run_date
from docs._generate.post import PAGE as POST
from docs._generate.post import rows as post_rows
from pipelines import __main__ as command_line
from pipelines.__main__ import build_parser
from pipelines.published_verdict import summary_lines
from tests.integration.conftest import STARTED_AT, Night
from tests.integration.sample_night import SAMPLE_END, fill, night_facts, stage
from tests.nightly_run import ROOT, made_once, new_installation

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
COMMAND = ".venv/bin/python -m pipelines "
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
SHOWN = re.compile(r"\.venv/bin/python -m pipelines ([^#`\n]+)")
TARGET = re.compile(r"^(?:\s*)make ([a-z-]+)", re.MULTILINE)

# Run by the test of their page.
ELSEWHERE = {
    ("docs/analysts.md", "python"): "tests/integration/test_examples.py",
    ("docs/analysts.md", "sql"): "tests/integration/test_examples.py",
    ("docs/analysts.md", "sh"): "tests/integration/test_examples.py",
    ("docs/examples.md", "sql"): "tests/integration/test_examples.py",
    ("docs/extending.md", "toml"): "tests/integration/test_extending.py",
    ("docs/extending.md", "python"): "tests/integration/test_extending.py",
    ("docs/extending.md", "diff"): "tests/integration/test_extending.py",
    ("docs/ui.md", "sh"): "tests/integration/test_dagster.py",
    ("docs/ui.md", "yaml"): "tests/integration/test_dagster.py",
    ("README.md", "text"): "tests/integration/test_pages.py",
}
# Not run: the language, or how the line begins, and why.
NOT_RUN = {
    "r": "R is not among the tools of this project",
    "caddy": "the configuration of another program",
    "nginx": "the configuration of another program",
    "yaml": "a launcher for another cluster; of docs/ui.md see above",
    "json": "a line of Dagster's own log",
    "sudo ": "changes the machine",
    "docker ": "needs a Docker daemon",
    "ssh ": "needs another machine",
    "git ": "needs the copy this one was made from",
    "make ": "starts set-up, a run, the interface or the tests; a test below checks that the target exists",
    COMMAND + "watch": "needs a receiver; test_alerts.py has one",
    COMMAND + "site": "needs a whole release; test_site.py has one",
}


class Block(NamedTuple):
    """A fenced block and its page."""

    page: str
    language: str
    text: str


BLOCKS = [
    Block(page.relative_to(ROOT).as_posix(), language, text)
    for page in PAGES
    for _, language, text in FENCE.findall(page.read_text("utf-8"))
]
QUERIES = [b for b in BLOCKS if b.language == "sql" and (b.page, "sql") not in ELSEWHERE]
SHELL = sorted({b.page for b in BLOCKS if b.language == "sh" and (b.page, "sh") not in ELSEWHERE})


def blocks(page: Path, language: str) -> list[str]:
    """The blocks of a page in a language."""
    shown = (page.relative_to(ROOT).as_posix(), language)
    return [block.text for block in BLOCKS if (block.page, block.language) == shown]


def commands(page: str) -> list[str]:
    """Commands a page shows, without comments."""
    lines = "".join(blocks(ROOT / page, "sh")).splitlines()
    stripped = (re.sub(r"\s#\s.*$", "", line).strip() for line in lines)
    return [line for line in stripped if line and not line.startswith("#")]


def test_every_block_has_a_language_and_is_run_or_has_a_reason() -> None:
    assert [b for b in BLOCKS if not b.language] == []
    known = {"sql", "sh", *NOT_RUN}
    assert [b for b in BLOCKS if b.language not in known and (b.page, b.language) not in ELSEWHERE] == []


def test_every_query_shown_runs_and_those_of_the_readme_answer(release: duckdb.DuckDBPyConnection) -> None:
    for block in QUERIES:
        rows = release.execute(block.text).fetchall()
        assert rows or block.page != "README.md", block.text


@pytest.fixture
def installation(installed_night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation with a published file, and a new Dagster history."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    if not (tmp_path / "data").exists():
        (tmp_path / "data").symlink_to(installed_night.published.parents[1])
    monkeypatch.setenv("DAGSTER_HOME", new_installation(tmp_path).environment["DAGSTER_HOME"])
    return tmp_path


@pytest.mark.parametrize("page", SHELL)
def test_every_command_shown_ends_well(
    page: str,
    installation: Path,
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In the order of the page, so that what a backup printed can be restored."""
    printed, disk = "", str(tmp_path_factory.mktemp("other-disk"))
    for line in commands(page):
        if line.startswith(tuple(NOT_RUN)):
            continue
        arguments = shlex.split(line.replace("/mnt/other-disk", disk))
        if line.startswith(COMMAND):
            if arguments[3] == "restore":
                arguments[4] = printed
            assert command_line.main(arguments[3:]) == 0, (line, capsys.readouterr().err)
        else:
            done = subprocess.run(
                line, shell=True, cwd=installation, capture_output=True, text=True, timeout=60
            )
            assert done.returncode == 0 and done.stdout, (line, done.stderr)
        printed = capsys.readouterr().out.strip()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere_and_commands_shown_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    targets = [found for found in LINK.findall(text) if "://" not in found]
    assert [found for found in targets if not (page.parent / found).exists()] == []
    for command in SHOWN.findall(text):
        build_parser().parse_args(shlex.split(command))
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    shown = {target for block in blocks(page, "sh") for target in TARGET.findall(block)}
    assert shown - known == set()


def test_the_verdict_shown_is_the_one_a_run_ends_with(release: duckdb.DuckDBPyConnection) -> None:
    printed = summary_lines(Release(release), Path("data/published/regime.duckdb"))
    (shown,) = blocks(ROOT / "README.md", "text")
    assert [line for line in shown.splitlines() if line not in printed] == []


def test_messages_quoted_are_messages_of_the_code() -> None:
    """Each quotation, up to its first figure or dots, stands in the code as it is."""
    code = " ".join(
        re.sub(r'"\s*\n\s*f?"', "", path.read_text("utf-8"))
        for folder in ("assets", "checks", "pipelines")
        for path in (ROOT / folder).rglob("*.py")
    )
    operations = (ROOT / "docs" / "operations.md").read_text("utf-8")
    table = operations.split("## When something is wrong")[1]
    quoted = [text.split("...")[0].strip() for text in re.findall(r'^\| "([^"]+)"', table, flags=re.M)]
    own = [text for text in quoted if not text.startswith("port")]
    assert len(own) >= 3 and [text for text in own if text.rstrip(": ") not in code] == []


# ---- pages made from code


def test_the_page_of_cases_is_what_the_sample_gives_and_no_case_fails() -> None:
    text = validation.PAGE.read_text(encoding="utf-8")
    assert text == validation.page(), "run: python -m docs._generate.validation"
    assert "**no**" not in text and text.count("| yes |") > 15


def test_the_page_of_evidence_has_the_figures_of_the_real_files(realdata: Path) -> None:
    if not (realdata / "outside" / "JSTdatasetR6.csv").exists():
        pytest.skip("the data set of countries is not next to the project")
    assert evidence.PAGE.read_text(encoding="utf-8") == evidence.page(realdata)


def test_every_name_of_the_glossary_is_one_of_the_release() -> None:
    glossary, catalog = (ROOT / "docs" / "glossary.md").read_text("utf-8"), load_catalog()
    known = set(catalog.tables) | {c.name for t in catalog.tables.values() for c in t.columns}
    known |= {"series_as_of", "all_as_of"}  # macros
    rows = [
        line.split("|") for line in glossary.split("## Suffixes")[0].splitlines() if line.startswith("| ")
    ]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row[3])}
    assert len(named) > 40 and named - known == set()


# ---- docs/post.md: every statement of the post, with the values of a release as of its day and of the newest one

TEXT = POST.read_text(encoding="utf-8")
ROWS = post_rows(TEXT)
AGAINST = TEXT.partition("## Where the measurement differs from the post")[2]
SHORTEST_REASON = 40  # characters


def _make_post_day(place: Path) -> None:
    facts = night_facts(place, POST_DAY, STARTED_AT, is_historical=True)
    facts.published_path.parent.mkdir()
    with open_warehouse(place / "sample.warehouse.duckdb") as con:
        fill(con, facts)
        stage(con, facts, place / "staged.duckdb")


@pytest.fixture(scope="module")
def post_day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A release as of the day of the post."""
    staged = made_once(tmp_path_factory, "post_day", _make_post_day) / "staged.duckdb"
    with duckdb.connect(str(staged), read_only=True, config=CONFIG) as con:
        yield con


def test_every_statement_is_there_in_order_and_one_that_is_not_measured_has_a_reason() -> None:
    assert list(dict.fromkeys(row.number for row in ROWS)) == list(range(1, 51))
    unmeasured = [row for row in ROWS if row.measure is None]
    assert {row.number for row in unmeasured} <= {33, 34, 49}
    assert all(row.measured_by.startswith(NOT_MEASURED) for row in unmeasured)
    later = [row for row in ROWS if row.then == NOT_ANNOUNCED]  # on the day of the post
    assert {row.number for row in later} == {2, 30}


def test_values_are_those_of_the_two_releases(
    post_day: duckdb.DuckDBPyConnection, release: duckdb.DuckDBPyConnection
) -> None:
    assert (run_date(post_day), run_date(release)) == (POST_DAY, SAMPLE_END)
    assert [row for row in ROWS if row != filled(row, post_day, release)] == [], (
        "run: python -m docs._generate.post"
    )
    assert rewritten(TEXT, post_day, release) == TEXT, "the heading has the days of the releases"


# ---- where the page differs from the post: figures that must come out, independently of the page


def test_the_posts_premium_is_the_forward_yield_less_the_nominal_one(
    release: duckdb.DuckDBPyConnection,
) -> None:
    cited = dict(release.execute("SELECT id, value FROM reference_values").fetchall())
    earnings = 100 * cited["forward_eps_usd"] / cited["sp500_close_index"]
    assert round(earnings, 2) == cited["forward_earnings_yield_pct"] == 4.41
    assert round(earnings - cited["nominal_10y_pct"], 2) == cited["forward_equity_risk_premium_pp"] == 0.31
    ours = release.execute(
        "SELECT nominal_10y_pct, real_10y_pct FROM qe_phases WHERE phase = 'post'"
    ).fetchall()
    assert ours == [(cited["nominal_10y_pct"], cited["real_10y_pct"])]
    assert f"Against the real yield it is {earnings - ours[0][1]:.1f} percentage points" in AGAINST


def test_the_three_parts_together_held_on_the_dates_of_the_page(release: duckdb.DuckDBPyConnection) -> None:
    found = release.execute(
        "SELECT strftime(as_of_date, '%Y-%m') FROM monetisation WHERE is_coordinated "
        "AND as_of_date >= '2003-01-01' ORDER BY as_of_date"
    ).fetchall()
    months = [month for (month,) in found]
    assert months[:4] == ["2009-01", "2009-02", "2009-03", "2009-04"]
    assert (months[4], months[14], months[15:]) == ("2019-10", "2020-08", ["2026-04", "2026-05"])
    assert "held in April and May 2026, not since; before, they did in early 2009" in AGAINST
    assert "from October 2019 to August 2020" in AGAINST


def test_purchases_met_the_conditions_on_the_page(release: duckdb.DuckDBPyConnection) -> None:
    columns = [f"{c}_verdict" for c in ("valuation", "economy", "inflation", "credit")]
    met = {
        phase: verdicts
        for phase, *verdicts in release.execute(
            f"SELECT phase, {', '.join(columns)}, inflation_verdict_after FROM qe_phases WHERE phase LIKE 'qe_'"
        ).fetchall()
    }
    assert met["qe1"] == ["cold", "cold", "hot", "cold", "cold"]
    assert met["qe2"][:4] == met["qe3"][:4] == ["cold", "between", "cold", "between"]
    assert "QE2 and QE3 met cold valuations and cold inflation" in AGAINST
    assert "inflation at target on the day it was announced, and cold inflation three month-ends" in AGAINST


def test_gold_did_not_follow_prices_and_rose_more(release: duckdb.DuckDBPyConnection) -> None:
    found = release.execute(
        "SELECT gold_cpi_correlation_1y, gold_cpi_correlation_10y, gold_over_cpi_multiple, separate_10y_windows "
        "FROM gold_and_inflation ORDER BY as_of_date DESC LIMIT 1"
    ).fetchall()[0]
    assert f"about {abs(round(found[0], 1)):.1f} over one year and {found[1]:.1f} over ten" in AGAINST
    assert 4 < found[2] < 5 and "more than four times as much as consumer prices" in AGAINST
    assert found[3] == 4 and "only four ten-year windows share no month" in AGAINST


def test_real_yields_fell_after_the_starts_on_the_page(release: duckdb.DuckDBPyConnection) -> None:
    three = "FROM event_study WHERE horizon_months = 3 AND measure"
    real = release.execute(f"SELECT phase, change, change_rank {three} = 'real_10y' ORDER BY 1").fetchall()
    assert {phase for phase, change, _ in real if change > 0} == {"qe2", "reserves_2025"} and len(real) == 6
    assert {phase for phase, _, rank in real if rank <= 0.1} == {"qe1"}
    assert "fell after four of six starts and rose after QE2 and December 2025" in AGAINST
    assert "only after QE1 the fall was among the largest tenth" in AGAINST
    multiple = release.execute(f"SELECT phase, change {three} = 'earnings_multiple'").fetchall()
    assert {phase for phase, change in multiple if change < 0} == {"qe1", "qe4_2020"} and len(multiple) == 6
    assert "Multiples fell after QE1 and March 2020" in AGAINST
