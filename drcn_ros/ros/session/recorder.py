# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Collects what the node publishes, frame by frame."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseWithCovarianceStamped
from numpy.typing import NDArray
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import PointCloud2, PointField

from drcn_ros.geometry.types import Array
from drcn_ros.odometry.states import State
from drcn_ros.ros.messages.convert import matrix_from_parts, nanoseconds
from drcn_ros.sequences.trajectories.files import parse_stamp

_TYPES = {
    PointField.FLOAT32: "<f4",
    PointField.UINT32: "<u4",
    PointField.INT32: "<i4",
    PointField.UINT8: "|u1",
}
# Enough for the node's answers to many frames; nothing that it publishes may be lost.
_DEPTH = 1000


@dataclass
class FrameRecord:
    """What the node published for one image.

    Attributes:
        status: values of `~/status` by their key.
        arrival_s: `time.monotonic()` when the status arrived.
        relative_pose, pose: (4, 4) matrices, or None where nothing was published.
        keypoints, matches: rows of the clouds, or None.
    """

    status: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    arrival_s: float = float("nan")
    relative_pose: Array | None = None
    pose: Array | None = None
    keypoints: NDArray[np.void] | None = None
    matches: NDArray[np.void] | None = None


class Recorder:
    """Subscribes to the topics of a node and keeps its answers by the stamp of the image."""

    def __init__(self, context: Context, node_name: str) -> None:
        self._node = Node("drcn_recorder", context=context)
        self._condition = threading.Condition()
        self._frames: dict[int, FrameRecord] = {}
        self._answers = 0
        quality = QoSProfile(depth=_DEPTH, reliability=ReliabilityPolicy.RELIABLE)
        self._subscriptions = [
            self._node.create_subscription(kind, f"/{node_name}/{topic}", callback, quality)
            for topic, kind, callback in self._topics()
        ]
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._spin, name="recorder", daemon=True)
        self._thread.start()

    def is_connected(self) -> bool:
        """Return whether somebody publishes each of the topics."""
        return all(self._node.count_publishers(entry.topic_name) for entry in self._subscriptions)

    def wait_for_answers(self, count: int, timeout_s: float) -> bool:
        """Wait until `count` frames have a status; return whether they have."""
        with self._condition:
            return self._condition.wait_for(lambda: self._answers >= count, timeout_s)

    def take(self, stamp_ns: int, timeout_s: float) -> FrameRecord:
        """Wait until all topics told of a frame, then return its record and forget it.

        Topics arrive in any order; what a state does not publish is not waited for.
        """
        with self._condition:
            self._condition.wait_for(lambda: _is_complete(self._record(stamp_ns)), timeout_s)
            return self._frames.pop(stamp_ns, FrameRecord())

    def frames(self) -> dict[int, FrameRecord]:
        """Return the answers so far, by stamp in nanoseconds, in the order of the stamps."""
        with self._condition:
            return dict(sorted((stamp, record) for stamp, record in self._frames.items()))

    def _topics(self) -> tuple[tuple[str, Any, Callable[[Any], None]], ...]:
        return (
            ("status", DiagnosticStatus, self._on_status),
            ("relative_pose", PoseWithCovarianceStamped, self._on_relative_pose),
            ("pose", PoseWithCovarianceStamped, self._on_pose),
            ("keypoints", PointCloud2, self._on_keypoints),
            ("matches", PointCloud2, self._on_matches),
        )

    def close(self) -> None:
        """Stop listening."""
        self._executor.shutdown()
        self._thread.join()
        self._node.destroy_node()

    def _spin(self) -> None:
        try:
            self._executor.spin()
        except rclpy.executors.ExternalShutdownException:
            return

    def _record(self, stamp_ns: int) -> FrameRecord:
        return self._frames.setdefault(stamp_ns, FrameRecord())

    def _on_status(self, message: DiagnosticStatus) -> None:
        values = {entry.key: entry.value for entry in message.values}
        with self._condition:
            record = self._record(parse_stamp(values["stamp"]))
            record.status = values
            record.arrival_s = time.monotonic()
            self._answers += 1
            self._condition.notify_all()

    def _on_relative_pose(self, message: PoseWithCovarianceStamped) -> None:
        with self._condition:
            self._record(nanoseconds(message.header.stamp)).relative_pose = _matrix(message.pose.pose)
            self._condition.notify_all()

    def _on_pose(self, message: PoseWithCovarianceStamped) -> None:
        with self._condition:
            self._record(nanoseconds(message.header.stamp)).pose = _matrix(message.pose.pose)
            self._condition.notify_all()

    def _on_keypoints(self, message: PointCloud2) -> None:
        with self._condition:
            self._record(nanoseconds(message.header.stamp)).keypoints = cloud_rows(message)
            self._condition.notify_all()

    def _on_matches(self, message: PointCloud2) -> None:
        with self._condition:
            self._record(nanoseconds(message.header.stamp)).matches = cloud_rows(message)
            self._condition.notify_all()


def _is_complete(record: FrameRecord) -> bool:
    if not record.status or record.keypoints is None or record.matches is None:
        return False
    state = State(record.status["state"])
    if state in (State.TRACKING, State.ROTATION_ONLY, State.STATIONARY) and record.pose is None:
        return False
    return state is not State.TRACKING or record.relative_pose is not None


def cloud_rows(message: PointCloud2) -> NDArray[np.void]:
    """Return the points of a cloud as a structured array (N,) whose fields are named as in the message."""
    kind = np.dtype(
        {
            "names": [entry.name for entry in message.fields],
            "formats": [
                _TYPES[entry.datatype] if entry.count == 1 else (_TYPES[entry.datatype], (entry.count,))
                for entry in message.fields
            ],
            "offsets": [entry.offset for entry in message.fields],
            "itemsize": message.point_step,
        }
    )
    return np.frombuffer(message.data, kind)


def _matrix(pose: Any) -> Array:
    """Return a pose message as a (4, 4) matrix."""
    return matrix_from_parts(pose.position, pose.orientation)
