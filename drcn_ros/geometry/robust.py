# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The noise of matches, told apart from their mistakes."""

from __future__ import annotations

import math

import numpy as np

from drcn_ros.geometry.types import Array

# A match farther from its place than this many times the noise is no inlier.
INLIER_SCALE = 3.0
# The noise is looked for between these, pixels: less is not credible, more is no match.
NOISE_RANGE = (0.05, 4.0)
# Residuals beyond this belong to wrong matches, whatever the noise, pixels.
_BAND_PX = 20.0
_BINS = 128
_ITERATIONS = 12
# Density of the uniform distribution, over that of a normal one of standard deviation one at zero.
_UNIFORM = math.sqrt(math.pi / 2.0) / _BAND_PX


def noise_scale(residuals: Array, start_px: float) -> float:
    """Return the standard deviation of the good ones among signed residuals (N,), pixels.

    Expectation-maximisation of a normal distribution around zero and a uniform one over 20 px either side, so
    that neither a threshold nor the part of wrong matches must be known. It works on a histogram whose bins
    widen with the root, each with the mean of its squares.
    """
    squares = residuals * residuals
    # The last bin takes what lies beyond the band and what is no number.
    bins = np.fmin(np.sqrt(np.sqrt(squares)) * (_BINS / math.sqrt(_BAND_PX)), _BINS).astype(np.intp)
    counts = np.bincount(bins, minlength=_BINS + 1)[:_BINS]
    used = np.flatnonzero(counts)
    members = counts[used].astype(np.float64)
    total = float(members.sum())
    if total < 3.0:
        return start_px
    sums = np.bincount(bins, squares, minlength=_BINS + 1)[used]
    squared = sums / members
    scale, good = start_px, 0.5
    for _ in range(_ITERATIONS):
        # Densities over that of the normal distribution at zero.
        uniform = (1.0 - good + 1e-6) / good * scale * _UNIFORM
        normal = np.exp(squared * (-0.5 / scale**2))
        member = normal / (normal + uniform)
        right = float(member @ members)
        before = scale
        good = min(max(right / total, 1e-6), 1.0)
        scale = max(math.sqrt(float(member @ sums) / max(right, 1e-9)), 1e-3)
        if abs(scale - before) < 0.01 * before:
            break
    return scale


def cauchy_weights(squared: Array, scale: float) -> Array:
    """Return the weights 1 / (1 + s / scale^2) of squared residuals s (N,)."""
    weights: Array = 1.0 / (1.0 + squared * (1.0 / scale**2))
    return weights


def over_relaxation(weights: Array, components: int = 1) -> float:
    """Return by how much a step with Cauchy weights (N,) falls short of Newton's, at most 1.5.

    The mean weight w over the mean curvature of the loss, which is w (2 w - 1) along a residual and w across
    it, where it has several components.
    """
    total = float(weights.sum())
    curvature = total - 2.0 * (total - float(weights @ weights)) / components
    # More makes no fewer steps, and runs along valleys that the matches hardly determine.
    return 1.5 if 1.5 * curvature <= total else total / curvature


def median(values: Array) -> float:
    """Return the upper median of values (N,), N at least 1; numpy's own takes several times as long."""
    half = len(values) // 2
    return float(np.partition(values, half)[half])
