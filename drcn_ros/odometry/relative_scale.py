# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One scale for a whole run: lengths of steps from points that successive pairs of views share."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.inverse_depth import inverse_depths
from drcn_ros.geometry.robust import cauchy_weights, median
from drcn_ros.geometry.two_view import TwoView
from drcn_ros.geometry.types import Array
from drcn_ros.matching.types import Matches
from drcn_ros.odometry.view import PointDepths

# A depth counts when it is at least so many times its standard deviation from infinity.
_CLEAR = 4.0
_FEWEST = 8
_ITERATIONS = 5


@dataclass(frozen=True)
class Step:
    """Length of the translation between two views, in units of the run.

    Attributes:
        length: of the translation.
        deviation: its standard deviation; infinite when the length is a guess.
        depths: of the reference's keypoints, from this pair alone.
    """

    length: float
    deviation: float
    depths: PointDepths


def measure_step(two_view: TwoView, matches: Matches, known: PointDepths, guess: float) -> Step:
    """Return the step of a pair with a pose.

    Each shared point has an inverse depth in units of this pair's translation and, from earlier pairs, one in
    units of the run: their ratio is the length. The mean of its logarithm is taken with Cauchy weights.

    Args:
        two_view: with a pose.
        matches: that it was made of.
        known: depths of the reference's keypoints.
        guess: the length where too few points are shared.
    """
    assert two_view.pose is not None
    assert two_view.noise_px is not None
    good, into_reference, _ = _indexed(two_view, matches)
    found = inverse_depths(
        two_view.pairs.take(good), two_view.pose.rotation, two_view.pose.translation, two_view.noise_px
    )
    length, deviation = _length(
        found.reference,
        found.deviation,
        known.inverse[into_reference],
        known.deviation[into_reference],
        guess,
    )
    depths = PointDepths.unknown(len(known.inverse))
    front = found.reference > 0.0
    depths.inverse[into_reference[front]] = found.reference[front] / length
    depths.deviation[into_reference[front]] = found.deviation[front] / length
    return Step(length, deviation, depths)


def transferred(
    two_view: TwoView, matches: Matches, known: PointDepths, count: int, length: float
) -> PointDepths:
    """Return the depths of the current view's `count` keypoints, from those of the reference.

    Args:
        two_view: with a rotation, and a pose unless `length` is zero.
        matches: that it was made of.
        known: depths of the reference's keypoints.
        count: keypoints of the current view.
        length: of the translation, in the units of the depths.
    """
    assert two_view.rotation is not None
    good, into_reference, into_current = _indexed(two_view, matches)
    axis = two_view.rotation[:, 2]
    shift = 0.0 if two_view.pose is None else length * float(axis @ two_view.pose.translation)
    inverse = known.inverse[into_reference]
    # Z_cur = R' (b / inverse - t) along the current axis.
    nearer = axis @ two_view.pairs.reference[:, good]
    divisor = nearer - inverse * shift
    seen = divisor > 1e-3
    depths = PointDepths.unknown(count)
    depths.inverse[into_current[seen]] = inverse[seen] / divisor[seen]
    slope = nearer[seen] / divisor[seen] ** 2
    depths.deviation[into_current[seen]] = known.deviation[into_reference[seen]] * np.abs(slope)
    return depths


def _indexed(
    two_view: TwoView, matches: Matches
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the inliers that are keypoints of both views: rows of the pairs, of both views' keypoints."""
    good = np.flatnonzero(two_view.inliers[two_view.rows])
    rows = two_view.rows[good]
    into_reference, into_current = matches.reference_index[rows], matches.current_index[rows]
    kept = (into_reference >= 0) & (into_current >= 0)
    return good[kept], into_reference[kept], into_current[kept]


def merged(first: PointDepths, second: PointDepths) -> PointDepths:
    """Return for each point the depth that is better known."""
    with np.errstate(invalid="ignore"):
        better = second.known & (~first.known | (second.deviation < first.deviation))
    return PointDepths(
        np.where(better, second.inverse, first.inverse), np.where(better, second.deviation, first.deviation)
    )


def _length(
    found: Array, found_deviation: Array, known: Array, known_deviation: Array, guess: float
) -> tuple[float, float]:
    with np.errstate(invalid="ignore"):
        clear = (found > _CLEAR * found_deviation) & (known > _CLEAR * known_deviation)
    if int(clear.sum()) < _FEWEST:
        return guess, float("inf")
    found, known = found[clear], known[clear]
    logarithm = np.log(found / known)
    variance = (found_deviation[clear] / found) ** 2 + (known_deviation[clear] / known) ** 2
    mean, spread = median(logarithm), 1.0
    precision = 1.0 / variance
    weights = precision
    for _ in range(_ITERATIONS):
        squared = (logarithm - mean) ** 2 * precision
        spread = max(1.0, median(squared) / 0.455)
        weights = precision * cauchy_weights(squared, math.sqrt(spread))
        mean = float(weights @ logarithm) / float(weights.sum())
    length = math.exp(mean)
    return length, length * math.sqrt(spread / float(weights.sum()))
