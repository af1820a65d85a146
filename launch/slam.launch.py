# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Visual odometry on a live camera with a map behind it.

ros2 launch drcn_ros slam.launch.py image:=/camera/image_raw camera_info:=/camera/camera_info
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchDescription

PACKAGE = "drcn_ros"

# Name, default and description of each argument besides those of vo.launch.py.
ARGUMENTS = (
    ("preset", "vo_slam", "Parameter file of vo_node that the package ships, by its name in config/."),
    (
        "map_params_file",
        "",
        "Parameter file of your own for map_node; it comes before config/map.yaml.",
    ),
)


def generate_launch_description():
    odometry = Path(get_package_share_directory(PACKAGE)) / "launch" / "vo.launch.py"
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=description)
                for name, default, description in ARGUMENTS
            ),
            # It takes the arguments that are set here and declares those that are left.
            IncludeLaunchDescription(PythonLaunchDescriptionSource(str(odometry))),
            OpaqueFunction(function=make_node),
        ]
    )


def make_node(context):
    names = ("namespace", "use_sim_time", "log_level", "map_params_file")
    given = {name: LaunchConfiguration(name).perform(context) for name in names}
    files = [str(Path(get_package_share_directory(PACKAGE)) / "config" / "map.yaml")]
    if given["map_params_file"]:
        files.append(given["map_params_file"])
    return [
        Node(
            package=PACKAGE,
            executable="map_node",
            name="map_node",
            namespace=given["namespace"],
            output="screen",
            parameters=[*files, {"use_sim_time": given["use_sim_time"].lower() == "true"}],
            remappings=[],
            arguments=["--ros-args", "--log-level", given["log_level"]],
        )
    ]
