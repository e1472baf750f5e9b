"""The parameters are those of method 1.0.0, and their hash changes when, and only when, a number does."""

from __future__ import annotations

from assets.catalog.loader import load_catalog

METHOD = load_catalog().method


def test_parameters_are_those_pinned_for_their_version() -> None:
    """Whoever changes a number adds a version to method_versions.toml; publication is held without."""
    newest = load_catalog().method_versions[-1]
    assert (METHOD.method_version, METHOD.method_sha256) == (newest.method_version, newest.method_sha256)


def test_hash_ignores_the_version_and_sees_every_number() -> None:
    renamed = METHOD.model_copy(update={"method_version": "9.9.9"})
    shifted = METHOD.model_copy(
        update={"melt_up": METHOD.melt_up.model_copy(update={"return_12m_pct": 11.0})}
    )
    assert renamed.method_sha256 == METHOD.method_sha256
    assert shifted.method_sha256 != METHOD.method_sha256
