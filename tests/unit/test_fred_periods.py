"""A real-time period that ends before it begins is none."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from assets.sources.fred_vintages import Unreadable, parse_observations


def answer(start: str, end: str) -> ET.Element:
    return ET.fromstring(
        f'<observations><observation realtime_start="{start}" realtime_end="{end}" date="2024-03-01" value="3.8"/>'
        "</observations>"
    )


def test_a_period_that_ends_before_it_begins_is_refused_by_name() -> None:
    with pytest.raises(
        Unreadable, match="'2024-05-06 to 2024-05-03' on 2024-03-01 is no real-time period"
    ) as caught:
        parse_observations(answer("2024-05-06", "2024-05-03"))
    assert caught.value.is_date


def test_a_period_of_one_day_is_one() -> None:
    assert len(parse_observations(answer("2024-05-03", "2024-05-03"))) == 1
