# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message

from drcn_ros.mapping import GraphView
from drcn_ros.ros.mapping.markers import graph_markers
from drcn_ros.ros.messages import convert

types = pytest.importorskip("visualization_msgs.msg", reason="visualization_msgs is not installed")


def graph(count: int, loops: list[tuple[int, int]], rejected: list[tuple[int, int]]) -> GraphView:
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, 0, 3] = 2.0 * np.arange(count)
    steps = np.column_stack([np.arange(count - 1), np.arange(1, count)])
    pairs = [np.array(rows, np.int64).reshape(-1, 2) for rows in (steps, loops, rejected)]
    return GraphView(poses, np.ones(count), *pairs)


def test_each_part_of_the_graph_has_its_marker() -> None:
    drawn = graph_markers(types, graph(5, [(0, 4)], []), convert.header(7, "map"))
    received = deserialize_message(serialize_message(drawn), types.MarkerArray)
    by_name = {marker.ns: marker for marker in received.markers}
    assert list(by_name) == ["keyframes", "odometry", "loops", "rejected"]
    assert {marker.header.frame_id for marker in received.markers} == {"map"}
    assert [point.x for point in by_name["keyframes"].points] == [0.0, 2.0, 4.0, 6.0, 8.0]
    assert [point.x for point in by_name["odometry"].points] == [0.0, 2.0, 2.0, 4.0, 4.0, 6.0, 6.0, 8.0]
    assert [point.x for point in by_name["loops"].points] == [0.0, 8.0]
    # Drawn at the size of the steps; what there is none of is taken away, for RViz calls it an error.
    assert by_name["keyframes"].scale.x == pytest.approx(0.5)
    actions = {name: marker.action for name, marker in by_name.items()}
    assert actions == {
        "keyframes": types.Marker.ADD,
        "odometry": types.Marker.ADD,
        "loops": types.Marker.ADD,
        "rejected": types.Marker.DELETE,
    }


def test_a_map_of_one_keyframe_can_be_drawn() -> None:
    drawn = graph_markers(types, graph(1, [], []), convert.header(0, "map"))
    assert len(drawn.markers[0].points) == 1
    assert drawn.markers[0].scale.x > 0.0
