# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""How many matches of two images agree, without a calibration: a fundamental matrix or a homography."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import poselib
from numpy.typing import NDArray

from drcn_ros.geometry.config import TwoViewConfig
from drcn_ros.geometry.types import Array

FUNDAMENTAL, HOMOGRAPHY = "fundamental matrix", "homography"

# Enough samples for two wrong matches of three, and seven in a sample.
_ITERATIONS = 10_000
_CONFIDENCE = 0.999
# A homography holds both coordinates of a point, a fundamental matrix one, which wrong matches meet easily:
# where the first explains nearly as many, the scene is flat or the camera has turned only.
_NEARLY = 0.95
# So many wrong matches agree on a fundamental matrix by chance, plus this share of all (measured on images of
# 320x240 pixels with 20 to 3000 matches at random; larger images have fewer).
_CHANCE, _CHANCE_SHARE = 14, 0.04
# A point may lie this much farther from its place than from a line.
_HOMOGRAPHY_FACTOR = 1.4


@dataclass(frozen=True)
class Agreement:
    """Matches that one model explains.

    Attributes:
        model: FUNDAMENTAL, HOMOGRAPHY, or empty where too few agree.
        inliers: (N,) which do.
    """

    model: str
    inliers: NDArray[np.bool_]


def agreement(reference: Array, current: Array, config: TwoViewConfig) -> Agreement:
    """Return which matches agree on one geometry of two images whose cameras are not known.

    PoseLib's LO-RANSAC for either model. A lens that bends lines loses matches at the rim.

    Args:
        reference, current: (N, 2) pixels.
        config: threshold, seed, and how many must agree.
    """
    reference = np.ascontiguousarray(reference, np.float64)
    current = np.ascontiguousarray(current, np.float64)
    nothing = np.zeros(len(reference), bool)
    if len(reference) < config.min_inliers:
        return Agreement("", nothing)
    limits = {"max_iterations": _ITERATIONS, "success_prob": _CONFIDENCE, "seed": config.seed}
    _, lines = poselib.estimate_fundamental(
        reference, current, {"max_epipolar_error": config.threshold_px, **limits}
    )
    _, places = poselib.estimate_homography(
        reference, current, {"max_reproj_error": _HOMOGRAPHY_FACTOR * config.threshold_px, **limits}
    )
    flat, general = (np.asarray(found["inliers"], bool) for found in (places, lines))
    model, inliers = FUNDAMENTAL, general
    if flat.sum() >= _NEARLY * general.sum():
        model, inliers = HOMOGRAPHY, flat
    chance = _CHANCE + _CHANCE_SHARE * len(reference) if model == FUNDAMENTAL else 0.0
    if inliers.sum() < max(config.min_inliers, chance):
        return Agreement("", nothing)
    return Agreement(model, inliers)
