# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Whether more matches agree with a motion than chance brings together.

Among many wrong matches some motion is always found with which a few of them agree. How many that are depends
on the number of matches, on the width of the band that counts as agreement, and on where in the image they
lie. A count in pixels or per cent cannot tell; the expected number of equally good agreements can (Moisan and
Stival, A probabilistic criterion to detect rigid point matches between two images, IJCV 57, 2004).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.ray_pairs import RayPairs

# Motions tried in one search: each sample has up to ten, and two thresholds are tried.
_MOTIONS_PER_SAMPLE = 20
# So many agreements as good may be expected by chance: a wrong motion in a thousand frames of wrong matches.
_EXPECTED = 0.001
_LAGS = 6


def beyond_chance(
    pairs: RayPairs,
    agreeing: int,
    determining: int,
    samples: int,
    agree: Callable[[RayPairs], NDArray[np.bool_]],
) -> bool:
    """Return whether wrong matches would hardly have given a motion with which so many agree.

    How probable it is that a wrong match agrees is measured: the current points are handed on to other
    reference points, in a fixed random order, and those pairs counted that agree all the same.

    Args:
        pairs: all matches, N.
        agreeing: how many of them agree with the motion.
        determining: how many matches determine a motion, and so agree with it anyway.
        samples: most samples that the search drew.
        agree: tells which of other pairs (N,) agree with the motion.
    """
    count, found = len(pairs) - determining, agreeing - determining
    if found <= 0:
        return False
    needed = math.log(_MOTIONS_PER_SAMPLE * samples / _EXPECTED)
    order = np.random.default_rng(0).permutation(len(pairs))
    hits = 0
    for lag in range(1, _LAGS + 1):
        hits += int(agree(_handed_on(pairs, order, lag)).sum())
        # Most motions are so well supported that a first and careful guess of the probability decides.
        careful = (hits + 2.0 * math.sqrt(hits + 1.0) + 1.0) / (lag * len(pairs))
        if _exponent(found, count, careful) > needed:
            return True
    return _exponent(found, count, (hits + 1.0) / (_LAGS * len(pairs))) > needed


def _handed_on(pairs: RayPairs, order: NDArray[np.int64], lag: int) -> RayPairs:
    """Return pairs of each reference point with the current one `lag` places further in an order."""
    current = np.empty_like(order)
    current[order] = np.roll(order, -lag)
    rays = pairs.rays.copy()
    rays[:3] = pairs.rays[:3].take(current, axis=1)
    pixel = pairs.current_pixel
    if pixel.shape[2] > 1:
        pixel = pixel.take(current, axis=2)
    return RayPairs(rays, pixel, pairs.reference_pixel, pairs.to_pixel)


def _exponent(found: int, count: int, probability: float) -> float:
    """Return e such that at least `found` of `count` agree with a probability of at most exp(-e).

    Hoeffding's bound of the binomial distribution's tail: n times the divergence of both rates.
    """
    rate = found / count
    if rate <= probability:
        return 0.0
    exponent = rate * math.log(rate / probability)
    if rate < 1.0:
        exponent += (1.0 - rate) * math.log((1.0 - rate) / (1.0 - probability))
    return count * exponent
