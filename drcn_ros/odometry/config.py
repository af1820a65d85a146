# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Configuration of the odometry."""

from __future__ import annotations

from dataclasses import dataclass

from drcn_ros.configuration import parameter, section
from drcn_ros.geometry.config import TwoViewConfig
from drcn_ros.matching.config import MatcherConfig

REFERENCES = ("previous", "keyframe", "map")
SCALE_SOURCES = ("none", "relative", "constant", "twist_topic", "odometry_topic", "camera_height")
# Those whose unit is the metre.
METRIC_SOURCES = SCALE_SOURCES[2:]


@dataclass(frozen=True)
class KeyframeConfig:
    """When a keyframe is replaced as the reference."""

    max_parallax: float = parameter(
        0.03,
        "Parallax at which a keyframe is replaced, radians (median over the inliers).",
        minimum=0.001,
        maximum=1.0,
        live=True,
    )
    min_overlap: float = parameter(
        0.85,
        "Part of a keyframe's most inliers below which it is replaced, 0 to 1.",
        minimum=0.0,
        maximum=0.95,
        live=True,
    )


@dataclass(frozen=True)
class ScaleConfig:
    """Where the length of the steps comes from."""

    source: str = parameter(
        "relative",
        "none: steps of one unit; relative: one unknown scale for the whole run; the others are metric.",
        choices=SCALE_SOURCES,
    )
    constant: float = parameter(
        1.0,
        "Metres of one unit with source constant; the first baseline of a run is about one unit long.",
        minimum=1e-6,
        maximum=1e6,
        live=True,
    )
    camera_height: float = parameter(
        1.0,
        "Height of the camera above level ground with source camera_height, metres.",
        minimum=0.01,
        maximum=1000.0,
        live=True,
    )
    camera_pitch: float = parameter(
        0.0,
        "How far the optical axis points below the horizon with source camera_height, radians.",
        minimum=-1.5,
        maximum=1.5,
        live=True,
    )
    window: float = parameter(
        5.0,
        "Time over which a metric source is compared with the camera's motion, seconds.",
        minimum=0.1,
        maximum=600.0,
        live=True,
    )
    max_age: float = parameter(
        0.5,
        "Age of a metric source's last value from which the scale no longer counts as metric, seconds.",
        minimum=0.01,
        maximum=60.0,
        live=True,
    )


@dataclass(frozen=True)
class OdometryConfig:
    """The matcher, the two-view estimation, what each frame is matched with, and the scale."""

    matcher: MatcherConfig = section(MatcherConfig)
    mask: str = parameter(
        "",
        "What is left out of every image (a bonnet, an arm): path of a picture that is black there, or "
        "corners of polygons as parts of width and height, such as 0,0.7 1,0.7 1,1 0,1.",
        live=True,
    )
    pipeline: bool = parameter(
        True,
        "Extract a frame's features while the one before is matched and placed; the results are the same.",
    )
    threads: int = parameter(
        1,
        "Threads of each operator of torch and OpenCV; 0 leaves it to them. More pay only on idle cores.",
        minimum=0,
        maximum=256,
    )
    two_view: TwoViewConfig = section(TwoViewConfig)
    reference: str = parameter(
        "map",
        "Frame that each new one is matched with: the previous one, a keyframe held for a baseline, or the "
        "last keyframe of a local map, whose landmarks then place the frame.",
        choices=REFERENCES,
        live=True,
    )
    keyframe: KeyframeConfig = section(KeyframeConfig)
    scale: ScaleConfig = section(ScaleConfig)
    min_keypoints: int = parameter(
        20, "Fewest keypoints of an image that can be tracked.", minimum=8, maximum=10000, live=True
    )
    recovery: float = parameter(
        0.3,
        "Time after a loss in which the last keyframes are tried before tracking starts anew, seconds.",
        minimum=0.0,
        maximum=3600.0,
        live=True,
    )
    max_gap: float = parameter(
        5.0,
        "Longest time between two frames that still belong together, seconds; a longer gap restarts.",
        minimum=0.0,
        maximum=3600.0,
        live=True,
    )
