# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The noise of matches, told apart from their mistakes."""

from __future__ import annotations

import numpy as np

from drcn_ros.geometry.types import Array

# Residuals beyond this belong to wrong matches, whatever the noise, pixels.
_BAND_PX = 20.0
_ITERATIONS = 12


def noise_scale(residuals: Array, start_px: float) -> float:
    """Return the standard deviation of the good ones among signed residuals (N,), pixels.

    Expectation-maximisation of a normal distribution around zero and a uniform one over 20 px either side, so
    that neither a threshold nor the part of wrong matches must be known.
    """
    squared = np.square(residuals[np.abs(residuals) < _BAND_PX])
    if len(squared) < 3:
        return start_px
    scale, good = start_px, 0.5
    for _ in range(_ITERATIONS):
        density = good * np.sqrt(2.0 / np.pi) / scale * np.exp(squared * (-0.5 / scale**2))
        member = density / (density + (1.0 - good + 1e-6) / _BAND_PX)
        total = float(member.sum())
        before = scale
        good = min(total / len(squared), 1.0)
        scale = max(float(np.sqrt(member @ squared / max(total, 1e-9))), 1e-3)
        if abs(scale - before) < 0.01 * before:
            break
    return scale


def cauchy_weights(squared: Array, scale: float) -> Array:
    """Return the weights 1 / (1 + s / scale^2) of squared residuals s (N,)."""
    weights: Array = 1.0 / (1.0 + squared * (1.0 / scale**2))
    return weights
