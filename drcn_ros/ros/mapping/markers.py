# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The pose graph as markers for RViz and Foxglove."""

from __future__ import annotations

from typing import Any

import numpy as np
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point
from numpy.typing import NDArray
from std_msgs.msg import ColorRGBA, Header

from drcn_ros.errors import MissingDependencyError
from drcn_ros.geometry.types import Array
from drcn_ros.mapping import GraphView

# Colours: keyframes blue, the odometry grey, loops green, those that contradict the rest red.
_COLOURS = {
    "keyframes": (0.2, 0.5, 1.0),
    "odometry": (0.6, 0.6, 0.6),
    "loops": (0.2, 0.85, 0.2),
    "rejected": (0.9, 0.2, 0.2),
}
# Sizes as parts of the median step between keyframes, so that they are seen at any scale.
_DOT, _LINE, _LOOP = 0.25, 0.08, 0.15
_SMALLEST = 1e-3


def marker_types() -> Any:
    """Return the module with the messages.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        from visualization_msgs import msg
    except ImportError:
        text = "~/graph needs the messages of visualization_msgs, which are not installed: "
        text += "sudo apt install ros-$ROS_DISTRO-visualization-msgs"
        raise MissingDependencyError(text) from None
    return msg


def graph_markers(types: Any, graph: GraphView, head: Header) -> Any:
    """Return a `MarkerArray` of keyframes, their steps, loops, and loops that were turned down.

    Args:
        types: from `marker_types`.
        graph: what is drawn.
        head: of the markers; the frame is that of the map.
    """
    places = graph.poses[:, :3, 3]
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    size = max(float(np.median(steps)) if len(steps) else 1.0, _SMALLEST)
    lines, kind = types.Marker.LINE_LIST, types.Marker.POINTS
    drawn = (
        ("keyframes", kind, _DOT, places),
        ("odometry", lines, _LINE, _ends(places, graph.odometry)),
        ("loops", lines, _LOOP, _ends(places, graph.loops)),
        ("rejected", lines, _LOOP, _ends(places, graph.rejected)),
    )
    return types.MarkerArray(
        markers=[_marker(types, name, what, part * size, points, head) for name, what, part, points in drawn]
    )


def _ends(places: Array, pairs: NDArray[np.int64]) -> Array:
    """Return both ends of each pair (2K, 3), one after the other."""
    return places[pairs.reshape(-1)]


def _marker(types: Any, name: str, kind: int, width: float, points: Array, head: Header) -> Any:
    # A marker without points is an error in RViz, so that an empty kind takes the old one away.
    action = types.Marker.ADD if len(points) else types.Marker.DELETE
    red, green, blue = _COLOURS[name]
    marker = types.Marker(header=head, ns=name, id=0, type=kind, action=action, lifetime=Duration())
    marker.pose.orientation.w = 1.0
    marker.scale.x = marker.scale.y = width
    marker.color = ColorRGBA(r=red, g=green, b=blue, a=1.0)
    marker.points = [Point(x=x, y=y, z=z) for x, y, z in points.tolist()]
    return marker
