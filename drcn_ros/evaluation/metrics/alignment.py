# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The similarity that brings one trajectory closest to another."""

from __future__ import annotations

import numpy as np

from drcn_ros.geometry.similarity import Similarity
from drcn_ros.geometry.types import Array


def align_similarity(estimate: Array, truth: Array) -> Similarity | None:
    """Return the similarity with the least squared distances (Umeyama 1991, equations 38 to 43).

    Args:
        estimate, truth: (N, 3) corresponding positions.

    Returns:
        None where the positions do not determine it: fewer than three, all equal, or on one line.
    """
    if len(estimate) < 3:
        return None
    mean_estimate, mean_truth = estimate.mean(axis=0), truth.mean(axis=0)
    centred_estimate, centred_truth = estimate - mean_estimate, truth - mean_truth
    covariance = centred_truth.T @ centred_estimate / len(estimate)
    variance = float((centred_estimate**2).sum() / len(estimate))
    left, values, right = np.linalg.svd(covariance)
    if values[1] <= 1e-9 * values[0] or values[0] <= 0.0:
        return None
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(left) * np.linalg.det(right))])
    rotation: Array = (left * signs) @ right
    scale = float((values * signs).sum() / variance)
    translation: Array = mean_truth - scale * rotation @ mean_estimate
    return Similarity(rotation, translation, scale)
