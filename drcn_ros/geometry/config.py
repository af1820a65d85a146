# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Configuration of the two-view estimation."""

from __future__ import annotations

from dataclasses import dataclass

from drcn_ros.configuration import parameter

ESTIMATORS = ("poselib", "magsac")


@dataclass(frozen=True)
class TwoViewConfig:
    """How a relative pose is found from matches, and when it is believed."""

    estimator: str = parameter(
        "poselib",
        "Robust start of the essential matrix: PoseLib's LO-RANSAC or OpenCV's MAGSAC++; both are refined.",
        choices=ESTIMATORS,
        live=True,
    )
    threshold_px: float = parameter(
        1.0, "Inlier threshold of the robust start, pixels.", minimum=0.05, maximum=50.0, live=True
    )
    by_score: bool = parameter(
        True, "Draw samples among the best matches first (PROSAC) instead of evenly.", live=True
    )
    min_inliers: int = parameter(
        15, "Fewest matches that must agree on one motion.", minimum=6, maximum=10000, live=True
    )
    max_iterations: int = parameter(
        200, "Most samples drawn by the robust start.", minimum=10, maximum=100000, live=True
    )
    systematic_px: float = parameter(
        0.2,
        "Error that matches share and more of them do not average out (lens, rolling shutter), pixels.",
        minimum=0.0,
        maximum=10.0,
        live=True,
    )
    max_direction_deviation: float = parameter(
        0.35,
        "A direction of translation less certain than this standard deviation is not told, radians.",
        minimum=0.001,
        maximum=1.6,
        live=True,
    )
    seed: int = parameter(
        0, "Seed of the robust start; the same seed gives the same pose.", minimum=0, maximum=2**31 - 1
    )
