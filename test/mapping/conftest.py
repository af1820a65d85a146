# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.geometry.uncertain_pose import UncertainPose, invert
from drcn_ros.mapping import FramePoints, TrackedFrame

pytest.importorskip("gtsam", reason="the map needs GTSAM")

SECOND = 1_000_000_000
COVARIANCE = np.diag([1e-4] * 3 + [1e-6] * 3)


@pytest.fixture
def circle() -> Callable[..., np.ndarray]:
    """Poses (count, 4, 4) of an optical camera that drives a level circle and looks ahead."""
    return _circle


def _circle(count: int, radius: float = 10.0, turns: float = 1.0) -> np.ndarray:
    poses = np.tile(np.eye(4), (count, 1, 1))
    for index, angle in enumerate(np.linspace(0.0, 2 * np.pi * turns, count)):
        poses[index, :3, :3] = rotation_matrix(np.array([0.0, angle, 0.0]))
        poses[index, :3, 3] = radius * np.array([1.0 - np.cos(angle), 0.0, np.sin(angle)])
    return poses


@pytest.fixture
def world() -> Callable[..., list[TrackedFrame]]:
    """Frames that see points of a cylinder around them, each point with a descriptor of its own."""
    random = np.random.default_rng(5)
    angles, heights = random.uniform(0, 2 * np.pi, 4000), random.uniform(-6, 6, 4000)
    reach = random.uniform(20, 30, 4000)
    points = np.column_stack([10 + reach * np.cos(angles), heights, reach * np.sin(angles)])
    descriptors = random.normal(size=(4000, 32)).astype(np.float32)
    descriptors /= np.linalg.norm(descriptors, axis=1, keepdims=True)

    def frames(
        true: np.ndarray, told: np.ndarray | None = None, scales: np.ndarray | None = None, segment: int = 0
    ) -> list[TrackedFrame]:
        """Args: true poses, those that the odometry tells, and its units to a metre at each frame."""
        told = true if told is None else told
        scales = np.ones(len(true)) if scales is None else scales
        made = []
        for index, pose in enumerate(true):
            seen = (points - pose[:3, 3]) @ pose[:3, :3]
            rays = seen[:, :2] / np.maximum(seen[:, 2:], 1e-9)
            rows = np.flatnonzero((seen[:, 2] > 1.0) & (np.abs(rays) < [0.7, 0.5]).all(axis=1))
            pixels = (300.0 * rays[rows] + [210.0, 150.0] + random.normal(0, 0.3, (len(rows), 2))).astype(
                np.float32
            )
            depths = scales[index] * seen[rows, 2]
            made.append(
                TrackedFrame(
                    (1000 * (segment + 1) + index) * SECOND,
                    segment,
                    told[index],
                    reference_stamp_ns=None if index == 0 else (1000 * (segment + 1) + index - 1) * SECOND,
                    step=None
                    if index == 0
                    else UncertainPose(invert(told[index - 1]) @ told[index], COVARIANCE),
                    points=FramePoints(
                        pixels,
                        (pixels - [210.0, 150.0]) / 300.0,
                        rows.astype(np.uint32),
                        descriptors[rows],
                        depths * (1 + random.normal(0, 0.01, len(rows))),
                        0.01 * depths,
                    ),
                )
            )
        return made

    return frames
