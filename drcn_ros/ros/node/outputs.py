# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""All that the node publishes of a frame. Nothing is built for a topic that nobody listens to."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import cv2
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseWithCovarianceStamped
from sensor_msgs.msg import CompressedImage, Image, PointCloud, PointCloud2
from std_msgs.msg import Bool, Header

from drcn_ros.matching.device import in_force
from drcn_ros.odometry import Result
from drcn_ros.odometry.map_points import MapPoints
from drcn_ros.ros.config import NodeConfig
from drcn_ros.ros.messages import clouds, convert
from drcn_ros.ros.messages.poses import FOLLOWING
from drcn_ros.ros.messages.rays import FrameRays
from drcn_ros.ros.messages.vins import VinsTracks
from drcn_ros.ros.node.drawing import MatchPainter
from drcn_ros.ros.node.failures import GIVEN_UP
from drcn_ros.ros.node.motion_outputs import MotionOutputs
from drcn_ros.ros.node.processor import Processed
from drcn_ros.ros.node.publishers import Publishers, has_listeners

_JPEG_QUALITY = 85


class Outputs:
    """Makes the publishers and fills them, frame by frame.

    Args:
        node: a life-cycle node; its publishers are silent while it is not active.
        name: of the node, for the status.
        config: of the node.

    Raises:
        MissingDependencyError: the configuration needs tf2_ros, which is not installed.
    """

    def __init__(self, node: Any, name: str, config: NodeConfig) -> None:
        self._name = name
        self._config = config
        self._in_force = asdict(in_force(config.matcher))
        self._motion = MotionOutputs(node, config)
        self._publishers = Publishers(node)
        self._keypoints = self._publishers.make(PointCloud2, "~/keypoints")
        self._matches = self._publishers.make(PointCloud2, "~/matches")
        self._points = self._publishers.make(PointCloud2, "~/points")
        self._relative_pose = self._publishers.make(PoseWithCovarianceStamped, "~/relative_pose")
        # Small, and read by those who want to miss no frame.
        self._status = self._publishers.make(DiagnosticStatus, "~/status", depth=100)
        self._match_image = self._publishers.make(Image, "~/match_image")
        self._match_image_compressed = self._publishers.make(CompressedImage, "~/match_image/compressed")
        self._feature = self._publishers.make(PointCloud, "~/feature")
        self._restart = self._publishers.make(Bool, "~/restart")
        self._painter = MatchPainter()
        self._vins = VinsTracks()

    @property
    def problem(self) -> str:
        """What keeps the motion from being published, or an empty text."""
        return self._motion.problem

    def close(self) -> None:
        """Take the publishers away."""
        self._motion.close()
        self._publishers.close()

    def update(self, config: NodeConfig) -> None:
        """Take another configuration."""
        self._config = config
        self._motion.update(config)

    def publish_path(self) -> None:
        """Publish the path when it has grown since the last time."""
        self._motion.publish_path()

    def publish(
        self,
        processed: Processed,
        extra: Mapping[str, object],
        landmarks: Callable[[], MapPoints | None] = lambda: None,
    ) -> None:
        """Publish all that was made of one frame.

        Args:
            processed: the frame.
            extra: goes into its status.
            landmarks: asked only if somebody wants them; None where there is no map.
        """
        begin = time.perf_counter()
        result = processed.result
        rays = FrameRays(result, processed.camera)
        head = convert.header(result.stamp_ns, processed.frame_id)
        if has_listeners(self._keypoints):
            self._keypoints.publish(clouds.serialised_cloud(clouds.keypoint_rows(result, rays), head))
        if has_listeners(self._matches):
            self._matches.publish(clouds.serialised_cloud(clouds.match_rows(result, rays), head))
        if result.relative_pose is not None and has_listeners(self._relative_pose):
            relative = result.relative_pose
            self._relative_pose.publish(
                convert.pose_with_covariance(relative.matrix(), relative.covariance, head)
            )
        self._motion.publish(result, processed.frame_id)
        if has_listeners(self._points):
            self._publish_points(processed, rays, landmarks)
        if self._config.vins_layout != "none":
            self._publish_features(result, rays, head)
        if has_listeners(self._match_image) or has_listeners(self._match_image_compressed):
            self._publish_picture(processed, head)
        if has_listeners(self._status):
            publish_ms = 1e3 * (time.perf_counter() - begin)
            values = {
                "working_scale": processed.working_scale,
                "max_latency_ms": self._config.max_latency_ms,
                "decode_ms": processed.decode_ms,
                "publish_ms": publish_ms,
                **self._in_force,
                **extra,
            }
            status = convert.frame_status(self._name, processed.frame_id, result, values)
            if result.reason in GIVEN_UP:
                status.level = DiagnosticStatus.ERROR
            self._status.publish(status)

    def _publish_points(
        self, processed: Processed, rays: FrameRays, landmarks: Callable[[], MapPoints | None]
    ) -> None:
        """Publish the points of the map, or those of the two views, in the frame of the odometry."""
        result = processed.result
        start = self._motion.start_in_odom(processed.frame_id)
        if result.state not in FOLLOWING or processed.camera is None or start is None:
            return
        points = landmarks()
        if points is None:
            points = clouds.pair_points(result, rays, processed.camera)
        head = convert.header(result.stamp_ns, self._config.odom_frame)
        self._points.publish(clouds.serialised_cloud(clouds.point_rows(points.moved(start)), head))

    def _publish_features(self, result: Result, rays: FrameRays, head: Header) -> None:
        feature, restart = self._vins.add(result, rays.keypoints, self._config.vins_layout, head)
        if restart:
            self._restart.publish(Bool(data=True))
        if feature is not None:
            self._feature.publish(feature)

    def _publish_picture(self, processed: Processed, head: Header) -> None:
        if processed.image is None:
            return
        picture = self._painter.paint(processed.image, processed.result)
        if has_listeners(self._match_image):
            height, width = picture.shape[:2]
            self._match_image.publish(
                Image(
                    header=head,
                    height=height,
                    width=width,
                    encoding="rgb8",
                    step=3 * width,
                    data=convert.byte_array(picture),
                )
            )
        if has_listeners(self._match_image_compressed):
            _, jpeg = cv2.imencode(
                ".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY)
            )
            self._match_image_compressed.publish(
                CompressedImage(
                    header=head, format="rgb8; jpeg compressed bgr8", data=convert.byte_array(jpeg)
                )
            )
