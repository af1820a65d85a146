# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""How accurate the results of many pairs are: areas under error curves, medians, confidence intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.types import Array

THRESHOLDS = (5, 10, 20)
# An error that stands for no result at all.
FAILED = 180.0

# A match counts as found within this many pixels of the truth; scores are calibrated against it.
FOUND_PX = 3.0
# Tenths of the score for which the share of found matches is told.
BINS = 10

_RESAMPLES = 500
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Reliability:
    """What scores are worth, by tenth of the score.

    Attributes:
        matches: (BINS,) their numbers.
        score: (BINS,) their mean score, 0 where there are none.
        found: (BINS,) share that is right, 0 where there are none.
    """

    matches: NDArray[np.int64]
    score: Array
    found: Array

    @property
    def error(self) -> float:
        """Mean distance of score and share over all matches: the expected calibration error."""
        total = max(1, int(self.matches.sum()))
        return float(np.sum(self.matches * np.abs(self.score - self.found)) / total)


def reliability(scores: Array, right: NDArray[np.bool_]) -> Reliability:
    """Return how far scores (N,) in [0, 1] are the probabilities that matches are right."""
    slot = np.clip((scores * BINS).astype(int), 0, BINS - 1)
    counts = np.bincount(slot, minlength=BINS)
    sums = (np.bincount(slot, values, minlength=BINS) for values in (scores, right.astype(np.float64)))
    score, found = (total / np.maximum(1, counts) for total in sums)
    return Reliability(counts.astype(np.int64), score, found)


def area_under_curve(errors: Array, threshold: float) -> float:
    """Return the area, in percent, under the share of errors below e, for e from 0 to `threshold`.

    The curve rises linearly between the sorted errors, as in the evaluation of SuperGlue (Sarlin et al.,
    CVPR 2020).
    """
    ordered = np.sort(errors)
    if len(ordered) == 0:
        return 0.0
    share = (np.arange(len(ordered)) + 1) / len(ordered)
    ordered, share = np.concatenate([[0.0], ordered]), np.concatenate([[0.0], share])
    last = int(np.searchsorted(ordered, threshold))
    x = np.concatenate([ordered[:last], [threshold]])
    y = np.concatenate([share[:last], [share[last - 1]]])
    return float(100 * np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2) / threshold)


def interval(values: Array, statistic: Callable[[NDArray[np.float64]], float]) -> Interval:
    """Return a statistic of values (pairs, ...) and its bootstrap interval over the pairs."""
    random = np.random.default_rng(0)
    resampled = [
        statistic(values[random.integers(len(values), size=len(values))].ravel()) for _ in range(_RESAMPLES)
    ]
    tail = 50 * (1 - _CONFIDENCE)
    low, high = np.percentile(resampled, [tail, 100 - tail])
    return Interval(statistic(values.ravel()), float(low), float(high))
