# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Which earlier keyframes may show the same place: global descriptors pooled from those of the keypoints."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Exponent of the mean.
_POWER = 2.0


def pooled(descriptors: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return one vector (2 C,) of unit length for the descriptors (N, C) of an image.

    The generalised mean of Radenovic, Tolias and Chum (TPAMI 2019), of positive and negative parts apart.
    """
    both = np.concatenate([np.maximum(descriptors, 0.0), np.maximum(-descriptors, 0.0)], axis=1)
    mean = np.mean(both.astype(np.float32) ** _POWER, axis=0) ** (1.0 / _POWER)
    vector: NDArray[np.float32] = (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)
    return vector


class Places:
    """The global descriptors of all keyframes, to be searched by plain products of vectors."""

    def __init__(self) -> None:
        self._vectors = np.zeros((0, 0), np.float32)
        self._count = 0

    def add(self, vector: NDArray[np.float32]) -> None:
        """Take the next keyframe's vector."""
        if self._count == len(self._vectors):
            larger = np.zeros((max(64, 2 * self._count), len(vector)), np.float32)
            larger[: self._count] = self._vectors[: self._count] if self._count else 0.0
            self._vectors = larger
        self._vectors[self._count] = vector
        self._count += 1

    def most_alike(self, number: int, before: int, count: int, apart: int) -> list[int]:
        """Return the keyframes most like keyframe `number` among those before `before`, best first.

        Of neighbours that are less than `apart` from each other only the best one is given.
        """
        if before <= 0:
            return []
        likeness = self._vectors[:before] @ self._vectors[number]
        found: list[int] = []
        for candidate in np.argsort(-likeness, kind="stable")[: count * (2 * apart + 1)]:
            if all(abs(int(candidate) - other) >= apart for other in found):
                found.append(int(candidate))
            if len(found) == count:
                break
        return found
