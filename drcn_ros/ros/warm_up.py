# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Does once, before the first frame, what is slow the first time: kernels, estimators, message types."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from rclpy.serialization import serialize_message

from drcn_ros.geometry.camera import Camera
from drcn_ros.matching.base import Matcher
from drcn_ros.odometry import Frame, OdometryConfig, VisualOdometry
from drcn_ros.ros import clouds, messages
from drcn_ros.ros.rays import FrameRays

_SIZE = (640, 480)
_FRAMES = 3


def warm_up(config: OdometryConfig, matcher: Matcher[Any]) -> None:
    """Run a few made-up frames through everything that a real one passes."""
    width, height = _SIZE
    camera = Camera(width, height, fx=500.0, fy=500.0, cx=319.5, cy=239.5)
    odometry = VisualOdometry(config, camera, matcher)
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (height // 8, width // 8 + _FRAMES), dtype=np.uint8)
    wide = np.asarray(cv2.resize(coarse, (width + 8 * _FRAMES, height)), np.uint8)
    for index in range(_FRAMES):
        shifted = np.ascontiguousarray(wide[:, 4 * index : 4 * index + width])
        result = odometry.process(Frame(index * 50_000_000, shifted))
        head = messages.header(result.stamp_ns, "")
        rays = FrameRays(result, camera)
        clouds.serialised_cloud(clouds.keypoint_rows(result, rays), head)
        clouds.serialised_cloud(clouds.match_rows(result, rays), head)
        serialize_message(messages.frame_status("", "", result, {}))
