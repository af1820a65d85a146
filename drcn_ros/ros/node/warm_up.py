# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Does once, before the first frame, what is slow the first time: kernels, estimators, message types."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from rclpy.serialization import serialize_message

from drcn_ros.geometry.camera import Camera
from drcn_ros.matching.base import Matcher
from drcn_ros.odometry import Frame, OdometryConfig, Result, VisualOdometry
from drcn_ros.ros.messages import clouds, convert
from drcn_ros.ros.messages.rays import FrameRays
from drcn_ros.ros.node.budget import SCALES, Measured, keypoints_at

_SIZE = (640, 480)
_FRAMES = 3


def warm_up(config: OdometryConfig, matcher: Matcher[Any]) -> None:
    """Run a few made-up frames through everything that a real one passes."""
    for result, camera in _results(config, matcher, 1.0):
        head = convert.header(result.stamp_ns, "")
        rays = FrameRays(result, camera)
        clouds.serialised_cloud(clouds.keypoint_rows(result, rays), head)
        clouds.serialised_cloud(clouds.match_rows(result, rays), head)
        serialize_message(convert.frame_status("", "", result, {}))


def measure(config: OdometryConfig, matcher: Matcher[Any]) -> Measured:
    """Return what a made-up frame costs at each working resolution."""
    costs = []
    configured = matcher.config
    for scale in SCALES:
        count = keypoints_at(scale, config.matcher.max_keypoints)
        matcher.config = replace(config.matcher, max_keypoints=count)
        # The first frame has nothing to be matched with; of the others the faster was disturbed less.
        _, *others = (result.latency.total_ms for result, _ in _results(config, matcher, scale))
        costs.append(min(others))
    matcher.config = configured
    return Measured(_SIZE[0] * _SIZE[1], tuple(costs))


def _results(config: OdometryConfig, matcher: Matcher[Any], scale: float) -> Iterator[tuple[Result, Camera]]:
    """Yield the results of a few frames at a scale."""
    width, height = (round(edge * scale) for edge in _SIZE)
    camera = Camera(*_SIZE, fx=500.0, fy=500.0, cx=319.5, cy=239.5).scaled(width, height)
    odometry = VisualOdometry(config, camera, matcher)
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (height // 8, width // 8 + _FRAMES), dtype=np.uint8)
    wide = np.asarray(cv2.resize(coarse, (width + 8 * _FRAMES, height)), np.uint8)
    for index in range(_FRAMES):
        shifted = np.ascontiguousarray(wide[:, 4 * index : 4 * index + width])
        yield odometry.process(Frame(index * 50_000_000, shifted)), camera
