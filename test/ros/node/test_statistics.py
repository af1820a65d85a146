# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from drcn_ros.ros.node.statistics import Percentiles, Rate


@pytest.mark.parametrize("hertz", [2, 30, 200])
def test_a_rate_is_right_for_slow_and_fast_events(hertz: int) -> None:
    rate = Rate(start=50.0)
    for index in range(10 * hertz):
        rate.add(50.0 + index / hertz)
    assert rate.hertz(60.0) == pytest.approx(hertz, rel=0.1)


def test_a_rate_falls_to_zero_when_nothing_comes() -> None:
    rate = Rate(start=0.0)
    rate.add(1.0)
    assert rate.hertz(2.0) == pytest.approx(0.5)
    assert rate.hertz(100.0) == 0.0


def test_percentiles_of_the_last_values() -> None:
    percentiles = Percentiles()
    assert percentiles.at(50.0) is None
    for value in range(1000):
        percentiles.add(float(value))
    assert percentiles.at(50.0) == pytest.approx(899.5)
