# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Configuration of the odometry."""

from __future__ import annotations

from dataclasses import dataclass

from drcn_ros.configuration import parameter, section
from drcn_ros.geometry.config import TwoViewConfig
from drcn_ros.matching.config import MatcherConfig

REFERENCES = ("previous",)


@dataclass(frozen=True)
class OdometryConfig:
    """The matcher, the two-view estimation, and what each frame is matched with."""

    matcher: MatcherConfig = section(MatcherConfig)
    two_view: TwoViewConfig = section(TwoViewConfig)
    reference: str = parameter(
        "previous", "Frame that each new one is matched with.", choices=REFERENCES, live=True
    )
    min_keypoints: int = parameter(
        20, "Fewest keypoints of an image that can be tracked.", minimum=8, maximum=10000, live=True
    )
    max_gap: float = parameter(
        1.0,
        "Longest time between two frames that still belong together, seconds; a longer gap restarts.",
        minimum=0.0,
        maximum=3600.0,
        live=True,
    )
