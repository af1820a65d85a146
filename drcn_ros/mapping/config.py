# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Configuration of the map."""

from __future__ import annotations

from dataclasses import dataclass

from drcn_ros.configuration import parameter, section


@dataclass(frozen=True)
class SpacingConfig:
    """When a frame becomes a keyframe of the map."""

    distance: float = parameter(
        0.12, "Way since the last keyframe over the median depth of the scene.", minimum=0.0, maximum=10.0
    )
    angle: float = parameter(0.2, "Turn since the last keyframe, radians.", minimum=0.0, maximum=3.15)
    points: int = parameter(
        512, "Keypoints kept of a keyframe, those with a depth first.", minimum=50, maximum=10000
    )


@dataclass(frozen=True)
class GraphConfig:
    """How far the odometry is trusted."""

    scale_walk: float = parameter(
        0.005,
        "Standard deviation of the change of the odometry's scale from a keyframe to the next, as a part "
        "of it; hardly any while the scale is metric.",
        minimum=1e-6,
        maximum=1.0,
    )
    constant_covariance: bool = parameter(
        False, "Weigh all steps of the odometry alike instead of by their covariance (for comparison)."
    )


@dataclass(frozen=True)
class MappingConfig:
    """Keyframes, graph and loops."""

    spacing: SpacingConfig = section(SpacingConfig)
    graph: GraphConfig = section(GraphConfig)
