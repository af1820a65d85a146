# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Refinement of a relative pose over all matches that agree with it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.batched_algebra import dots, squared_length
from drcn_ros.geometry.epipolar import moved, sampson, sampson_jacobian
from drcn_ros.geometry.ray_pairs import RayPairs, parallax_and_line
from drcn_ros.geometry.robust import INLIER_SCALE, NOISE_RANGE, cauchy_weights, noise_scale, over_relaxation
from drcn_ros.geometry.types import Array

# A point so many times nearer than four fifths of all is no part of the scene; judged from so many at least.
_NEAREST, _DEPTH_SAMPLE = 4.0, 20
_START_PX = 1.0
# Steps, of which the first ones also look for the noise.
_STEPS, _NOISE_STEPS = 8, 3
# A step so much shorter than its own standard deviation ends the refinement.
_SMALL_STEP = 0.1
_LONGEST_STEP = 0.3


@dataclass(frozen=True)
class EpipolarFit:
    """An essential matrix and the matches that agree with it.

    Attributes:
        rotation, translation: T_ref_cur with |t| = 1.
        noise_px: standard deviation of the inliers' Sampson distances.
        residuals: (N,) signed Sampson distances of all matches, pixels.
        jacobian: (5, N) their derivatives as in `sampson_jacobian`, taken where the last step began.
        inliers: (N,) bool.
    """

    rotation: Array
    translation: Array
    noise_px: float
    residuals: Array
    jacobian: Array
    inliers: NDArray[np.bool_]


def polish(pairs: RayPairs, rotation: Array, translation: Array) -> EpipolarFit:
    """Return the fit of all matches next to a first pose.

    Gauss-Newton on the Sampson distances with Cauchy weights, over the matches within three times the noise
    whose depth is credible. The noise is estimated anew at each of the first steps, so no threshold
    in pixels remains. Without that cut, wrong matches that happen to lie near their epipolar lines pull the
    pose.
    """
    noise = _START_PX
    for iteration in range(_STEPS):
        residuals, jacobian = sampson_jacobian(pairs, rotation, translation)
        distances = np.abs(residuals)
        if iteration < _NOISE_STEPS:
            credible = _credible_depth(pairs, rotation, translation, distances, INLIER_SCALE * noise)
            noise = min(max(noise_scale(residuals[credible], noise), NOISE_RANGE[0]), NOISE_RANGE[1])
        weights = cauchy_weights(residuals * residuals, noise)
        weights *= credible & (distances < INLIER_SCALE * noise)
        weighted = jacobian * weights
        hessian = weighted @ jacobian.T
        # The damping keeps directions that the matches do not determine where they are.
        hessian.flat[::6] += 1e-6 * hessian.trace() + 1e-12
        step = -np.linalg.solve(hessian, weighted @ residuals)
        settled = iteration >= _NOISE_STEPS - 1 and step @ hessian @ step < (_SMALL_STEP * noise) ** 2
        step *= min(over_relaxation(weights), _LONGEST_STEP / max(float(np.abs(step).max()), 1e-12))
        rotation, translation = moved(rotation, translation, step)
        if settled:
            break
    residuals = sampson(pairs, rotation, translation)
    good = agreeing(pairs, rotation, translation, noise, residuals)
    return EpipolarFit(rotation, translation, noise, residuals, jacobian, good)


def extended(pairs: RayPairs, fit: EpipolarFit) -> EpipolarFit:
    """Return the fit for other pairs than it was made from, with those that agree."""
    residuals, jacobian = sampson_jacobian(pairs, fit.rotation, fit.translation)
    good = agreeing(pairs, fit.rotation, fit.translation, fit.noise_px, residuals)
    return replace(fit, residuals=residuals, jacobian=jacobian, inliers=good)


def agreeing(
    pairs: RayPairs, rotation: Array, translation: Array, noise_px: float, residuals: Array
) -> NDArray[np.bool_]:
    """Return (N,) bool: within three times the noise of their epipolar line, at a depth that is credible.

    Args:
        pairs: N matches.
        rotation, translation: T_ref_cur with |t| = 1.
        noise_px: standard deviation of the Sampson distances.
        residuals: (N,) those distances, pixels.
    """
    distances, band = np.abs(residuals), INLIER_SCALE * noise_px
    good = _credible_depth(pairs, rotation, translation, distances, band)
    good &= distances < band
    return good


def _credible_depth(
    pairs: RayPairs, rotation: Array, translation: Array, distances: Array, band_px: float
) -> NDArray[np.bool_]:
    """Return (N,) bool: in front of the cameras and not far nearer than the other points, or at infinity.

    A wrong match that happens to lie on its epipolar line has any parallax, and the larger it is, the more
    that match pulls the direction. Inverse depths beyond a few times those of the others give it away.
    """
    shift, line, ahead = parallax_and_line(pairs, rotation, translation)
    finite = squared_length(shift) >= band_px**2
    inverse_depth = dots(shift, line) / np.maximum(squared_length(line), 1e-24)
    # Two cameras that look at each other see no surface from the same side.
    credible = (inverse_depth > 0.0) & ahead
    sample = inverse_depth[credible & finite & (distances < band_px)]
    if len(sample) >= _DEPTH_SAMPLE:
        rank = int(0.8 * len(sample))
        credible &= inverse_depth < _NEAREST * np.partition(sample, rank)[rank]
    accepted: NDArray[np.bool_] = credible | ~finite
    return accepted
