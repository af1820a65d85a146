# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Matches of two keyframes from their descriptors alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def mutual_nearest(
    first: NDArray[np.floating[Any]], second: NDArray[np.floating[Any]], ratio: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of both that are each other's nearest, the clearest pair first.

    Args:
        first, second: (N, C) and (M, C) of unit length.
        ratio: a pair's distance over that to the next best of the second is at most this (Lowe, IJCV 2004).
    """
    none = np.zeros(0, np.int64)
    if len(first) < 2 or len(second) < 2 or first.shape[1] == 0 or first.shape[1] != second.shape[1]:
        return none, none
    likeness = first.astype(np.float32) @ second.astype(np.float32).T
    best = np.argmax(likeness, axis=1)
    rows = np.arange(len(first))
    value = likeness[rows, best]
    mutual = np.argmax(likeness, axis=0)[best] == rows
    likeness[rows, best] = -np.inf
    next_best = likeness.max(axis=1)
    distance, next_distance = (np.sqrt(np.maximum(2.0 - 2.0 * v, 1e-12)) for v in (value, next_best))
    quality = distance / next_distance
    kept = np.flatnonzero(mutual & (quality <= ratio))
    kept = kept[np.argsort(quality[kept], kind="stable")]
    return kept.astype(np.int64), best[kept].astype(np.int64)
