# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Configuration of the node: the odometry's parameters and its own. Needs no ROS installation."""

from __future__ import annotations

from dataclasses import dataclass

from drcn_ros.configuration import parameter, section
from drcn_ros.conversion.config import CameraConfig
from drcn_ros.odometry.config import OdometryConfig

NODE_NAME = "vo_node"


@dataclass(frozen=True)
class NodeConfig(OdometryConfig):
    """All parameters of `vo_node`.

    It extends the odometry's configuration instead of holding it, so that a parameter has the same name in
    the node, in an evaluation and on the command line.
    """

    autostart: bool = parameter(
        True, "Configure and activate at once; false leaves both to a life-cycle manager."
    )
    processing: str = parameter(
        "live",
        "live works on the newest frame and drops those that it cannot keep up with; every_frame queues them "
        "(replay) and asks the camera for reliable delivery.",
        choices=("live", "every_frame"),
    )
    queue_size: int = parameter(
        200, "Most frames that wait with processing every_frame; more are dropped.", minimum=1, maximum=100000
    )
    max_latency_ms: float = parameter(
        0.0,
        "Longest time from taking a frame up to its result, milliseconds; the node works on smaller images "
        "with fewer keypoints as far as that needs. 0 works on images as they come.",
        minimum=0.0,
        maximum=60000.0,
    )
    image_transport: str = parameter(
        "raw",
        "raw takes sensor_msgs/Image from `image`; compressed takes sensor_msgs/CompressedImage (JPEG, PNG, "
        "with PyAV also H.264 and H.265) from `image` and `image/compressed`; ffmpeg takes "
        "ffmpeg_image_transport_msgs/FFMPEGPacket from `image` and `image/ffmpeg`.",
        choices=("raw", "compressed", "ffmpeg"),
    )
    rectified: str = parameter(
        "auto",
        "Whether images are rectified: true takes the matrix P, false takes K and D; auto takes P when the "
        "image topic is named as image_proc names it (image_rect).",
        choices=("auto", "true", "false"),
    )
    camera: CameraConfig = section(CameraConfig)
    odom_frame: str = parameter("odom", "Frame in which accumulated poses are given.")
    base_frame: str = parameter(
        "",
        "Frame whose motion is given; its static transform to the camera comes from TF. "
        "Empty takes the camera.",
    )
    publish_tf: bool = parameter(
        False, "Broadcast odom_frame -> base_frame while the scale is metric.", live=True
    )
    publish_descriptors: bool = parameter(False, "Append the descriptors to ~/keypoints.", live=True)
    path_length: int = parameter(
        5000, "Most poses kept in ~/path, the oldest go first.", minimum=1, maximum=1000000, live=True
    )
    vins_layout: str = parameter(
        "none",
        "Publish ~/feature and ~/restart as VINS-Mono (mono) or VINS-Fusion (fusion) reads them.",
        choices=("none", "mono", "fusion"),
        live=True,
    )
