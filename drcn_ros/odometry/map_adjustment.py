# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The newest keyframes and their landmarks, adjusted together."""

from __future__ import annotations

import numpy as np

from drcn_ros.geometry.camera import Camera
from drcn_ros.odometry.bundle_adjustment import Bundle, Observations, adjust
from drcn_ros.odometry.map_data import MapData
from drcn_ros.odometry.map_pose import pose_matrix

# Keyframes that are adjusted together, and how many of these are held fixed.
_WINDOW, _FIXED = 7, 2
# How far an adjustment may move a keyframe by itself, as a part of its step.
_HOLD = 0.3


def adjust_newest(data: MapData, camera: Camera) -> None:
    """Move the newest keyframes and their landmarks to where all observations agree best."""
    marks, keyframes = data.landmarks, data.keyframes
    window = list(keyframes)[-_WINDOW:]
    free = window[min(_FIXED, len(window) - 1) :]
    seen = np.flatnonzero(np.isin(marks.by, window) & marks.good[marks.of])
    if not len(seen):
        return
    ids, landmark = np.unique(marks.of[seen], return_inverse=True)
    serials = np.unique(np.concatenate([marks.host[ids], marks.by[seen], free]))
    place = {int(serial): row for row, serial in enumerate(serials)}
    poses = np.array([keyframes[int(serial)].pose for serial in serials])
    bundle = Bundle(
        poses[:, :3, :3].copy(),
        poses[:, :3, 3].copy(),
        np.searchsorted(serials, marks.host[ids]),
        marks.ray[ids],
        marks.inverse[ids],
    )
    observations = Observations(
        landmark,
        np.searchsorted(serials, marks.by[seen]),
        marks.at[seen],
        marks.noise[seen] / camera.mean_focal,
    )
    before = window[min(_FIXED, len(window) - 1) - 1 : -1]
    steps = [
        max(float(np.linalg.norm(keyframes[b].pose[:3, 3] - keyframes[a].pose[:3, 3])), 1e-6)
        for a, b in zip(before, free, strict=True)
    ]
    found = adjust(
        bundle,
        observations,
        np.array([place[serial] for serial in free]),
        _HOLD * np.array(steps),
    )
    if found is None:
        return
    for serial in free:
        row = place[serial]
        keyframes[serial].pose = pose_matrix(found.bundle.rotations[row], found.bundle.positions[row])
    marks.inverse[ids] = found.bundle.inverse
    marks.variance[ids] = np.minimum(found.variance, 1e12)
    data.drop(seen[found.disagrees])
