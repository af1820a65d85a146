# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from drcn_ros.ros.session.soak_report import Sample, SoakReport


def report(**changes: Any) -> SoakReport:
    samples = (Sample(500, 400.0, 16, 23), Sample(1000, 410.0, 16, 23))
    fields = {"published": 1000, "received": 990, "processed": 600, "dropped": 390, "statuses": 600}
    fields["last_number"] = 600
    return SoakReport(**{**fields, "samples": samples, "seconds": 33.0, **changes})


def test_a_run_in_which_all_is_well_has_no_complaint() -> None:
    assert report().complaints() == []
    assert report().growth_mb == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("last", "complaint"),
    [
        (Sample(1000, 420.5, 16, 23), "memory grew by 20.5 MB, allowed are 20"),
        (Sample(1000, 400.0, 17, 23), "threads grew from 16 to 17"),
        (Sample(1000, 400.0, 16, 24), "open files grew from 23 to 24"),
    ],
)
def test_growth_is_told(last: Sample, complaint: str) -> None:
    assert report(samples=(Sample(500, 400.0, 16, 23), last)).complaints() == [complaint]


def test_statuses_that_a_starved_subscriber_missed_are_no_fault_of_the_node() -> None:
    assert report(statuses=550).complaints() == []


def test_memory_that_comes_and_goes_is_no_growth() -> None:
    levels = [400.0, 430.0, 405.0, 402.0, 431.0, 399.0, 403.0, 429.0]
    samples = tuple(Sample(500 + 100 * n, level, 16, 23) for n, level in enumerate(levels))
    assert report(samples=samples).complaints() == []
    rising = tuple(Sample(sample.frame, 400.0 + 0.05 * sample.frame, 16, 23) for sample in samples)
    assert report(samples=rising).complaints() == ["memory grew by 30.0 MB, allowed are 20"]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"dropped": 389}, "990 frames received, but 600 processed and 389 dropped"),
        ({"last_number": 599}, "600 frames processed, but the last status has number 599"),
    ],
)
def test_frames_that_are_lost_from_the_books_are_told(changes: dict[str, int], complaint: str) -> None:
    assert report(**changes).complaints() == [complaint]
