"""Every sentence of report.html, every line of `show` and every claim of the README, recomputed by separate queries.

The results of a query (`sentence_queries.py`, and below) must be in the text, in that order, and the rest of the text
has no figure. A sentence, line or claim without a query fails.
"""

from __future__ import annotations

import re
import shutil
from html import unescape
from pathlib import Path

import duckdb
import pytest

from assets.report.published import Release
from assets.report.record import CASES
from assets.report.sentences import sentence
from assets.warehouse.connection import CONFIG
from pipelines.published_verdict import SENTENCES, plain, verdict_lines
from tests.integration.sentence_queries import IN_MAY, KNOWN_OF, KNOWN_SAID, MACROS, RECOMPUTED, check

README = Path(__file__).resolve().parents[2] / "README.md"
NAMES = 16  # width of the column of names
PARAGRAPH = SENTENCES[:3]
# Lines that are a sentence of the report, recomputed there.
OF_THE_REPORT = {"policy": "lead_policy", "old inputs": "care_old", "one source": "care_single"}
_INPUTS = """
    SELECT plain(sum(weight * score), 2), '{verdict}', {parts} FROM regime_evidence
    WHERE as_of_date = {now} AND condition = '{condition}' AND weight > 0 HAVING {holds}"""


def _value(component: str, decimals: int = 2) -> str:
    return f"plain(any_value(value) FILTER (component = '{component}'), {decimals})"


def _condition(condition: str, verdict: str, holds: str, parts: list[str]) -> str:
    return _INPUTS.format(
        condition=condition, verdict=verdict, holds=holds, parts=", ".join(parts), now="{now}"
    )


LINES = {
    "label": """
        WITH r AS (SELECT *, lag(regime) OVER (ORDER BY as_of_date) IS DISTINCT FROM regime AS starts FROM regime)
        SELECT CASE WHEN r.stance = 'neutral' THEN 'neutral_' || r.condition_state END,
          (SELECT max(as_of_date)::VARCHAR FROM r WHERE starts)
        FROM r WHERE as_of_date = {now}""",
    "as of": """
        SELECT max(as_of_date)::VARCHAR, 'SAMPLE DATA', 'some revised figures' FROM regime_evidence
        JOIN series ON series_ids = series_id WHERE vintage_source = 'lag_rule' AND is_revisable AND weight > 0""",
    "condition": """
        SELECT 'bubble', plain(s, 2), '1', plain(s - 0.52, 2)
        FROM (SELECT (valuation_score + economy_score + credit_score) / 3 AS s FROM regime WHERE as_of_date = {now}
          AND condition_state = 'bubble')""",
    "valuation": _condition(
        "valuation", "hot", "sum(weight * score) >= 0.70",
        ["'equity drawdown'", _value("equity_drawdown"), "'equity value to GDP'", _value("equity_value_to_gdp"),
         "'equity price over 12 months'", _value("equity_return_12m"), "(count(*) - 3)::VARCHAR || ' more'"],
    ),
    "economy": _condition(
        "economy", "hot", "sum(weight * score) >= 0.50",
        ["'unemployment rate'", _value("unemployment"), "'Sahm gap'", _value("sahm_gap"), "'real GDP growth'",
         _value("real_gdp_growth")],
    ),
    "credit": _condition(
        "credit", "hot", "sum(weight * score) >= 0.55",
        ["'high-quality less 10-year yield'", _value("hqm_10y_spread"), "'financial conditions'", _value("nfci")],
    ),
    "inflation": _condition(
        "inflation", "hot", "any_value(value) >= 2.0", ["'core PCE inflation'", _value("core_pce_inflation")]
    ),
    "coverage": """
        SELECT plain(least(valuation_coverage, economy_coverage, credit_coverage), 2), '0.50',
          plain(coverage * freshness * agreement, 2), '1' FROM regime WHERE as_of_date = {now}""",
    "without": """
        SELECT 'Baa less 10-year yield', 'high-yield spread (OAS)', 'CAPE', 'not in this profile',
          'excess bond premium', 'Gilchrist-Zakrajsek spread', 'real bank credit growth', 'too old to count'
        FROM (SELECT list(component ORDER BY component) AS names FROM regime_evidence
          WHERE as_of_date = {now} AND value IS NULL) WHERE names = ['baa_10y_spread', 'cape', 'excess_bond_premium',
            'gz_spread', 'hy_oas', 'real_bank_credit']""",
    "caveats": """
        SELECT count(*), count(*) FILTER (severity = 'warning'), 'sample profile; stance is provisional'
        FROM caveats WHERE applies_now HAVING list(caveat_id ORDER BY caveat_id) FILTER (severity = 'warning')
          = ['sample_profile', 'stance_is_provisional']""",
}  # fmt: skip
# Claims of the README about figures: a part of the sentence, and its query.
CLAIMS = {
    "argues that this one is stimulus into a bubble": """
        SELECT 'stimulus into a depression', long_day_in_full(p.as_of_date), 'stimulus into a bubble'
        FROM qe_phases p WHERE phase = 'post' AND regime_before = 'stimulus_into_bubble'
          AND (SELECT count(*) FROM qe_phases WHERE phase IN ('qe1', 'qe2')
            AND regime_after = 'stimulus_into_depression') = 2""",
    "Every date since": "SELECT min(year(as_of_date))::VARCHAR FROM regime",
    "published figures up to": "SELECT max(as_of_date)::VARCHAR FROM release_manifest",
    "If less than half of a condition's weight": """
        SELECT 'half' FROM method_parameters WHERE section = 'coverage' AND parameter = 'minimum' AND number = 0.5""",
    "Stimulus met a bubble": """
        WITH r AS (SELECT as_of_date, regime, row_number() OVER (ORDER BY as_of_date)
            - row_number() OVER (PARTITION BY regime ORDER BY as_of_date) AS island
          FROM regime WHERE is_month_end AND bubble_score IS NOT NULL),
        s AS (SELECT count(*) AS months FROM r WHERE regime = 'stimulus_into_bubble' GROUP BY island)
        SELECT in_words(count(*)), (SELECT min(year(as_of_date))::VARCHAR FROM r),
          in_words(count(*) FILTER (months <= 4)), in_words(min(months)),
          in_words(max(months) FILTER (months <= 4)) FROM s""",
}
# Claims about tools, networks and licences: not in the published file.
NOT_OF_THE_FILE = (
    "Python 3.11 to 3.14", "http://127.0.0.1:3000", "DuckDB client from 1.2", "requests a second", "exit status 3",
    "REGIME_PUBLISH_RESTRICTED=1", "Apache License 2.0", "FRED's terms (https://fred.stlouisfed.org/legal/",
)  # fmt: skip
_FIGURE = re.compile(r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|half|hundred)\b")


@pytest.fixture(scope="module")
def queried(made_release: Path) -> Release:
    """The release with the macros of the queries, and the undisputed dates."""
    con = duckdb.connect(str(made_release), read_only=True, config=CONFIG)
    con.execute(MACROS + "CREATE TEMP MACRO long_day_in_full(v) AS strftime(v, '%-d %B %Y');")
    con.execute(KNOWN_SAID + ", ".join(map(str, CASES)) + KNOWN_OF)
    return Release(con)


@pytest.fixture(scope="module")
def shown(report_html: str) -> dict[str, str]:
    """Sentences as the page shows them, without markup."""
    found = re.findall(r'<span data-sentence="(\w+)">(.*?)</span>', report_html, re.DOTALL)
    return {name: unescape(re.sub(r"<[^>]+>", "", text)) for name, text in found}


def test_every_sentence_shown_has_a_query(shown: dict[str, str]) -> None:
    assert set(shown) == set(RECOMPUTED)


def test_words_outside_sentences_claim_no_figure(report_html: str) -> None:
    """No paragraph under a heading has words outside its sentences."""
    paragraphs = re.findall(r'<p class="(?:lead|why|sub)">(.*?)</p>', report_html, re.DOTALL)
    bare = [
        re.sub(r"<span data-sentence.*?</span>|<[^>]+>", "", text, flags=re.DOTALL).strip()
        for text in paragraphs
    ]
    assert set(bare) == {""}


@pytest.mark.parametrize("name", RECOMPUTED)
def test_sentence(name: str, queried: Release, shown: dict[str, str]) -> None:
    check(RECOMPUTED[name], queried.con, shown[name])


@pytest.mark.parametrize("name", IN_MAY)
def test_sentence_in_may(name: str, made_release: Path, tmp_path: Path) -> None:
    copy = tmp_path / "regime.duckdb"
    shutil.copyfile(made_release, copy)
    copy.chmod(0o644)
    with duckdb.connect(str(copy), config=CONFIG) as con:
        con.execute(MACROS)
        for table in ("regime", "reserve_growth"):
            con.execute(f"DELETE FROM {table} WHERE as_of_date > DATE '2026-05-31'")
        con.execute("UPDATE release_manifest SET as_of_date = DATE '2026-05-31'")
        release = Release(con)
        check(IN_MAY[name], con, (sentence(release, name) or "").replace("**", ""))


# ---- `show` and the README


@pytest.fixture(scope="module")
def printed(queried: Release, made_release: Path) -> list[str]:
    return verdict_lines(queried, made_release)


@pytest.fixture(scope="module")
def named(printed: list[str]) -> dict[str, str]:
    """Texts of the lines with a name, continued lines joined."""
    found: dict[str, str] = {}
    name = ""
    for line in printed[next(n for n, line in enumerate(printed) if line.startswith("label ")) :]:
        name = line[:NAMES].strip() or name
        if line:
            found[name] = f"{found.get(name, '')} {line[NAMES:]}".strip()
    return found


def claims() -> list[str]:
    """Sentences of the README with a figure, outside blocks and tables."""
    text = re.sub(r"^```.*?^```", "", README.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    prose = [line for line in text.splitlines() if not line.startswith(("|", "#", "[!["))]
    sentences = [part for line in prose for part in re.split(r"(?<=[.:])\s+(?=[A-Z*\[])", line)]
    return [part for part in sentences if _FIGURE.search(part)]


def test_every_line_has_a_query(named: dict[str, str]) -> None:
    assert set(named) == {*LINES, *OF_THE_REPORT, "file"}


@pytest.mark.parametrize("name", LINES)
def test_line(name: str, queried: Release, named: dict[str, str]) -> None:
    check(LINES[name], queried.con, named[name])


def test_sentences_are_those_of_the_report(queried: Release, printed: list[str]) -> None:
    text = " ".join(line.strip() for line in printed)
    assert set(SENTENCES) == {*PARAGRAPH, *OF_THE_REPORT.values()} and set(SENTENCES) <= set(RECOMPUTED)
    for name in SENTENCES:
        assert plain(sentence(queried, name) or "no sentence") in re.sub(r"\s+", " ", text), name
    head = printed[1 : next(n for n, line in enumerate(printed) if line.startswith("label "))]
    assert " ".join(head) == " ".join(plain(sentence(queried, name) or "") for name in PARAGRAPH)


def test_every_claim_of_the_readme_has_a_query() -> None:
    known = [*CLAIMS, *NOT_OF_THE_FILE]
    assert [claim for claim in claims() if sum(part in claim for part in known) != 1] == []
    text = " ".join(claims())
    assert [part for part in known if part not in text] == []


@pytest.mark.parametrize("part", CLAIMS)
def test_claim_of_the_readme(part: str, queried: Release) -> None:
    (claim,) = [claim for claim in claims() if part in claim]
    check(CLAIMS[part], queried.con, claim)


def test_the_page_names_the_base_rate_of_every_condition(queried: Release, report_html: str) -> None:
    shown = dict(re.findall(r">(\w+) <span class=\"w \w+\">[^<]*</span><small>([^<]*)</small>", report_html))
    limits = {"Valuation": (0.70, 0.50), "Economy": (0.50, 0.35), "Credit": (0.55, 0.30)}
    for name, (hot, cold) in limits.items():
        column = f"{name.lower()}_score"
        rates = queried.con.execute(
            f"SELECT plain(100 * avg(({column} >= {hot})::INT), 0), plain(100 * avg(({column} <= {cold})::INT), 0), "
            "min(year(as_of_date)) FROM regime WHERE is_month_end AND bubble_score IS NOT NULL"
        ).fetchall()[0]
        assert re.findall(r"\d+", shown[name]) == [str(part) for part in rates]
    assert set(shown) == {*limits, "Inflation"}
