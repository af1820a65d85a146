# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Visual odometry on a recording, every frame of it; ends with the recording.

ros2 launch drcn_ros replay.launch.py bag:=/data/office image:=/camera/image_raw rviz:=true record:=/tmp/vo
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
    TimerAction,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchDescription

PACKAGE = "drcn_ros"
TOPICS = ("keypoints", "matches", "relative_pose", "pose", "path", "odometry", "twist", "points", "status")

# Name, default and description of each argument; None has no default and must be given.
ARGUMENTS = (
    ("bag", None, "Bag, data set or folder of images."),
    ("rate", "1.0", "Times as fast as recorded."),
    ("image", "/camera/image_raw", "Topic on which the images are published."),
    ("camera_info", "/camera/camera_info", "Topic on which the calibration is published."),
    ("params_file", "", "Parameter file; empty takes config/vo.yaml of the package."),
    ("rviz", "false", "Show it in RViz: true or false."),
    ("record", "", "Bag to record what the node publishes; empty records nothing."),
)


def generate_launch_description():
    profile = str(Path(get_package_share_directory(PACKAGE)) / "config" / "fastdds_shm.xml")
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=description)
                for name, default, description in ARGUMENTS
            ),
            SetEnvironmentVariable("FASTRTPS_DEFAULT_PROFILES_FILE", profile),
            SetEnvironmentVariable("FASTDDS_DEFAULT_PROFILES_FILE", profile),
            OpaqueFunction(function=make_actions),
        ]
    )


def make_actions(context):
    given = {name: LaunchConfiguration(name).perform(context) for name, _, _ in ARGUMENTS}
    config = Path(get_package_share_directory(PACKAGE)) / "config"
    node = Node(
        package=PACKAGE,
        executable="vo_node",
        name="vo_node",
        output="screen",
        parameters=[
            given["params_file"] or str(config / "vo.yaml"),
            {"use_sim_time": True, "processing": "every_frame"},
        ],
        remappings=[("image", given["image"]), ("camera_info", given["camera_info"])],
    )
    # It begins when the node has subscribed, which `ros2 bag play` would not wait for.
    player = ExecuteProcess(
        cmd=[
            *("ros2", "run", PACKAGE, "drcn", "play", given["bag"]),
            *("--rate", given["rate"]),
            *("--image", given["image"]),
            *("--camera-info", given["camera_info"]),
        ],
        output="screen",
    )
    # The last frames are still waiting to be worked on when the last one has been published.
    end = TimerAction(period=5.0, actions=[EmitEvent(event=Shutdown())])
    ending = RegisterEventHandler(OnProcessExit(target_action=player, on_exit=[end]))
    actions = [node, player, ending]
    if given["rviz"].lower() == "true":
        layout = str(config / "vo.rviz")
        clock = {"use_sim_time": True}
        rviz = Node(package="rviz2", executable="rviz2", arguments=["-d", layout], parameters=[clock])
        actions.append(rviz)
    if given["record"]:
        topics = [f"/vo_node/{topic}" for topic in TOPICS]
        command = ["ros2", "bag", "record", "-o", given["record"], *topics, "/tf", "/tf_static"]
        actions.append(ExecuteProcess(cmd=command, output="screen"))
    return actions
