# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Subscribe to the node's keypoints and matches and use them: how far the world moved, and which points last.

ros2 launch drcn_ros vo.launch.py image:=/camera/image_raw camera_info:=/camera/camera_info
python3 examples/keypoints_and_matches.py
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from sensor_msgs.msg import PointCloud2

try:
    from sensor_msgs_py.point_cloud2 import read_points
except ImportError:
    # ROS 2 from PyPI lacks that package; this one reads a cloud into the same structured array.
    from drcn_ros.ros.session.recorder import cloud_rows as read_points


class Reader(Node):
    """Prints one line for each cloud."""

    def __init__(self) -> None:
        super().__init__("drcn_reader")
        self.create_subscription(PointCloud2, "/vo_node/keypoints", self.on_keypoints, 10)
        self.create_subscription(PointCloud2, "/vo_node/matches", self.on_matches, 10)

    def on_keypoints(self, cloud: PointCloud2) -> None:
        """Tell how many keypoints have been followed for some frames; their ids stay the same."""
        keypoints = read_points(cloud)
        lasting = keypoints[keypoints["age"] >= 3]
        print(f"keypoints: {len(keypoints)}, {len(lasting)} of them in three frames or more", flush=True)

    def on_matches(self, cloud: PointCloud2) -> None:
        """Tell the median motion in the image, of the matches that agree with the camera's motion."""
        matches = read_points(cloud)
        good = matches[matches["inlier"] == 1]
        if len(good):
            moved = np.hypot(good["u"] - good["ref_u"], good["v"] - good["ref_v"])
            print(
                f"matches: {len(good)} of {len(matches)} agree, moved {np.median(moved):.1f} px", flush=True
            )


def main() -> None:
    """Read until Ctrl-C."""
    rclpy.init()
    with suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(Reader())


if __name__ == "__main__":
    main()
