# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Says what to install where ROS 2 is missing."""

from __future__ import annotations

import importlib.util

from drcn_ros.errors import MissingDependencyError


def require_rclpy() -> None:
    """Check that ROS 2's client library is there.

    Raises:
        MissingDependencyError: it is not.
    """
    if importlib.util.find_spec("rclpy") is None:
        msg = "this needs ROS 2's Python client library: source /opt/ros/$ROS_DISTRO/setup.bash, or "
        msg += "pip install 'ros-jazzy-rclpy[fastrtps]' ros-jazzy-sensor-msgs"
        raise MissingDependencyError(msg)
