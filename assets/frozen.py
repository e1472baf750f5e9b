"""Loading much for good, unseen by Python's collector.

Belongs here: keeping the collector from it. Does not belong here: what is loaded.

The collector looks through everything there is again and again while hundreds of modules are loaded, and finds
nothing: it took a fifteenth of a night with nothing new, and a quarter of the import of Great Expectations.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def frozen(load: Callable[[], T]) -> Iterator[T]:
    """Give what `load` returns; no collection looks through what it loads, then or while the block lasts."""
    gc.disable()
    try:
        loaded = load()
    finally:
        gc.freeze()
        gc.enable()
    try:
        yield loaded
    finally:
        gc.unfreeze()
