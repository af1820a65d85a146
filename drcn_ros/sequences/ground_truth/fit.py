# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Whether ground truth fits what was estimated better at other times, or with its quaternions read otherwise.

Nothing is changed here. Rotations decide, because they need neither scale nor a path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from drcn_ros.geometry.types import Array
from drcn_ros.sequences.trajectories.quaternions import rotations_from_quaternions
from drcn_ros.sequences.trajectories.trajectory import Trajectory

# Offsets that are tried, seconds, first coarsely, then around the best one.
_FARTHEST, _COARSE, _FINE = 0.5, 0.02, 0.002
# Fewest rotations that decide, and most that are looked at.
_FEWEST, _MOST = 20, 400
# What is clearly better: a part of the error, and degrees less in the median; the offset itself, seconds.
_BETTER_OFFSET, _BETTER_ORDER = (0.7, 0.03), (0.5, 0.5)
_LEAST_OFFSET = 0.004


@dataclass(frozen=True)
class EstimatedRotation:
    """An estimated rotation (3, 3) of a frame against its reference, by their stamps."""

    reference_ns: int
    stamp_ns: int
    rotation: Array


@dataclass(frozen=True)
class BetterFit:
    """What fits better: the median of the rotation errors as it is, and the smaller one, degrees.

    Attributes:
        offset_s: to be added to the stamps of the ground truth.
    """

    error_deg: float
    smaller_deg: float
    offset_s: float = 0.0


def better_offset(turns: Sequence[EstimatedRotation], truth: Trajectory) -> BetterFit | None:
    """Return the offset of the clock with which a truth fits clearly better, or None."""
    chosen = _chosen(turns)
    now = median_error(chosen, truth)
    if now is None:
        return None
    best, least = 0.0, np.inf
    for reach, step in ((_FARTHEST, _COARSE), (_COARSE, _FINE)):
        # The median says how good an offset is; the squares, without the worst, where between two it lies.
        for offset in best + np.arange(-reach, reach + 0.5 * step, step):
            errors = _errors(chosen, truth, float(offset))
            cost = np.inf if len(errors) < _FEWEST else float((np.minimum(errors, 3.0 * now) ** 2).mean())
            if cost < least:
                best, least = float(offset), cost
    found = median_error(chosen, truth, best)
    if found is None or abs(best) < _LEAST_OFFSET or not _clearly(found, now, _BETTER_OFFSET):
        return None
    return BetterFit(now, found, round(best, 3))


def better_order(turns: Sequence[EstimatedRotation], truth: Trajectory) -> BetterFit | None:
    """Return by how much a truth fits better with its quaternions read as w x y z, or None."""
    chosen = _chosen(turns)
    now, other = median_error(chosen, truth), median_error(chosen, reordered(truth))
    if now is None or other is None or not _clearly(other, now, _BETTER_ORDER):
        return None
    return BetterFit(now, other)


def reordered(truth: Trajectory) -> Trajectory:
    """Return a truth whose quaternions, read as x y z w, were meant as w x y z."""
    poses = truth.poses.copy()
    poses[:, :3, :3] = rotations_from_quaternions(truth.quaternions[:, [1, 2, 3, 0]])
    return replace(truth, poses=poses)


def median_error(
    turns: Sequence[EstimatedRotation], truth: Trajectory, offset_s: float = 0.0
) -> float | None:
    """Return the median of the rotation errors, degrees; None where too few can be judged."""
    errors = _errors(turns, truth, offset_s)
    return None if len(errors) < _FEWEST else float(np.median(errors))


def _errors(turns: Sequence[EstimatedRotation], truth: Trajectory, offset_s: float) -> Array:
    """Return the rotation errors, degrees, of those that have ground truth."""
    shift = round(1e9 * offset_s)
    first, known = truth.at([turn.reference_ns - shift for turn in turns])
    second, there = truth.at([turn.stamp_ns - shift for turn in turns])
    both = known & there
    estimated = np.array([turn.rotation for turn in turns]).reshape(-1, 3, 3)[both]
    true = first[both, :3, :3].transpose(0, 2, 1) @ second[both, :3, :3]
    traces = np.einsum("nij,nij->n", estimated, true)
    # By the distance of the matrices, which tells small angles that the cosine rounds away.
    distance = np.sqrt(np.maximum(6.0 - 2.0 * traces, 0.0) / 8.0)
    errors: Array = np.degrees(2.0 * np.arcsin(np.minimum(distance, 1.0)))
    return errors


def _chosen(turns: Sequence[EstimatedRotation]) -> Sequence[EstimatedRotation]:
    return turns[:: max(1, -(-len(turns) // _MOST))]


def _clearly(smaller: float, error: float, limits: tuple[float, float]) -> bool:
    part, degrees = limits
    return smaller <= part * error and error - smaller >= degrees
