# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Images recorded as they arrived are replayed by their stamps."""

from __future__ import annotations

from drcn_ros.sequences.base import Notes, Shot
from drcn_ros.sequences.in_order import in_order


def replayed(*stamps_ms: int) -> tuple[list[int], list[str]]:
    notes = Notes()
    shots = [Shot(1_000_000 * stamp, lambda: None) for stamp in stamps_ms]
    return [shot.stamp_ns // 1_000_000 for shot in in_order(shots, notes)], notes.lines


def test_late_images_come_in_their_place_and_that_is_said():
    stamps, notes = replayed(100, 200, 400, 300, 500, 700, 800, 600, 900)
    assert stamps == sorted(stamps)
    (note,) = notes
    assert note.startswith("2 images were recorded after later ones; they are replayed by their stamps")


def test_images_in_order_stay_and_nothing_is_said():
    stamps, notes = replayed(*range(0, 3000, 100))
    assert stamps == list(range(0, 3000, 100))
    assert notes == []


def test_a_clock_that_was_set_back_is_no_disorder():
    stamps, notes = replayed(*range(10_000, 12_000, 100), *range(0, 2000, 100))
    assert stamps == [*range(10_000, 12_000, 100), *range(0, 2000, 100)]
    assert notes == []


def test_what_is_too_late_comes_as_late_as_it_was_recorded():
    stamps, _ = replayed(0, *range(40, 480, 40), 20, *range(480, 800, 40))
    assert stamps.index(20) > stamps.index(80)
