# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What tells of the motion, of the camera or of the base: poses, path, odometry, velocity, TF."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseWithCovarianceStamped, TwistWithCovarianceStamped
from nav_msgs.msg import Odometry, Path

from drcn_ros.geometry.types import Array
from drcn_ros.geometry.uncertain_pose import UncertainPose
from drcn_ros.odometry import Result, State
from drcn_ros.odometry.config import METRIC_SOURCES
from drcn_ros.ros.config import NodeConfig
from drcn_ros.ros.messages import convert
from drcn_ros.ros.messages.path_buffer import PathBuffer
from drcn_ros.ros.messages.poses import Accumulator, Velocity, pose_to_base, velocity_to_base
from drcn_ros.ros.node.publishers import Publishers, has_listeners
from drcn_ros.ros.node.transforms import BaseTransform, Broadcaster, import_tf2


class MotionOutputs:
    """Publishes the motion that results tell of.

    Raises:
        MissingDependencyError: the configuration needs tf2_ros, which is not installed.
    """

    def __init__(self, node: Any, config: NodeConfig) -> None:
        self._node = node
        self._config = config
        self._base = BaseTransform(node, config.base_frame) if config.base_frame else None
        self._broadcaster: Broadcaster | None = None
        if config.publish_tf:
            import_tf2("publish_tf")
        self._publishers = Publishers(node)
        self._pose = self._publishers.make(PoseWithCovarianceStamped, "~/pose")
        self._path = self._publishers.make(Path, "~/path")
        self._odometry = self._publishers.make(Odometry, "~/odometry")
        self._twist = self._publishers.make(TwistWithCovarianceStamped, "~/twist")
        self._accumulator = Accumulator()
        self._poses = PathBuffer(config.path_length)
        # Frames come from the worker, the path is published by the executor.
        self._poses_lock = threading.Lock()
        self._path_changed = False
        self._segment: int | None = None

    @property
    def problem(self) -> str:
        """What keeps the motion from being published, or an empty text."""
        return "" if self._base is None else self._base.problem

    def update(self, config: NodeConfig) -> None:
        """Take another configuration."""
        if config.path_length != self._config.path_length:
            with self._poses_lock:
                self._poses = self._poses.resized(config.path_length)
        self._config = config

    def close(self) -> None:
        """Take the publishers and the listener away."""
        self._publishers.close()
        if self._base is not None:
            self._base.close()

    def publish(self, result: Result, camera_frame: str) -> None:
        """Publish the motion at one frame."""
        with_velocity = has_listeners(self._twist) or (
            self._is_metric(result) and has_listeners(self._odometry)
        )
        pose, velocity = self._accumulator.add(result, with_velocity)
        if pose is None:
            return
        if self._base is not None:
            transform = self._base.lookup(camera_frame)
            if transform is None:
                return
            pose = pose_to_base(pose, transform)
            velocity = None if velocity is None else velocity_to_base(velocity, transform)
        self._publish(result, pose, velocity, self._config.base_frame or camera_frame)

    def start_in_odom(self, camera_frame: str) -> Array | None:
        """Return T_odom_start (4, 4) of the frame of `Result.pose`, or None while TF lacks the base."""
        return np.eye(4) if self._base is None else self._base.lookup(camera_frame)

    def publish_path(self) -> None:
        """Publish the path when it has grown since the last time; its cost grows with its length."""
        if not self._path_changed or not has_listeners(self._path):
            return
        with self._poses_lock:
            self._path_changed = False
            message = self._poses.serialised(self._config.odom_frame)
        self._path.publish(message)

    def _is_metric(self, result: Result) -> bool:
        """Whether the pose is in metres, as a start is under a metric source: the identity in any unit.

        Readers know a restart by the identity; without it they take the jump back for a motion.
        """
        started = result.state is State.INITIALIZING and self._config.scale.source in METRIC_SOURCES
        return result.metric or started

    def _publish(
        self, result: Result, pose: UncertainPose, velocity: Velocity | None, moving_frame: str
    ) -> None:
        config = self._config
        head = convert.header(result.stamp_ns, config.odom_frame)
        if has_listeners(self._pose):
            self._pose.publish(convert.pose_with_covariance(pose.matrix, pose.covariance, head))
        if velocity is not None and has_listeners(self._twist):
            moving = convert.header(result.stamp_ns, moving_frame)
            self._twist.publish(convert.twist_stamped(velocity, moving))
        metric = self._is_metric(result)
        if metric and has_listeners(self._odometry):
            self._odometry.publish(convert.odometry(pose, velocity, head, moving_frame))
        if metric and config.publish_tf:
            if self._broadcaster is None:
                self._broadcaster = Broadcaster(self._node)
            self._broadcaster.send(pose.matrix, head, moving_frame)
        with self._poses_lock:
            if result.segment != self._segment:
                self._segment = result.segment
                self._poses.clear()
            self._poses.append(result.stamp_ns, pose.matrix)
            self._path_changed = True
