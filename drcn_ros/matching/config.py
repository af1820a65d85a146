# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Configuration of the matchers."""

from __future__ import annotations

from dataclasses import dataclass

from drcn_ros.configuration import parameter

MATCHERS = ("drcn", "d2net", "anchored", "sift", "orb")
# Those without a network.
CLASSICAL = ("sift", "orb")
PRECISIONS = ("auto", "float32", "float16", "bfloat16")
COMPILATIONS = ("auto", "off", "on", "graphs")


@dataclass(frozen=True)
class MatcherConfig:
    """Which matcher runs, where, and with how many points."""

    name: str = parameter(
        "drcn",
        "Matching method; sift and orb are OpenCV's, as yardsticks.",
        choices=MATCHERS,
    )
    weights: str = parameter("", "Path of a weight file; empty takes the compact weights inside the package.")
    device: str = parameter(
        "auto",
        "Where the network runs; auto takes CUDA when torch finds it.",
        choices=("auto", "cpu", "cuda"),
    )
    precision: str = parameter(
        "auto",
        "Of the network; auto takes float16 on CUDA and float32 on CPUs, so that all of these find the same.",
        choices=PRECISIONS,
    )
    compile: str = parameter(
        "auto",
        "Auto records the compact network as a graph on a CPU, on compiles any network with torch.compile, "
        "graphs with CUDA graphs too: for 640x480 while the node configures, else at the first images.",
        choices=COMPILATIONS,
    )
    max_image_size: int = parameter(
        1280,
        "Longer side to which larger images are reduced before they are matched, pixels; 0 leaves them.",
        minimum=0,
        maximum=65536,
    )
    max_keypoints: int = parameter(
        1024, "Most keypoints kept per image.", minimum=8, maximum=20000, live=True
    )
    multiscale: bool = parameter(
        False, "D2-Net on VGG16 looks at half, full and double size; five times the work.", live=True
    )
    refine: bool = parameter(
        True, "Refine matches of the networks to sub-pixel precision on the images.", live=True
    )
    min_score: float = parameter(
        0.2,
        "Least score of a match, 0 to 1, before it is refined and calibrated.",
        minimum=0.0,
        maximum=1.0,
        live=True,
    )
    max_ratio: float = parameter(
        1.0,
        "With d2net, greatest ratio of the distances to the nearest and the second nearest; 1 keeps all.",
        minimum=0.0,
        maximum=1.0,
        live=True,
    )
    min_similarity: float = parameter(
        -1.0,
        "With d2net, least cosine of two descriptors; -1 keeps all.",
        minimum=-1.0,
        maximum=1.0,
        live=True,
    )
