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
        0.01,
        "Standard deviation of the change of the odometry's scale from a keyframe to the next, as a part "
        "of it; hardly any while the scale is metric.",
        minimum=1e-6,
        maximum=1.0,
    )
    # In the place of the factor that the accumulated pose has for the same reason, not on top of it: rendered
    # steps are off by 1.7 times what they tell, those of a hand-held camera by 4 to 7 (docs/slam.md).
    inflation: float = parameter(
        3.0,
        "By how much the odometry's standard deviations are multiplied: they leave out errors that frames "
        "share.",
        minimum=0.1,
        maximum=100.0,
    )
    constant_covariance: bool = parameter(
        False, "Weigh all steps of the odometry alike instead of by their covariance (for comparison)."
    )


@dataclass(frozen=True)
class LoopConfig:
    """What is taken for the same place."""

    candidates: int = parameter(
        4, "Earlier keyframes that each new one is compared with, at most; 0 is none.", minimum=0, maximum=100
    )
    apart: int = parameter(
        15, "Keyframes that must lie between both ends of a loop.", minimum=1, maximum=100000
    )
    ratio: float = parameter(
        0.9, "Distance of a match over that to the second best, at most.", minimum=0.1, maximum=1.0
    )
    min_inliers: int = parameter(
        25, "Fewest matches that must agree on one motion.", minimum=8, maximum=10000
    )
    min_share: float = parameter(0.3, "Part of the matches that must agree on it.", minimum=0.0, maximum=1.0)
    max_drift: float = parameter(
        0.08,
        "How far the odometry may have drifted, as a part of the way since; a loop that tells more is wrong.",
        minimum=0.001,
        maximum=10.0,
    )


@dataclass(frozen=True)
class MappingConfig:
    """Keyframes, graph and loops."""

    spacing: SpacingConfig = section(SpacingConfig)
    graph: GraphConfig = section(GraphConfig)
    loops: LoopConfig = section(LoopConfig)
