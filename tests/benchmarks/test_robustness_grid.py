"""The whole parameter grid on every month-end: under two seconds, or the nightly job would notice."""

from __future__ import annotations

import time

import numpy as np
import pytest

from assets.compute.robustness import agreement
from tests.helpers import on_sample

MOST_SECONDS = 2.0


@pytest.mark.bench
def test_375_parameter_sets_on_every_month_end() -> None:
    computed = on_sample()
    began = time.process_time()
    found = agreement(computed.regime, computed.catalog.method)
    seconds = time.process_time() - began
    print(f"375 parameter sets on {len(computed.grid)} dates: {seconds:.3f} s of CPU")
    np.testing.assert_array_equal(found, computed.frame["agreement"].to_numpy())
    assert seconds < MOST_SECONDS
