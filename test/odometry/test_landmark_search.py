# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Landmarks that are looked for at a frame's pose lie where matches have them, and there are more of them."""

from __future__ import annotations

import numpy as np
import pytest

from drcn_ros.configuration import build
from drcn_ros.matching import create_matcher
from drcn_ros.odometry import Frame, OdometryConfig, VisualOdometry, local_map
from drcn_ros.odometry.landmark_search import search_landmarks
from drcn_ros.odometry.map_places import places
from drcn_ros.scenes.scenarios import scenario

NOTHING = np.zeros(0, np.int64)


@pytest.fixture(scope="module")
def last():
    """The map, the camera, the last frame with its pose, and the landmarks that its matches lead to."""
    sequence = scenario("street", 14)
    config = build(OdometryConfig, {})
    odometry = VisualOdometry(config, sequence.camera, create_matcher(config.matcher))
    calls = []
    place = local_map.LocalMap.place

    def noted(self, reference, view, two_view, matches, camera, match):
        found = place(self, reference, view, two_view, matches, camera, match)
        calls.append((reference, view, matches, found))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local_map.LocalMap, "place", noted)
        for stamp, image in sequence.frames():
            odometry.process(Frame(stamp, image))
    reference, view, matches, placed = calls[-1]
    mapped = odometry._map
    rows, ids = mapped._known(mapped._data.of(reference), matches)
    return mapped._data, sequence.camera, view, placed.pose, ids, places(matches)[rows]


def test_they_lie_where_matches_have_them_and_more_are_found(last):
    data, camera, view, pose, matched, seen = last
    found = search_landmarks(data, pose, view, camera, NOTHING)
    assert found is not None
    assert len(np.unique(found.ids)) == len(found.ids)
    both, ours, theirs = np.intersect1d(found.ids, matched, return_indices=True)
    assert len(both) > 20
    off = np.linalg.norm(found.places[ours] - seen[theirs], axis=1)
    assert np.median(off) < 0.2
    assert len(np.setdiff1d(found.ids, matched)) > 20


def test_those_that_are_known_are_left_out(last):
    data, camera, view, pose, matched, _ = last
    found = search_landmarks(data, pose, view, camera, matched)
    assert found is not None
    assert not np.isin(found.ids, matched).any()


@pytest.mark.parametrize("turn", ["away", "beside"])
def test_a_pose_that_shows_none_finds_none(last, turn):
    data, camera, view, pose, *_ = last
    wrong = pose.copy()
    if turn == "away":
        wrong[:3, :3] = wrong[:3, :3] @ np.diag([-1.0, 1.0, -1.0])
    else:
        wrong[:3, 3] += 3.0 * wrong[:3, 0]
    found = search_landmarks(data, wrong, view, camera, NOTHING)
    assert found is None or len(found.ids) < 15
