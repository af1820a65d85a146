# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np

from drcn_ros.odometry.tracks import ID_LIMIT, TrackIds


def index(*rows: int) -> np.ndarray:
    return np.array(rows, np.int64)


def test_a_matched_keypoint_keeps_its_id_and_grows_older():
    ids = TrackIds()
    first = ids.start(3)
    second = ids.follow(3, first, index(2, 0), index(1, 2))
    assert second.ids[1] == first.ids[2]
    assert second.ids[2] == first.ids[0]
    assert second.ids[0] not in first.ids
    assert second.ages.tolist() == [1, 2, 2]


def test_matches_without_keypoints_carry_no_track():
    ids = TrackIds()
    first = ids.start(2)
    second = ids.follow(2, first, index(-1, 1), index(0, -1))
    assert not np.isin(second.ids, first.ids).any()


def test_no_two_keypoints_share_an_id_even_when_matches_do():
    ids = TrackIds()
    first = ids.start(2)
    second = ids.follow(3, first, index(0, 0, 1, 1), index(0, 1, 2, 0))
    assert len(np.unique(second.ids)) == 3
    assert second.ids[0] == first.ids[0]
    assert second.ids[2] == first.ids[1]


def test_ids_come_back_but_not_those_that_a_held_frame_carries():
    ids = TrackIds()
    held = ids.start(5)
    ids.start(ID_LIMIT - 5)
    again = ids.start(4, (held,))
    assert again.ids.min() >= 1
    assert again.ids.max() <= ID_LIMIT
    assert not np.isin(again.ids, held.ids).any()
    assert again.ages.tolist() == [1, 1, 1, 1]
