# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Depths of points from two views, as inverse depths, which are as good far away as near by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drcn_ros.geometry.batched_algebra import dots, squared_length
from drcn_ros.geometry.ray_pairs import RayPairs, parallax_and_line
from drcn_ros.geometry.rotation import cross
from drcn_ros.geometry.types import Array


@dataclass(frozen=True)
class InverseDepths:
    """Inverse depths of the points of matches, in 1 / |t|; zero is infinitely far, negative is behind.

    Attributes:
        reference, current: (N,) of the z coordinate in each camera.
        deviation: (N,) standard deviation of both.
    """

    reference: Array
    current: Array
    deviation: Array


def inverse_depths(pairs: RayPairs, rotation: Array, translation: Array, noise_px: float) -> InverseDepths:
    """Return the inverse depths of matches that agree with T_ref_cur = (R, t), noise of one point in pixels.

    Z_ref b = Z_cur R a + t, solved for 1 / Z in the least-squares sense by eliminating the other depth.
    """
    turned = rotation @ pairs.current
    normal = cross(turned, pairs.reference)
    t = translation[:, None]
    _, line, _ = parallax_and_line(pairs, rotation, translation)
    return InverseDepths(
        _ratio(cross(turned, t), normal),
        _ratio(cross(pairs.reference, t), normal),
        noise_px * np.sqrt(2.0 / np.maximum(squared_length(line), 1e-24)),
    )


def _ratio(denominator: Array, numerator: Array) -> Array:
    ratio: Array = dots(denominator, numerator) / np.maximum(squared_length(denominator), 1e-24)
    return ratio
