# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""How right the geometry of two views is, and how well it knows that, over synthetic motions."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from drcn_ros.benchmarks.point_pairs import CAMERA, REGIMES, Disturbance, PointPair, point_pair
from drcn_ros.geometry.config import TwoViewConfig
from drcn_ros.geometry.rotation import rotation_vector, tangent_basis
from drcn_ros.geometry.selection import Model
from drcn_ros.geometry.two_view import TwoView, estimate_two_view
from drcn_ros.geometry.types import Array, RelativePose

_EXPECTED = {"rotation": Model.ROTATION, "standing": Model.IDENTITY}


@dataclass(frozen=True)
class RegimeReport:
    """What was found over many motions of one kind.

    Attributes:
        regime: kind of motion.
        right: part of the pairs whose model is the true one.
        rotation_deg, direction_deg: medians of the errors; direction None without translation.
        squared_error: mean of the normalised squared error with five degrees of freedom, or None.
        interval: where that mean lies in 95 of 100 cases when the covariance is right.
        milliseconds: processor time of a pair, median.
    """

    regime: str
    right: float
    rotation_deg: float
    direction_deg: float | None
    squared_error: float | None
    interval: tuple[float, float] | None
    milliseconds: float


def run_geometry_benchmark(
    motions: int, matches: int, disturbance: Disturbance, config: TwoViewConfig
) -> Iterator[RegimeReport]:
    """Yield a report for each kind of motion, over `motions` pairs of `matches` matches each."""
    for regime in REGIMES:
        pairs = (point_pair(regime, seed, matches, disturbance) for seed in range(motions))
        yield _report(regime, list(pairs), config)


def _report(regime: str, pairs: list[PointPair], config: TwoViewConfig) -> RegimeReport:
    right, turns, directions, squares, times = 0, [], [], [], []
    for pair in pairs:
        begin = time.process_time()
        found = estimate_two_view(pair.reference_points, pair.current_points, CAMERA, config)
        times.append(1e3 * (time.process_time() - begin))
        right += found.model is _EXPECTED.get(regime, Model.GENERAL)
        if found.rotation is not None:
            turns.append(np.degrees(np.linalg.norm(rotation_vector(found.rotation.T @ pair.rotation))))
        if found.pose is not None and regime not in _EXPECTED:
            error = pose_error(found.pose, pair.rotation, pair.translation)
            directions.append(np.degrees(np.linalg.norm(error[3:])))
            squares.append(_normalised(error, found))
    spread = 1.96 * np.sqrt(2.0 * 5.0 / max(len(squares), 1))
    return RegimeReport(
        regime=regime,
        right=right / max(len(pairs), 1),
        rotation_deg=float(np.median(turns)) if turns else float("nan"),
        direction_deg=float(np.median(directions)) if directions else None,
        squared_error=float(np.mean(squares)) if squares else None,
        interval=(5.0 - float(spread), 5.0 + float(spread)) if squares else None,
        milliseconds=float(np.median(times)),
    )


def pose_error(pose: RelativePose, rotation: Array, translation: Array) -> Array:
    """Return the error (5,) of a pose: rotation vector about the reference axes, tangent of the direction."""
    truth = translation / np.linalg.norm(translation)
    tangent = tangent_basis(pose.translation).T @ truth
    angle = float(np.arccos(np.clip(pose.translation @ truth, -1.0, 1.0)))
    tangent *= angle / max(float(np.linalg.norm(tangent)), 1e-12)
    return np.append(rotation_vector(rotation @ pose.rotation.T), tangent)


def _normalised(error: Array, found: TwoView) -> float:
    assert found.pose is not None
    reduce = np.zeros((5, 6))
    reduce[:3, 3:] = np.eye(3)
    reduce[3:, :3] = tangent_basis(found.pose.translation).T
    covariance = reduce @ found.pose.covariance @ reduce.T
    return float(error @ np.linalg.solve(covariance, error))
