# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Pixels that stand still while the camera moves: a bonnet, the robot's own arm, a housing, a burnt-in text.

Two views cannot tell a still part of the image from a world without motion, or from points infinitely far
away. So matches that have not moved, in places that have never been seen to move, do not outvote the others:
where those agree on one motion by themselves, that motion holds. And places that stay where they are although
the motion says that nothing could, at whatever depth, are remembered; after a while they are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.epipolar import sampson
from drcn_ros.geometry.ray_pairs import ray_pairs
from drcn_ros.geometry.robust import INLIER_SCALE
from drcn_ros.geometry.rotation_only import rotation_residuals
from drcn_ros.geometry.selection import Model
from drcn_ros.geometry.spreading import evenly_spread
from drcn_ros.geometry.two_view import TwoView
from drcn_ros.geometry.types import Array
from drcn_ros.matching.types import Keypoints, Matches
from drcn_ros.odometry.image_cells import ImageCells
from drcn_ros.odometry.types import Tracks

# A match that moved less stands still, and one that moved more moves, pixels; in between, noise decides.
_STILL_PX, _MOVING_PX = 0.5, 1.0
# Parts of the image, by matches spread evenly over it. Fewer still ones are outvoted as any wrong matches
# are; fewer moving ones are rather objects before a camera that stands.
_FEW_STILL, _FEW_MOVING = 0.1, 0.2
# Part of the matches beside the still ones in places that have moved before, from which those are enough.
_MOSTLY = 0.5
# Part of those beside the still ones that must agree on one motion; a crowd does not.
_AGREE = 0.7
# How far the still ones may be off the motion of the others to count alike: their median over the noise.
_FIT, _LEAST_NOISE_PX = 1.5, 0.1

Estimate = Callable[[Matches], TwoView]


class StillPixels:
    """Tells matches that stand still by themselves from those that tell the camera's motion.

    What it has learnt belongs to the camera and its mounting, so it outlives a restart of the path.
    """

    def __init__(self) -> None:
        self._cells: ImageCells | None = None
        self._dropping = False
        self._mask: NDArray[np.bool_] | None = None

    @property
    def still_part(self) -> float:
        """Part of the image, 0 to 1, that has stood still for so long that it is left out for good."""
        left_out = None if self._cells is None else self._cells.left_out
        return 0.0 if left_out is None else float(left_out.mean())

    def left_out(self) -> NDArray[np.bool_] | None:
        """Return (rows, columns) parts of the frame that are left out for good, or None where all counts."""
        found = None if self._cells is None else self._cells.left_out
        if self._mask is None or found is None:
            return found if self._mask is None else ~self._mask
        height, width = self._mask.shape
        return ~self._mask | (
            cv2.resize(found.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0
        )

    def begin_frame(self, size: tuple[int, int], kept: NDArray[np.bool_] | None) -> None:
        """Start with a frame; another shape of image forgets what was learnt.

        Args:
            size: (width, height), pixels.
            kept: (H, W), the pixels that count by the user's mask, or None for all.
        """
        self._dropping, self._mask = False, kept
        if self._cells is None or not self._cells.fits(size):
            self._cells = ImageCells(size)

    def kept_points(self, points: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return which points (N, 2) of the frame lie in no place that is left out, (N,)."""
        if self._cells is None:
            return np.ones(len(points), bool)
        kept = ~self._cells.are_suspected(points)
        if self._mask is not None:
            height, width = self._mask.shape
            x, y = np.clip(np.nan_to_num(points).T, 0.0, [[width - 1], [height - 1]]).round().astype(np.int64)
            kept &= self._mask[y, x]
        return kept

    def kept(self, matches: Matches) -> NDArray[np.bool_]:
        """Return which matches (M,) of the frame are believed."""
        assert self._cells is not None
        kept = self.kept_points(matches.current_points)
        if self._dropping:
            kept &= (_shift(matches) >= _STILL_PX) | self._cells.have_moved(matches.current_points)
        return kept

    def told(
        self, keypoints: Keypoints, tracks: Tracks, matches: Matches
    ) -> tuple[Keypoints, Tracks, Matches]:
        """Return keypoints with their tracks, and the matches that refer to them, without those left out."""
        kept = self.kept_points(keypoints.points)
        if kept.all():
            return keypoints, tracks, matches
        row = np.full(len(kept) + 1, -1)
        row[:-1][kept] = np.arange(int(kept.sum()))
        matches = replace(matches, current_index=row[matches.current_index])
        return keypoints.select(kept), tracks.select(kept), matches

    def weigh(self, matches: Matches, camera: Camera, estimate: Estimate) -> tuple[Matches, TwoView]:
        """Return what two views tell, and the matches that it rests on.

        Args:
            matches: that `kept` has left.
            camera: of both views.
            estimate: makes two views of matches.
        """
        assert self._cells is not None
        known = self._cells.have_moved(matches.current_points)
        still = (_shift(matches) < _STILL_PX) & ~known
        rows = _spread(matches)
        if not len(rows) or still[rows].mean() < _FEW_STILL:
            return matches, estimate(matches)
        others = matches.select(~still)
        # Places that have moved before tell by themselves whether the camera moves now.
        beyond_doubt = (~still[rows]).mean() >= _FEW_MOVING
        beyond_doubt &= known[rows].sum() >= _MOSTLY * (~still[rows]).sum()
        moving = _shift(matches) > _MOVING_PX
        if not beyond_doubt and (moving[rows].mean() < _FEW_MOVING or moving.sum() < 0.5 * len(others)):
            return matches, estimate(matches)
        beside = estimate(others)
        moves = beside.model in (Model.GENERAL, Model.ROTATION)
        if not beyond_doubt and not (moves and _agree(others, beside)):
            return matches, estimate(matches)
        if moves:
            alone = _residuals(matches.select(still), beside, camera)
            if np.median(alone) < _FIT * max(beside.noise_px or 0.0, _LEAST_NOISE_PX):
                # Far points: they tell the rotation, unless they are so many that no motion is seen.
                together = estimate(matches)
                if together.model is beside.model:
                    return matches, together
        self._dropping = True
        return others, beside

    def learn(self, stamp_ns: int, matches: Matches, two_view: TwoView, camera: Camera) -> None:
        """Note which places followed a motion that is believed, and which stood still against it.

        Args:
            stamp_ns: of the frame.
            matches: all that were found, M.
            two_view: of those that `kept` leaves, with a model.
            camera: of both views.
        """
        assert self._cells is not None
        if two_view.model not in (Model.GENERAL, Model.ROTATION):
            return
        shift, used = _shift(matches), self.kept(matches)
        agrees = np.zeros(len(matches), bool)
        agrees[np.flatnonzero(used)[two_view.inliers]] = True
        still = (shift < _STILL_PX) & ~agrees
        moving = shift > _MOVING_PX
        # What was left out of the estimate is compared with it here.
        unknown = np.flatnonzero(~used & (still | moving))
        if len(unknown):
            agrees[unknown] = _residuals(matches.select(unknown), two_view, camera) < _limit(two_view)
        against = np.flatnonzero(still & ~agrees)
        if len(against):
            far = _residuals(matches.select(against), two_view, camera) > _limit(two_view)
            against = against[far]
        points = matches.current_points
        self._cells.add(stamp_ns, points[moving & agrees], points[against])


def _shift(matches: Matches) -> NDArray[np.float32]:
    """Return how far each match (M,) moved, pixels; NaN where a point is no number."""
    with np.errstate(invalid="ignore"):
        shift: NDArray[np.float32] = np.hypot(*(matches.current_points - matches.reference_points).T)
        return shift


def _spread(matches: Matches) -> NDArray[np.int64]:
    """Return rows of matches spread evenly over the image."""
    finite = np.flatnonzero(np.isfinite(matches.current_points).all(axis=1))
    return finite[evenly_spread(matches.current_points[finite].T)] if len(finite) else finite


def _agree(matches: Matches, two_view: TwoView) -> bool:
    """Return whether the matches, evenly over the image, agree on the motion."""
    rows = _spread(matches)
    return bool(two_view.inliers[rows].mean() >= _AGREE)


def _limit(two_view: TwoView) -> float:
    assert two_view.noise_px is not None
    return INLIER_SCALE * max(two_view.noise_px, 0.5 * _STILL_PX)


def _residuals(matches: Matches, two_view: TwoView, camera: Camera) -> Array:
    """Return how far matches (M,) are from a motion, pixels; infinite where they have no ray."""
    pairs, rows = ray_pairs(
        matches.reference_points.astype(np.float64), matches.current_points.astype(np.float64), camera
    )
    residuals = np.full(len(matches), np.inf)
    if two_view.pose is not None:
        residuals[rows] = np.abs(sampson(pairs, two_view.pose.rotation, two_view.pose.translation))
    else:
        assert two_view.rotation is not None
        residuals[rows] = np.hypot(*rotation_residuals(pairs, two_view.rotation))
    return residuals
