# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Configuration of `map_node`: the map's parameters and the node's own. Needs no ROS installation."""

from __future__ import annotations

from dataclasses import dataclass

from drcn_ros.configuration import parameter
from drcn_ros.mapping.config import MappingConfig

MAP_NODE_NAME = "map_node"


@dataclass(frozen=True)
class MapNodeConfig(MappingConfig):
    """All parameters of `map_node`."""

    odometry: str = parameter(
        "vo_node", "Name of the node whose topics are read, in the same namespace unless it begins with /."
    )
    map_frame: str = parameter("map", "Frame of the map; that of the odometry comes with its poses.")
    base_frame: str = parameter(
        "", "As in vo_node: the frame whose pose it publishes. Empty is the camera.", live=False
    )
    publish_tf: bool = parameter(True, "Broadcast map_frame -> the odometry's frame.", live=True)
    transform_tolerance: float = parameter(
        0.1,
        "Seconds by which that transform is dated ahead, so that it is there when the next image comes.",
        minimum=0.0,
        maximum=10.0,
        live=True,
    )
    patience: float = parameter(
        1.0,
        "Seconds that a frame waits for a message that is missing before it is taken without.",
        minimum=0.01,
        maximum=60.0,
        live=True,
    )
    queue_size: int = parameter(
        200, "Most frames that wait for the map; more are left out.", minimum=1, maximum=100000
    )
    map_folder: str = parameter("", "Folder that ~/save_map writes and ~/load_map reads.", live=True)
    load_map: bool = parameter(False, "Begin with the map in map_folder.")
