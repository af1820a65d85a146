# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""How scale and rotation wander over a run, which medians of single frames cannot show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drcn_ros.evaluation.metrics.pose_errors import angle_between_rotations
from drcn_ros.evaluation.metrics.summary import AlignedPaths, path_lengths
from drcn_ros.geometry.types import Array

PARTS = 10
# A piece is this share of the path or of the path's extent: longer than the tremble of a camera that stands.
_PIECE_OF_PATH, _PIECE_OF_EXTENT = 1 / 100, 1 / 20
# Rotation is told per 100 m, or per metre where the whole path is shorter than this, metres.
_SHORT_PATH = 20.0
_LONGEST_PART = 100.0
# How far from the wanted length a part may end, as a share of it.
_TOLERANCE = 0.1


@dataclass(frozen=True)
class Drift:
    """Scale and rotation along the true path, for the picture.

    Attributes:
        pieces_m: (P, 2) where each piece of the path begins and ends, metres along the true path.
        ratios: (P,) estimated over true length of each piece, over the median of the tenths.
        tenths: (10,) the same of each tenth of the pieces; empty where there are too few pieces.
        along_m: (N,) place of each frame along the true path, metres.
        rotation_deg: (N,) angle between estimated and true rotation since the first frame of the segment.
    """

    pieces_m: Array
    ratios: Array
    tenths: Array
    along_m: Array
    rotation_deg: Array


@dataclass(frozen=True)
class ScaleDrift:
    """Lengths of the estimated path over those of the true one by tenths of the run, over their median.

    Attributes:
        first, last: of the first and the last tenth.
        worst: the one furthest from 1, up or down; all three None where there are too few pieces.
    """

    first: float | None
    last: float | None
    worst: float | None


@dataclass(frozen=True)
class RotationDrift:
    """How much rotation goes wrong over a length of the true path.

    Attributes:
        value: mean of the parts' errors over their lengths, in `unit`, or None.
        unit: "deg/100 m", or "deg/m" of a path shorter than 20 m.
        part_m: length of the parts within a tenth, metres: 100, or half the path where that is shorter.
        parts: number of them, one from every frame on.
        mean_deg: mean error of the rotation between both ends.
    """

    value: float | None
    unit: str
    part_m: float | None
    parts: int
    mean_deg: float | None


def drift(paths: AlignedPaths, segments: Sequence[int] | NDArray[np.int64]) -> Drift:
    """Follow scale and rotation along the true path.

    Args:
        paths: estimated and true; without ground truth everything is empty.
        segments: (N,) number of the restart before each frame. What lies between two segments was not
            estimated and is left out.
    """
    numbers = np.asarray(segments, np.int64)
    along = path_lengths(paths.truth)
    pieces = _pieces(paths.truth[:, :3, 3], along, numbers)
    first, last = pieces.T
    estimated, true = (
        np.linalg.norm(poses[last, :3, 3] - poses[first, :3, 3], axis=1)
        for poses in (paths.estimate, paths.truth)
    )
    ratios, tenths = estimated / true, np.zeros(0)
    if len(pieces) >= PARTS:
        groups = np.array_split(np.arange(len(pieces)), PARTS)
        tenths = np.array([estimated[group].sum() / true[group].sum() for group in groups])
    # The unit of the estimate cancels, so that a path too straight for an alignment is judged too.
    unit = float(np.median(tenths if len(tenths) else ratios)) if len(ratios) else 0.0
    if unit <= 0.0:
        pieces, ratios, tenths, unit = pieces[:0], ratios[:0], tenths[:0], 1.0
    return Drift(along[pieces], ratios / unit, tenths / unit, along, _turned(paths, numbers))


def scale_drift(found: Drift) -> ScaleDrift:
    """Sum up the drift of the scale."""
    tenths = found.tenths
    if not len(tenths):
        return ScaleDrift(None, None, None)
    worst = np.argmax(np.abs(np.log(np.maximum(tenths, 1e-9))))
    return ScaleDrift(float(tenths[0]), float(tenths[-1]), float(tenths[worst]))


def rotation_drift(paths: AlignedPaths, segments: Sequence[int] | NDArray[np.int64]) -> RotationDrift:
    """Judge the rotation between the ends of equally long parts of the path; arguments as in `drift`."""
    numbers = np.asarray(segments, np.int64)
    along = path_lengths(paths.truth)
    length = float(along[-1]) if len(along) else 0.0
    unit = "deg/m" if length < _SHORT_PATH else "deg/100 m"
    if length <= 0.0 or not paths.oriented:
        return RotationDrift(None, unit, None, 0, None)
    part = min(_LONGEST_PART, length / 2)
    errors, lengths = [], []
    for first in range(len(along) - 1):
        beyond = np.abs(along[first + 1 :] - along[first] - part)
        last = first + 1 + int(np.argmin(beyond))
        if beyond[last - first - 1] <= _TOLERANCE * part and numbers[first] == numbers[last]:
            errors.append(_rotation_error(paths, first, last))
            lengths.append(float(along[last] - along[first]))
    if not errors:
        return RotationDrift(None, unit, part, 0, None)
    per_metre = float(np.mean(np.array(errors) / lengths))
    value = per_metre * (1.0 if length < _SHORT_PATH else 100.0)
    return RotationDrift(value, unit, part, len(errors), float(np.mean(errors)))


def _pieces(positions: Array, along: Array, segments: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first and last frame (P, 2) of pieces whose ends lie a certain distance apart."""
    if not len(positions) or along[-1] <= 0.0:
        return np.zeros((0, 2), np.int64)
    extent = float(np.linalg.norm(np.ptp(positions, axis=0)))
    apart = min(_PIECE_OF_PATH * float(along[-1]), _PIECE_OF_EXTENT * extent)
    pieces, first = [], 0
    for index in range(1, len(positions)):
        if segments[index] != segments[first]:
            first = index
        elif np.linalg.norm(positions[index] - positions[first]) >= apart:
            pieces.append((first, index))
            first = index
    return np.array(pieces, np.int64).reshape(-1, 2)


def _turned(paths: AlignedPaths, segments: NDArray[np.int64]) -> Array:
    """Return the error of the rotation (N,) since the first frame of each frame's segment, degrees."""
    if not paths.oriented:
        return np.full(len(paths.truth), np.nan)
    starts = np.searchsorted(segments, segments)
    return np.array(
        [_rotation_error(paths, int(start), index) for index, start in enumerate(starts[: len(paths.truth)])]
    )


def _rotation_error(paths: AlignedPaths, first: int, last: int) -> float:
    estimate, truth = (
        poses[first, :3, :3].T @ poses[last, :3, :3] for poses in (paths.estimate, paths.truth)
    )
    return angle_between_rotations(estimate, truth)
