# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What the stamps of images tell against the node's clock."""

from __future__ import annotations

import pytest

from drcn_ros.ros.node.clock_check import ClockCheck

NOW_NS = 1_800_000_000_000_000_000


def problem(*ages_s: float) -> str:
    check = ClockCheck()
    for age in ages_s:
        assert check.add(NOW_NS - round(1e9 * age), NOW_NS) == pytest.approx(age)
    return check.problem()


def test_stamps_shortly_before_the_clock_are_as_they_should_be():
    assert problem(0.03, 0.05, 0.2, -0.005) == ""
    assert ClockCheck().problem() == ""


def test_one_frame_out_of_line_is_no_problem():
    assert problem(0.03, 0.03, -5.0, 0.03) == ""


@pytest.mark.parametrize(
    ("ages", "complaint"),
    [
        ((-0.3, -0.3, -0.31), "lie 300 ms in the future; synchronise"),
        ((1.7e9, 1.7e9), "1700000000 s behind this node's clock: another clock, or a recording"),
        ((-4000.0,), "4000 s ahead of this node's clock"),
    ],
)
def test_what_is_wrong_is_told_with_the_remedy(ages, complaint):
    assert complaint in problem(*ages)


def test_stamps_of_zero_are_told():
    check = ClockCheck()
    check.add(0, NOW_NS)
    assert "stamp 0; make the camera driver fill header.stamp" in check.problem()
