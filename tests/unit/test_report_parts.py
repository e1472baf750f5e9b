"""Parts of the report without a release: contrasts, words, periods, and what is done to a picture."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from assets.report.figures import cleaned
from assets.report.page import COLORS
from assets.report.published import Release
from assets.report.words import REGIME_WORDS, number, period, period_end, regime_words

NAME = ("key", "wide")
TEXT, MARK = 4.5, 3.0  # least contrast of text and of marks
PAIRS = {
    **{
        (front, "bg"): TEXT
        for front in ("ink", "soft", "hot-text", "cold-text", "stim-text", "tight", "gold-text")
    },
    **{(front, "panel"): TEXT for front in ("ink", "soft", "hot-text", "cold-text")},
    **{(front, back): TEXT for front in ("ink", "soft") for back in ("mid-cell", "hot-cell", "cold-cell")},
    ("hot-text", "hot-cell"): TEXT,
    ("cold-text", "cold-cell"): TEXT,
    **{(front, "bg"): MARK for front in ("hot", "cold", "mid", "stim", "gold")},
    **{(front, "bg"): TEXT for front in ("second", "third")},
}


def luminance(color: str) -> float:
    """Relative luminance of a colour as the Web Content Accessibility Guidelines define it."""
    channels = [int(color[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_colour_but_the_hairline_stands_out(theme: int) -> None:
    found = {pair: contrast(COLORS[pair[0]][theme], COLORS[pair[1]][theme]) for pair in PAIRS}
    assert {pair: ratio for pair, ratio in found.items() if ratio < PAIRS[pair]} == {}
    assert set(COLORS) - {name for pair in PAIRS for name in pair} == {"line"}


def test_a_path_keeps_every_point_to_a_tenth_of_a_pixel_and_its_gaps() -> None:
    drawn = [(n * 0.8137, 100 + 40 * ((n * 7919) % 13) / 13 * (n % 3 == 0)) for n in range(300)]
    gaps = {100, 200}
    path = "".join(f"{'M' if n in gaps | {0} else 'L'}{x:.4f},{y:.4f}" for n, (x, y) in enumerate(drawn))
    svg = f'<svg width="300" height="200" viewBox="0 0 300 200"><path d="{path}" stroke="red"/></svg>'
    found = re.search(r' d="M([^"]+)"', cleaned(svg, *NAME, "t", "d", 12))
    assert found is not None and len(found[1]) < 0.6 * len(path)
    assert found[1].count("m") == len(gaps)
    start, *steps = [float(value) for value in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", found[1])]
    x, y, kept = start, steps[0], [(start, steps[0])]
    for right, down in zip(steps[1::2], steps[2::2], strict=True):
        x, y = x + right, y + down
        kept.append((x, y))
    assert kept == [pytest.approx(point, abs=0.0501) for point in drawn]


def test_a_missing_figure_is_no_zero_and_a_tiny_one_no_minus_zero() -> None:
    found = [number(None), number(-0.001), number(-0.55), number(1234.5, 1), number(0.004, 2, sign=True)]
    assert found == ["–", "0.00", "−0.55", "1,234.5", "0.00"]


def test_the_prick_is_only_said_where_the_rate_drives() -> None:
    assert regime_words("tightening_into_bubble", "rate").endswith(": the prick")
    assert regime_words("tightening_into_bubble", "balance_sheet") == REGIME_WORDS["tightening_into_bubble"]


FREQUENCIES = {"CP": "Q", "DGS10": "D", "TOTBKCR": "W", "CPIAUCSL": "M", "MSPD": "M"}


@pytest.mark.parametrize(
    ("stamp", "frequency", "named", "end"),
    [
        ("2025-10-01", "Q", "Q4 2025", "2025-12-31"),  # a quarter that ends in December, stamped in October
        ("2026-03-31", "Q", "Q1 2026", "2026-03-31"),
        ("2026-04-01", "M", "Apr 2026", "2026-04-30"),
        ("2026-02-28", "M", "Feb 2026", "2026-02-28"),
        ("2025-12-01", "M", "Dec 2025", "2025-12-31"),
        ("2026-06-10", "W", "10 Jun 2026", "2026-06-10"),
        ("2026-07-01", "D", "1 Jul 2026", "2026-07-01"),
    ],
)
def test_a_period_is_named_by_its_end(stamp: str, frequency: str, named: str, end: str) -> None:
    day = dt.date.fromisoformat(stamp)
    assert period(day, frequency) == named
    assert period_end(day, frequency).isoformat() == end


@pytest.mark.parametrize(
    ("stamp", "series_ids", "named"),
    [
        ("2026-01-01", "CP,DGS10", "Q1 2026"),  # the slowest input names the period
        ("2026-07-01", "TOTBKCR,CPIAUCSL", "Jul 2026"),
        ("2026-06-10", "TOTBKCR,CPIAUCSL", "10 Jun 2026"),  # no month is stamped with its tenth day
        ("2026-05-31", "MSPD", "May 2026"),
        (None, "CP", "–"),
    ],
)
def test_a_figure_of_several_series_is_of_the_period_its_date_stamps(
    stamp: str | None, series_ids: str, named: str
) -> None:
    release = Release.__new__(Release)  # without a file: `series` is all that is read
    release.__dict__["series"] = [{"series_id": name, "frequency": f} for name, f in FREQUENCIES.items()]
    assert release.period(None if stamp is None else dt.date.fromisoformat(stamp), series_ids) == named
