# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Publishes frames as a calibrated camera driver does."""

from __future__ import annotations

import time

from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image

from drcn_ros.conversion.camera_info import camera_info_fields
from drcn_ros.geometry.camera import Camera
from drcn_ros.odometry.types import Frame
from drcn_ros.ros.messages.convert import byte_array, header

IMAGE_TOPIC = "/camera/image_raw"
CAMERA_INFO_TOPIC = "/camera/camera_info"
CAMERA_FRAME = "camera_optical_frame"
# A reliable writer keeps this many images for a reader that is behind.
_DEPTH = 10


class CameraPublisher:
    """`sensor_msgs/Image` and `CameraInfo` with equal stamps; reliable, which any reader accepts.

    Args:
        node: makes the publishers.
        camera: calibration; without one the camera says that it is uncalibrated.
    """

    def __init__(
        self,
        node: Node,
        camera: Camera | None,
        image_topic: str = IMAGE_TOPIC,
        camera_info_topic: str = CAMERA_INFO_TOPIC,
    ) -> None:
        self._camera = camera
        quality = QoSProfile(depth=_DEPTH, reliability=ReliabilityPolicy.RELIABLE)
        self._image = node.create_publisher(Image, image_topic, quality)
        self._camera_info = node.create_publisher(CameraInfo, camera_info_topic, quality)

    @property
    def subscribers(self) -> int:
        """Number of readers that take both topics."""
        return min(self._image.get_subscription_count(), self._camera_info.get_subscription_count())

    @property
    def image_subscribers(self) -> int:
        """Number of readers that take the images."""
        return int(self._image.get_subscription_count())

    def flush(self, timeout: Duration) -> bool:
        """Wait until reliable readers have acknowledged everything; return whether they have."""
        publishers = (self._camera_info, self._image)
        return all(publisher.wait_for_all_acked(timeout) for publisher in publishers)

    def publish(self, frame: Frame) -> float:
        """Publish the calibration and the image; return `time.monotonic()` of the moment before."""
        height, width = frame.image.shape[:2]
        head = header(frame.stamp_ns, CAMERA_FRAME)
        colour = frame.image.ndim == 3
        image = Image(
            header=head,
            height=height,
            width=width,
            encoding="rgb8" if colour else "mono8",
            is_bigendian=0,
            step=width * (3 if colour else 1),
            data=byte_array(frame.image),
        )
        info = CameraInfo(header=head, **camera_info_fields(self._camera, width, height))
        begin = time.monotonic()
        self._camera_info.publish(info)
        self._image.publish(image)
        return begin
