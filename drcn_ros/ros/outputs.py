# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The node's publishers. Nothing is built for a topic that nobody listens to."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import cv2
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped, PoseWithCovarianceStamped
from nav_msgs.msg import Path
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CompressedImage, Image, PointCloud2

from drcn_ros.odometry import Reason
from drcn_ros.ros import messages
from drcn_ros.ros.config import NodeConfig
from drcn_ros.ros.drawing import MatchPainter
from drcn_ros.ros.poses import Accumulator, UncertainPose
from drcn_ros.ros.processor import Processed

_QUEUE = 10
_JPEG_QUALITY = 85


class Outputs:
    """Makes the publishers and fills them, frame by frame.

    Args:
        node: a life-cycle node; its publishers are silent while it is not active.
        name: of the node, for the status.
        config: of the node.
    """

    def __init__(self, node: Any, name: str, config: NodeConfig) -> None:
        self._node = node
        self._name = name
        self._config = config
        self._publishers: list[Any] = []
        self._keypoints = self._publisher(PointCloud2, "~/keypoints")
        self._matches = self._publisher(PointCloud2, "~/matches")
        self._relative_pose = self._publisher(PoseWithCovarianceStamped, "~/relative_pose")
        self._pose = self._publisher(PoseWithCovarianceStamped, "~/pose")
        self._path = self._publisher(Path, "~/path")
        self._status = self._publisher(DiagnosticStatus, "~/status")
        self._match_image = self._publisher(Image, "~/match_image")
        self._match_image_compressed = self._publisher(CompressedImage, "~/match_image/compressed")
        self._painter = MatchPainter()
        self._accumulator = Accumulator()
        self._poses: deque[PoseStamped] = deque()
        self._poses_lock = threading.Lock()
        self._path_changed = False
        self._segment: int | None = None

    def close(self) -> None:
        """Take the publishers away."""
        for publisher in self._publishers:
            self._node.destroy_lifecycle_publisher(publisher)

    def update(self, config: NodeConfig) -> None:
        """Take another configuration."""
        self._config = config

    def publish(self, processed: Processed, extra: Mapping[str, object]) -> None:
        """Publish all that was made of one frame; `extra` goes into its status."""
        begin = time.perf_counter()
        result, camera = processed.result, processed.camera
        head = messages.header(result.stamp_ns, processed.frame_id)
        if _wanted(self._keypoints):
            rows = messages.keypoint_rows(result, camera)
            self._keypoints.publish(messages.point_cloud(rows, head))
        if _wanted(self._matches):
            self._matches.publish(messages.point_cloud(messages.match_rows(result, camera), head))
        if result.relative_pose is not None and _wanted(self._relative_pose):
            relative = result.relative_pose
            self._relative_pose.publish(
                messages.pose_with_covariance(relative.matrix(), relative.covariance, head)
            )
        pose, _ = self._accumulator.add(result)
        if pose is not None:
            self._publish_pose(processed, pose)
        if processed.image is not None and (
            _wanted(self._match_image) or _wanted(self._match_image_compressed)
        ):
            self._publish_picture(processed)
        if _wanted(self._status):
            publish_ms = 1e3 * (time.perf_counter() - begin)
            values = {"decode_ms": processed.decode_ms, "publish_ms": publish_ms, **extra}
            status = messages.frame_status(self._name, processed.frame_id, result, values)
            if result.reason is Reason.BAD_IMAGE:
                status.level = DiagnosticStatus.ERROR
            self._status.publish(status)

    def publish_path(self) -> None:
        """Publish the path when it has grown since the last time; its cost grows with its length."""
        if not self._path_changed or not _wanted(self._path):
            return
        with self._poses_lock:
            self._path_changed = False
            poses = list(self._poses)
        if poses:
            self._path.publish(Path(header=poses[-1].header, poses=poses))

    def _publish_pose(self, processed: Processed, pose: UncertainPose) -> None:
        head = messages.header(processed.result.stamp_ns, self._config.odom_frame)
        if _wanted(self._pose):
            self._pose.publish(messages.pose_with_covariance(pose.matrix, pose.covariance, head))
        with self._poses_lock:
            if processed.result.segment != self._segment:
                self._segment = processed.result.segment
                self._poses.clear()
            self._poses.append(messages.pose_stamped(pose.matrix, head))
            while len(self._poses) > self._config.path_length:
                self._poses.popleft()
            self._path_changed = True

    def _publish_picture(self, processed: Processed) -> None:
        if processed.image is None:
            return
        head = messages.header(processed.result.stamp_ns, processed.frame_id)
        picture = self._painter.paint(processed.image, processed.result)
        if _wanted(self._match_image):
            height, width = picture.shape[:2]
            self._match_image.publish(
                Image(
                    header=head,
                    height=height,
                    width=width,
                    encoding="rgb8",
                    step=3 * width,
                    data=messages.byte_array(picture),
                )
            )
        if _wanted(self._match_image_compressed):
            _, jpeg = cv2.imencode(
                ".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY)
            )
            self._match_image_compressed.publish(
                CompressedImage(
                    header=head, format="rgb8; jpeg compressed bgr8", data=messages.byte_array(jpeg)
                )
            )

    def _publisher(self, kind: Any, topic: str) -> Any:
        publisher = self._node.create_lifecycle_publisher(kind, topic, QoSProfile(depth=_QUEUE))
        self._publishers.append(publisher)
        return publisher


def _wanted(publisher: Any) -> bool:
    return bool(publisher.get_subscription_count())
