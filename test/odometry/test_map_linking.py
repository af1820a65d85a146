# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A landmark that passes from keyframe to keyframe stays the same point of the scene, on the whole."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest

from drcn_ros.configuration import build
from drcn_ros.matching import create_matcher
from drcn_ros.odometry import Frame, OdometryConfig, VisualOdometry, map_linking
from drcn_ros.scenes.scenarios import scenario

FRAMES = 40
# Bounds of the distance from the keypoint, pixels of the image, and fewest points between two of them.
BOUNDS, FEWEST = (0.0, 0.3, 0.6, 1.0), 300
# How far from zero the relative error of the depths may be in its median, and how large usually.
BIAS, SPREAD = 3e-4, 2.5e-3


@dataclass
class _Handed:
    """Landmarks of earlier keyframes that a new one sees, one row each: arrays of equal length.

    Attributes:
        beside: distance of the place where the landmark is seen from the keypoint detected there, pixels.
        carried: whether that keypoint carries the landmark on.
        moved, detected: true inverse depth where the keypoint that carries it lies, and where it was
            detected, over that of the landmark's own point, less 1.
    """

    beside: np.ndarray
    carried: np.ndarray
    moved: np.ndarray
    detected: np.ndarray


class _Truth:
    """True inverse depths of a rendered sequence at any place of its images."""

    def __init__(self, sequence) -> None:
        self._sequence = sequence
        self._maps = {}

    def inverse(self, index, pixels):
        """Return the inverse depths (N,) at pixels (N, 2): between pixels only where one surface goes on."""
        if index not in self._maps:
            self._maps[index] = 1.0 / self._sequence.depth(index)
        found = self._maps[index]
        x, y = np.clip(pixels.T, 0.0, np.array(found.shape)[::-1, None] - 1.001)
        column, row = x.astype(int), y.astype(int)
        right, down = x - column, y - row
        corners = np.stack([found[row + a, column + b] for a in (0, 1) for b in (0, 1)])
        shares = [(1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right]
        between = (corners * np.stack(shares)).sum(axis=0)
        nearest = found[np.rint(y).astype(int), np.rint(x).astype(int)]
        return np.where(corners.max(axis=0) < 1.2 * corners.min(axis=0), between, nearest)


@pytest.fixture(scope="module")
def handed():
    """What is handed on over some metres of a rendered street, by the default matcher."""
    sequence = scenario("street", FRAMES)
    truth, camera = _Truth(sequence), sequence.camera
    index = {int(stamp): row for row, stamp in enumerate(sequence.stamps_ns)}
    rows = []
    hand_on, calls = map_linking._hand_on, []

    def noted(keyframe, ids, column, seen):
        data = odometry._map._data
        marks = data.landmarks
        hosts = [data.keyframes[int(serial)].view.stamp_ns for serial in marks.host[ids]]
        detected = keyframe.view.points[column].astype(np.float64)
        hand_on(keyframe, ids, column, seen)
        carried = keyframe.landmark[column] == ids
        places = keyframe.place[column].copy()
        calls.append((keyframe.view.stamp_ns, hosts, marks.ray[ids], detected, seen, carried, places))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(map_linking, "_hand_on", noted)
        config = build(OdometryConfig, {})
        odometry = VisualOdometry(config, camera, create_matcher(config.matcher))
        for stamp, image in sequence.frames():
            odometry.process(Frame(stamp, image))
    for stamp, hosts, rays, detected, seen, carried, places in calls:
        seer = index[stamp]
        for host in set(hosts):
            of_host = np.array(hosts) == host
            ray = rays[of_host]
            pixels = ray[:, :2] * [camera.fx, camera.fy] + [camera.cx, camera.cy]
            relative = np.linalg.inv(sequence.poses[seer]) @ sequence.poses[index[host]]
            with np.errstate(divide="ignore", invalid="ignore"):
                depth = (ray / truth.inverse(index[host], pixels)[:, None]) @ relative[2, :3] + relative[2, 3]
            beside = np.hypot(*(seen[of_host] - detected[of_host]).T)
            with np.errstate(invalid="ignore"):
                ratios = [depth * truth.inverse(seer, points[of_host]) - 1.0 for points in (places, detected)]
            rows.append(np.column_stack([beside, carried[of_host], *ratios]))
    found = np.concatenate(rows)
    # The sky has no depth.
    found = found[np.isfinite(found).all(axis=1)]
    return _Handed(found[:, 0], found[:, 1] > 0.0, found[:, 2], found[:, 3])


@pytest.mark.parametrize(("nearest", "farthest"), list(pairwise(BOUNDS)))
def test_what_is_handed_on_shows_the_same_depth(handed, nearest, farthest):
    errors = handed.moved[handed.carried & (handed.beside >= nearest) & (handed.beside < farthest)]
    assert len(errors) > FEWEST
    assert abs(np.median(errors)) < BIAS
    assert np.median(np.abs(errors)) < SPREAD


def test_where_they_were_detected_the_same_keypoints_show_other_depths(handed):
    """That is handing on by index: what the test above would say of it, and of farther keypoints."""
    for among in (handed.carried & (handed.beside > 0.6), handed.beside > BOUNDS[-1]):
        assert among.sum() > FEWEST
        assert np.median(np.abs(handed.detected[among])) > 1.3 * SPREAD


def test_no_keypoint_farther_than_a_pixel_carries_a_landmark(handed):
    far = handed.beside > BOUNDS[-1]
    assert far.sum() > FEWEST
    assert not handed.carried[far].any()
