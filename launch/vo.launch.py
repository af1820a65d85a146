# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Visual odometry on a live camera.

ros2 launch drcn_ros vo.launch.py image:=/camera/image_raw camera_info:=/camera/camera_info
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchDescription

PACKAGE = "drcn_ros"

# Name, default and description of each argument.
ARGUMENTS = (
    ("namespace", "", "Namespace of the node and of its topics."),
    ("preset", "vo", "Parameter file that the package ships, by its name in config/."),
    ("params_file", "", "Parameter file of your own; what it sets comes before the preset."),
    ("image", "image", "Topic of the images."),
    ("camera_info", "camera_info", "Topic of the calibration."),
    ("image_transport", "", "raw, compressed or ffmpeg; empty leaves it to the parameter files."),
    ("device", "", "Where the network runs: auto, cpu or cuda; empty leaves it to the parameter files."),
    ("use_sim_time", "false", "Take the time from /clock: true or false."),
    ("log_level", "info", "debug, info, warn, error or fatal."),
)


def generate_launch_description():
    profile = str(Path(get_package_share_directory(PACKAGE)) / "config" / "fastdds_shm.xml")
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=description)
                for name, default, description in ARGUMENTS
            ),
            # Both names: distributions up to Jazzy read the first, later ones the second.
            SetEnvironmentVariable("FASTRTPS_DEFAULT_PROFILES_FILE", profile),
            SetEnvironmentVariable("FASTDDS_DEFAULT_PROFILES_FILE", profile),
            OpaqueFunction(function=make_node),
        ]
    )


def make_node(context):
    given = {name: LaunchConfiguration(name).perform(context) for name, _, _ in ARGUMENTS}
    files = [preset_file(given["preset"])]
    if given["params_file"]:
        files.append(given["params_file"])
    values = {"use_sim_time": given["use_sim_time"].lower() == "true"}
    if given["image_transport"]:
        values["image_transport"] = given["image_transport"]
    if given["device"]:
        values["matcher.device"] = given["device"]
    return [
        Node(
            package=PACKAGE,
            executable="vo_node",
            name="vo_node",
            namespace=given["namespace"],
            output="screen",
            parameters=[*files, values],
            remappings=[("image", given["image"]), ("camera_info", given["camera_info"])],
            arguments=["--ros-args", "--log-level", given["log_level"]],
        )
    ]


def preset_file(name):
    folder = Path(get_package_share_directory(PACKAGE)) / "config"
    file = folder / f"{name}.yaml"
    presets = sorted(path.stem for path in folder.glob("vo*.yaml"))
    if name not in presets:
        msg = f"preset {name!r} is unknown; presets are {', '.join(presets)}"
        raise RuntimeError(msg)
    return str(file)
