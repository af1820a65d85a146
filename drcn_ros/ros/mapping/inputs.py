# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The map node's subscriptions: what `vo_node` publishes of a frame, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseWithCovarianceStamped
from rclpy.qos import QoSProfile
from sensor_msgs.msg import PointCloud2

from drcn_ros.ros.mapping.frames import TOPICS
from drcn_ros.ros.node.inputs import Input

_KINDS: dict[str, Any] = {
    "status": DiagnosticStatus,
    "pose": PoseWithCovarianceStamped,
    "relative_pose": PoseWithCovarianceStamped,
    "keypoints": PointCloud2,
    "points": PointCloud2,
}
# As many as vo_node keeps of the smaller ones; reliable, so that a frame is not put together without a part.
_DEPTH = 100


class MapInputs:
    """Subscribes to the topics of a frame.

    Args:
        node: makes the subscriptions.
        odometry: name of the node that publishes them.
        on_message: called with the name of the topic and each message.
        tell: called with a line when a publisher appears that does not fit.
    """

    def __init__(
        self, node: Any, odometry: str, on_message: Callable[[str, Any], None], tell: Callable[[str], None]
    ) -> None:
        quality = QoSProfile(depth=_DEPTH)
        self._inputs = [
            Input(
                node,
                _KINDS[name],
                node.resolve_topic_name(f"{odometry}/{name}"),
                partial(on_message, name),
                quality,
                tell,
            )
            for name in TOPICS
        ]

    def silence(self) -> str:
        """Return why no frame comes, as far as can be seen from here."""
        status = self._inputs[0]
        if not status.publishers():
            return f"no publisher on {status.topic}; start vo_node or set the parameter odometry to its name"
        return f"{status.topic} has a publisher, but no frame comes; does vo_node get images?"
