# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Where the time of the geometry of two views goes, stage by stage, and that of the tracks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from drcn_ros.benchmarks.point_pairs import CAMERA, TRANSLATING, Disturbance, PointPair, point_pair
from drcn_ros.geometry.camera import Camera, Distortion
from drcn_ros.geometry.config import TwoViewConfig
from drcn_ros.geometry.covariance import pose_covariance
from drcn_ros.geometry.homography import fit_homography
from drcn_ros.geometry.inverse_depth import inverse_depths
from drcn_ros.geometry.ransac import starting_pose
from drcn_ros.geometry.ray_pairs import ray_pairs
from drcn_ros.geometry.refinement import polish
from drcn_ros.geometry.rotation_only import fit_rotation
from drcn_ros.geometry.spreading import evenly_spread
from drcn_ros.geometry.two_view import estimate_two_view
from drcn_ros.odometry.tracks import TrackIds

_REPETITIONS = 5
_LENS = Camera(
    CAMERA.width, CAMERA.height, CAMERA.fx, CAMERA.fy, CAMERA.cx, CAMERA.cy,
    Distortion.PLUMB_BOB, (-0.28, 0.07, 1e-3, 5e-4, 0.0),
)  # fmt: skip


def time_stages(
    matches: int, disturbance: Disturbance, config: TwoViewConfig, motions: int = 3
) -> Mapping[str, float]:
    """Return the processor time of each stage, milliseconds: the best of some repetitions, mean over pairs.

    The whole estimation also selects the model, and starts twice where the first start explains little.

    Args:
        matches: of each pair, seen through a distorting lens.
        disturbance: what is wrong with them.
        config: of the estimation.
        motions: of each kind of motion.
    """
    sums: dict[str, float] = {}
    pairs = [
        point_pair(kind, seed, matches, disturbance, camera=_LENS)
        for kind in TRANSLATING
        for seed in range(motions)
    ]
    for pair in pairs:
        for stage, seconds in _stages(pair, config).items():
            sums[stage] = sums.get(stage, 0.0) + 1e3 * seconds / len(pairs)
    return sums


def _stages(pair: PointPair, config: TwoViewConfig) -> dict[str, float]:
    times: dict[str, float] = {}

    def timed(stage: str, call: Callable[[], Any]) -> Any:
        result = None
        for _ in range(_REPETITIONS):
            begin = time.process_time()
            result = call()
            times[stage] = min(times.get(stage, np.inf), time.process_time() - begin)
        return result

    points = pair.reference_points, pair.current_points
    rays, _ = timed("undistortion", lambda: ray_pairs(*points, _LENS))
    rows = timed("spreading", lambda: evenly_spread(rays.reference))
    sample = rays.rays[:, rows]
    first, second = sample[3:5].T, sample[:2].T
    threshold = 0.5 * config.threshold_px
    start = timed("start", lambda: starting_pose(first, second, _LENS.mean_focal, threshold, config))
    start = start or (pair.rotation, pair.translation / np.linalg.norm(pair.translation))
    fit = timed("refinement", lambda: polish(rays, *start))
    timed("rotation", lambda: fit_rotation(rays, fit.rotation))
    core = rays.take(fit.inliers)
    timed("plane", lambda: fit_homography(core, fit.noise_px))
    timed("covariance", lambda: pose_covariance(fit))
    timed("depths", lambda: inverse_depths(core, fit.rotation, fit.translation, fit.noise_px))
    timed("estimation, whole", lambda: estimate_two_view(*points, _LENS, config))
    index = np.arange(len(pair.scores))
    ids = TrackIds()
    before = ids.start(len(index))
    timed("tracks", lambda: ids.follow(len(index), before, index, index[::-1], (before,) * 3))
    return times
