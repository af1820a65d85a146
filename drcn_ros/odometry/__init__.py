# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Visual odometry over a stream of frames: reference frame, tracks, states with reasons (`states`)."""

from drcn_ros.odometry.config import OdometryConfig
from drcn_ros.odometry.states import Reason, State
from drcn_ros.odometry.types import Frame, Latency, Result, Tracks
from drcn_ros.odometry.visual_odometry import VisualOdometry

__all__ = [
    "Frame",
    "Latency",
    "OdometryConfig",
    "Reason",
    "Result",
    "State",
    "Tracks",
    "VisualOdometry",
]
