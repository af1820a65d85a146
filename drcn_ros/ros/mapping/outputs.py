# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What the map node publishes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped, TransformStamped
from nav_msgs.msg import Path
from rclpy.qos import DurabilityPolicy, QoSProfile

from drcn_ros.errors import MissingDependencyError
from drcn_ros.geometry.types import Array
from drcn_ros.mapping import GraphView, MapPath
from drcn_ros.ros.mapping.markers import graph_markers, marker_types
from drcn_ros.ros.messages import convert
from drcn_ros.ros.messages.path_buffer import PathBuffer
from drcn_ros.ros.node.publishers import has_listeners
from drcn_ros.ros.node.transforms import Broadcaster

_DEPTH = 10


class MapOutputs:
    """Makes the publishers and fills them.

    Args:
        node: for the publishers.
        warn: told once what cannot be published, and what to install.
    """

    def __init__(self, node: Any, warn: Callable[[str], Any]) -> None:
        self._node = node
        self._warn = warn
        # Who comes later gets the last path and graph too: they change rarely.
        last = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._pose = node.create_publisher(PoseStamped, "~/pose", _DEPTH)
        self._correction = node.create_publisher(TransformStamped, "~/correction", _DEPTH)
        self._path = node.create_publisher(Path, "~/path", last)
        self._status = node.create_publisher(DiagnosticStatus, "~/status", _DEPTH)
        self._graph: Any = None
        self._types: Any = None
        self._broadcaster: Broadcaster | None = None
        self.missing: dict[str, str] = {}
        try:
            self._types = marker_types()
            self._graph = node.create_publisher(self._types.MarkerArray, "~/graph", last)
        except MissingDependencyError as error:
            self._miss("graph", error)

    def publish_pose(self, pose: Array, stamp_ns: int, map_frame: str) -> None:
        """Publish where the camera is in the map, (4, 4)."""
        if has_listeners(self._pose):
            head = convert.header(stamp_ns, map_frame)
            self._pose.publish(PoseStamped(header=head, pose=convert.pose(pose)))

    def publish_correction(
        self, correction: Array, stamp_ns: int, map_frame: str, odom_frame: str, with_tf: bool
    ) -> None:
        """Publish T_map_odom (4, 4), also by TF if that is wanted and can be."""
        head = convert.header(stamp_ns, map_frame)
        if has_listeners(self._correction):
            pose = convert.pose(correction)
            message = TransformStamped(header=head, child_frame_id=odom_frame)
            move = message.transform.translation
            move.x, move.y, move.z = pose.position.x, pose.position.y, pose.position.z
            message.transform.rotation = pose.orientation
            self._correction.publish(message)
        if not with_tf or "tf" in self.missing:
            return
        try:
            if self._broadcaster is None:
                self._broadcaster = Broadcaster(self._node)
        except MissingDependencyError as error:
            self._miss("tf", error)
            return
        self._broadcaster.send(correction, head, odom_frame)

    def publish_path(self, path: MapPath, map_frame: str) -> None:
        """Publish the keyframes' poses in the map."""
        if not len(path) or not has_listeners(self._path):
            return
        buffer = PathBuffer(len(path))
        for stamp, pose in zip(path.stamps_ns, path.poses, strict=True):
            buffer.append(int(stamp), pose)
        self._path.publish(buffer.serialised(map_frame))

    def publish_graph(self, graph: GraphView, stamp_ns: int, map_frame: str) -> None:
        """Publish the pose graph as markers."""
        if self._graph is not None and has_listeners(self._graph):
            self._graph.publish(graph_markers(self._types, graph, convert.header(stamp_ns, map_frame)))

    def publish_status(self, status: DiagnosticStatus) -> None:
        """Publish how the map fares."""
        self._status.publish(status)

    def _miss(self, what: str, error: MissingDependencyError) -> None:
        self.missing[what] = str(error)
        self._warn(str(error))
