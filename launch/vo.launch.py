# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Visual odometry on a live camera.

ros2 launch drcn_ros vo.launch.py image:=/camera/image_raw camera_info:=/camera/camera_info
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode

from launch import LaunchDescription

PACKAGE = "drcn_ros"


def generate_launch_description():
    share = Path(get_package_share_directory(PACKAGE))
    arguments = (
        ("namespace", "", "Namespace of the node and of its relative topics."),
        ("params_file", str(share / "config" / "vo.yaml"), "Parameter file."),
        ("image", "image", "Topic of the images."),
        ("camera_info", "camera_info", "Topic of the calibration."),
        ("image_transport", "raw", "raw or compressed."),
        ("device", "auto", "Where the network runs: auto, cpu or cuda."),
        ("use_sim_time", "false", "Take the time from /clock."),
        ("log_level", "info", "debug, info, warn, error or fatal."),
    )
    node = LifecycleNode(
        package=PACKAGE,
        executable="vo_node",
        name="vo_node",
        namespace=LaunchConfiguration("namespace"),
        output="screen",
        parameters=[
            LaunchConfiguration("params_file"),
            {
                "image_transport": LaunchConfiguration("image_transport"),
                "matcher.device": LaunchConfiguration("device"),
                "use_sim_time": LaunchConfiguration("use_sim_time"),
            },
        ],
        remappings=[
            ("image", LaunchConfiguration("image")),
            ("camera_info", LaunchConfiguration("camera_info")),
        ],
        arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
    )
    profile = str(share / "config" / "fastdds_shm.xml")
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=description)
                for name, default, description in arguments
            ),
            # Both names: distributions up to Jazzy read the first, later ones the second.
            SetEnvironmentVariable("FASTRTPS_DEFAULT_PROFILES_FILE", profile),
            SetEnvironmentVariable("FASTDDS_DEFAULT_PROFILES_FILE", profile),
            node,
        ]
    )
