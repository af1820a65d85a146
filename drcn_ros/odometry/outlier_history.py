# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Which points did not follow the camera's motion, remembered from reference to reference.

Over a short baseline one motion often explains both the world and an object in it; over a longer one it does
not. So what is found there is kept until a baseline as long says otherwise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.epipolar import sampson
from drcn_ros.geometry.robust import INLIER_SCALE
from drcn_ros.geometry.spreading import evenly_spread
from drcn_ros.geometry.two_view import TwoView
from drcn_ros.matching.types import Matches
from drcn_ros.odometry.view import View

# Part of the reference image from which on the points that disagree are rather the world.
_MOSTLY = 0.6
# Parallax of an agreement after which a point is no outlier, over that at which it was; the median varies.
_AS_LONG = 0.6


def earlier_outliers(reference: View, matches: Matches) -> NDArray[np.bool_]:
    """Return which matches (M,) to leave out: of points of the reference that disagreed with the motion.

    None where those cover most of the reference image, for then they are rather the world. Against them count
    all points that agreed, also those that have left the view since, so that an object which stays in
    it does not become the world.
    """
    index = matches.reference_index
    mask: NDArray[np.bool_] = (index >= 0) & (reference.outlier_parallax[index] > 0.0)
    against = np.zeros(len(reference.points), bool)
    against[index[mask]] = True
    judged = np.flatnonzero(against | (reference.outlier_parallax == 0.0))
    if mask.any() and against[judged[evenly_spread(reference.points[judged].T)]].mean() > _MOSTLY:
        mask[:] = False
    return mask


def remember_outliers(
    reference: View, view: View, two_view: TwoView, matches: Matches, floor_px: float
) -> None:
    """Note in both views which points disagree with a pose.

    Kept is the parallax at which a point last disagreed; agreement under about as much clears it.

    Args:
        reference, view: that were matched.
        two_view: with or without a pose; without one, what is known is only handed on.
        matches: that it was made of.
        floor_px: error that the matches share, added to their noise.
    """
    if two_view.pose is not None and two_view.parallax_px is not None and two_view.noise_px is not None:
        index = matches.reference_index[two_view.rows]
        kept = index >= 0
        distance = np.abs(sampson(two_view.pairs, two_view.pose.rotation, two_view.pose.translation))
        agrees = distance < INLIER_SCALE * np.hypot(two_view.noise_px, floor_px)
        known, parallax = reference.outlier_parallax, max(two_view.parallax_px, 1e-3)
        for_good = index[kept & agrees]
        known[for_good] = np.where(known[for_good] * _AS_LONG > parallax, known[for_good], 0.0)
        against = index[kept & ~agrees]
        known[against] = np.fmax(known[against], parallax)
    both = (matches.reference_index >= 0) & (matches.current_index >= 0)
    view.outlier_parallax[matches.current_index[both]] = reference.outlier_parallax[
        matches.reference_index[both]
    ]
