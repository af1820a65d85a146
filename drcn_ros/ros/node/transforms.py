# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Transforms through tf2. The package tf2_ros is imported only when a parameter asks for what needs it."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from geometry_msgs.msg import TransformStamped
from rclpy.time import Time
from std_msgs.msg import Header

from drcn_ros.errors import MissingDependencyError
from drcn_ros.geometry.types import Array
from drcn_ros.ros.messages.convert import matrix_from_parts, quaternion


def import_tf2(parameter: str) -> Any:
    """Return the package tf2_ros, for the sake of a parameter.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        return importlib.import_module("tf2_ros")
    except ImportError:
        msg = f"parameter {parameter} needs the Python package tf2_ros, which is not installed; "
        msg += "sudo apt install ros-$ROS_DISTRO-tf2-ros-py"
        raise MissingDependencyError(msg) from None


class BaseTransform:
    """The static transform from the camera to the base, looked up until it is known.

    Raises:
        MissingDependencyError: tf2_ros is not installed.
    """

    def __init__(self, node: Any, base_frame: str) -> None:
        tf2_ros = import_tf2("base_frame")
        self._base_frame = base_frame
        self._failure = tf2_ros.TransformException
        self._buffer = tf2_ros.Buffer()
        self._listener = tf2_ros.TransformListener(self._buffer, node, spin_thread=False)
        self._known: dict[str, Array] = {}
        self.problem = ""

    def lookup(self, camera_frame: str) -> Array | None:
        """Return T_base_camera (4, 4), or None while TF does not have it; `problem` then says why."""
        if camera_frame == self._base_frame:
            return np.eye(4)
        if camera_frame not in self._known:
            try:
                transform = self._buffer.lookup_transform(self._base_frame, camera_frame, Time()).transform
            except self._failure as error:
                self.problem = (
                    f"no transform from {camera_frame or '(image without frame_id)'} to {self._base_frame} "
                    f"in TF: {error}"
                )
                return None
            self.problem = ""
            self._known[camera_frame] = matrix_from_parts(transform.translation, transform.rotation)
        return self._known[camera_frame]

    def close(self) -> None:
        """Stop listening."""
        self._listener.unregister()


class Broadcaster:
    """Sends the pose of one frame in another.

    Raises:
        MissingDependencyError: tf2_ros is not installed.
    """

    def __init__(self, node: Any) -> None:
        self._broadcaster = import_tf2("publish_tf").TransformBroadcaster(node)

    def send(self, pose: Array, head: Header, child_frame: str) -> None:
        """Send the pose (4, 4) of `child_frame` in the frame of the header."""
        message = TransformStamped(header=head, child_frame_id=child_frame)
        move, turn = message.transform.translation, message.transform.rotation
        move.x, move.y, move.z = (float(value) for value in pose[:3, 3])
        turn.x, turn.y, turn.z, turn.w = quaternion(pose[:3, :3])
        self._broadcaster.sendTransform(message)
