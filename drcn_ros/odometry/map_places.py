# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Where matches show the points of the scene, and how far each place may be off.

Bounds in pixels are those of the image that was matched, which may be smaller than the one received.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.types import Array
from drcn_ros.matching.types import Matches
from drcn_ros.odometry.view import View

# Standard deviation of a place, pixels.
NOISE_PX = 0.5
# Patches that disagree by more tell no depth: they rarely follow what was detected. Pixels.
LARGEST_APART_PX = 1.0
# How far apart wide and narrow patches place a match whose variance is twice the least, and usually, pixels.
_APART_PX, _USUALLY_APART_PX = 0.15, 0.2


def places(matches: Matches) -> NDArray[np.float32]:
    """Return where the current image shows the reference points themselves, (M, 2) pixels."""
    return matches.current_points if matches.narrow_points is None else matches.narrow_points


def apart(matches: Matches) -> NDArray[np.float32]:
    """Return how far wide and narrow patches place the matches apart, (M,) pixels."""
    distance: NDArray[np.float32] = np.hypot(*(places(matches) - matches.current_points).T)
    return distance


def relative_noise(matches: Matches, view: View) -> Array:
    """Return the standard deviations of places (M,) in a view over that of the usual one."""
    if matches.narrow_points is None:
        return np.ones(len(matches))
    return noise_of(apart(matches) / view.features.pixel)


def noise_of(distance: NDArray[np.float32]) -> Array:
    """Return the standard deviations (M,) of places over that of the usual one.

    Args:
        distance: (M,) how far apart wide and narrow patches place them, pixels of the image matched.
    """
    noise: Array = np.sqrt((1.0 + distance / _APART_PX) / (1.0 + _USUALLY_APART_PX / _APART_PX))
    return noise.astype(np.float64)
