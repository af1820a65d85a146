# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A map of keyframes from what the odometry tells: pose graph, loop closures, files. Runs without ROS."""

from drcn_ros.mapping.config import MappingConfig
from drcn_ros.mapping.mapper import Mapper, Update
from drcn_ros.mapping.types import FramePoints, Loop, TrackedFrame
from drcn_ros.mapping.views import GraphView, MapPath, PointsView

__all__ = [
    "FramePoints",
    "GraphView",
    "Loop",
    "MapPath",
    "Mapper",
    "MappingConfig",
    "PointsView",
    "TrackedFrame",
    "Update",
]
