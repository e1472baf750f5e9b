"""Releases somebody may still ask for are kept: the newest, first publications of month-ends, changes."""

from __future__ import annotations

from dataclasses import replace

from assets.publish.folder import NEWEST_KEPT, Kept, superfluous


def releases_of(number: int) -> list[Kept]:
    return [Kept(f"2026{n:04d}", "live", "neither", "1.0.0", 0) for n in range(number)]


def test_the_newest_the_first_of_all_and_the_published_one_are_kept() -> None:
    found = releases_of(NEWEST_KEPT + 10)
    assert superfluous(found, found[-1].release_id) == [kept.release_id for kept in found[1:10]]
    assert found[2].release_id not in superfluous(found, found[2].release_id), "however old"


def test_first_publications_of_month_ends_and_changes_stay() -> None:
    found = releases_of(NEWEST_KEPT + 10)
    found[3] = replace(found[3], new_month_ends=1)
    found[5] = replace(found[5], label="stimulus_into_bubble")  # there and back: two changes
    found[8:] = [replace(kept, method_version="1.1.0") for kept in found[8:]]
    gone = superfluous(found, found[-1].release_id)
    assert gone == [found[n].release_id for n in (1, 2, 4, 7, 9)]


def test_what_is_kept_today_is_kept_tomorrow() -> None:
    found = releases_of(NEWEST_KEPT + 20)
    found[6] = replace(found[6], label="stimulus_into_bubble")
    kept: list[Kept] = []
    for release in found:  # pruned by every run
        kept.append(release)
        gone = superfluous(kept, release.release_id)
        kept = [k for k in kept if k.release_id not in gone]
    all_at_once = superfluous(found, found[-1].release_id)
    assert [k for k in found if k.release_id not in all_at_once] == kept


def test_profiles_do_not_change_each_others_label() -> None:
    found = [
        replace(k, profile="sample", label="other") if n % 2 else k for n, k in enumerate(releases_of(40))
    ]
    assert len(superfluous(found, found[-1].release_id)) == 40 - NEWEST_KEPT - 2
