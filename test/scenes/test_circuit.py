# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Lanes close and stay beside the street; cars keep their speeds."""

from __future__ import annotations

import numpy as np
import pytest

from drcn_ros.scenes.circuit import Drive, Lane, legs

# To the left, and one corner to the right.
CORNERS = ((0.0, 0.0), (60.0, 0.0), (60.0, 40.0), (120.0, 40.0), (120.0, 100.0), (0.0, 100.0))


def test_legs_know_which_way_the_street_turns():
    made = legs(CORNERS)
    assert [leg.turns for leg in made] == [(1, 1), (1, -1), (-1, 1), (1, 1), (1, 1), (1, 1)]
    assert [leg.length for leg in made] == [60, 40, 60, 60, 120, 100]
    assert made[1].point(10.0, 2.0) == pytest.approx([58.0, 10.0])


@pytest.mark.parametrize(("left", "backwards"), [(-1.7, False), (1.7, True), (0.0, False)])
def test_a_lane_is_a_smooth_closed_line_beside_the_axis(left: float, backwards: bool):
    lane = Lane(CORNERS, left, backwards=backwards)
    places = np.array([lane.at(along)[0] for along in np.arange(0.0, 2 * lane.length, 0.5)])
    assert np.linalg.norm(np.diff(places, axis=0), axis=1) == pytest.approx(0.5, abs=0.02)
    assert lane.at(0.0)[0] == pytest.approx(lane.at(lane.length)[0])
    # In the middle of the first leg it lies as far beside the axis as it should.
    middle = places[np.argmin(np.linalg.norm(places - [30.0, left], axis=1))]
    assert middle[1] == pytest.approx(left, abs=1e-6)
    turned = np.unwrap([lane.at(along)[1] for along in np.arange(0.0, lane.length, 0.25)])
    assert np.abs(np.diff(turned)).max() < np.radians(4)
    assert abs(turned[-1] - turned[0]) == pytest.approx(2 * np.pi, abs=np.radians(5))


def test_a_car_is_slow_in_bends_and_never_brakes_hard():
    drive = Drive(Lane(CORNERS, -1.7), slow=5.0, fast=12.0, acceleration=2.0)
    speeds = np.array([drive.speed(time) for time in np.arange(0.5, 60.0, 0.1)])
    assert speeds.min() == pytest.approx(5.0, abs=0.1)
    assert speeds.max() > 9.0
    assert np.abs(np.diff(speeds)).max() < 0.1 * 2.0 * 1.2
