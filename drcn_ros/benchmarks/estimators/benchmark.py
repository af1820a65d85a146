# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Estimators of the relative pose side by side, on the same matches of synthetic and recorded pairs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from drcn_ros.benchmarks.estimators.estimators import ESTIMATORS, Estimator
from drcn_ros.benchmarks.image_pairs import PairSet
from drcn_ros.benchmarks.point_pairs import CAMERA, TRANSLATING, Disturbance, point_pair
from drcn_ros.errors import InputError
from drcn_ros.evaluation.metrics.accuracy import FAILED, THRESHOLDS, area_under_curve
from drcn_ros.evaluation.metrics.pose_errors import angle_between, angle_between_rotations
from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.types import Array
from drcn_ros.matching.base import Matcher

# Independent noise, noise that neighbours share (pixels), part of wrong matches.
SYNTHETIC = (
    (0.2, 0.1, 0.1),
    (0.5, 0.3, 0.1),
    (0.5, 0.3, 0.4),
    (0.5, 0.3, 0.7),
    (1.5, 0.7, 0.1),
    (1.5, 0.7, 0.4),
    (1.5, 0.7, 0.7),
)


@dataclass(frozen=True)
class MatchedPair:
    """Matches of two views and the truth.

    Attributes:
        reference_points, current_points: (M, 2) pixels, best match first.
        camera: of both views.
        rotation, translation: true T_ref_cur, of any length.
    """

    reference_points: Array
    current_points: Array
    camera: Camera
    rotation: Array
    translation: Array


@dataclass(frozen=True)
class EstimatorReport:
    """What one estimator made of one set of pairs.

    Attributes:
        pairs: their name.
        estimator: its name.
        rotation_deg, direction_deg: medians of the errors; no pose counts as 180.
        auc: of the larger error, percent, by `THRESHOLDS`.
        milliseconds: processor time of a pair, median.
    """

    pairs: str
    estimator: str
    rotation_deg: float
    direction_deg: float
    auc: tuple[float, ...]
    milliseconds: float


def synthetic_pairs(
    noise: float, shared: float, outliers: float, motions: int, count: int
) -> list[MatchedPair]:
    """Return pairs of views of random points, `motions` of each kind of motion."""
    disturbance = Disturbance(noise, shared, outliers)
    pairs = (point_pair(kind, seed, count, disturbance) for kind in TRANSLATING for seed in range(motions))
    return [
        MatchedPair(pair.reference_points, pair.current_points, CAMERA, pair.rotation, pair.translation)
        for pair in pairs
    ]


def recorded_pairs(matcher: Matcher[Any], pairs: PairSet) -> list[MatchedPair]:
    """Return the matches of recorded pairs.

    Raises:
        InputError: the pairs are views of a plane, which have no camera.
    """
    found = []
    for pair in pairs.pairs:
        if pair.camera is None or pair.pose is None:
            msg = f"{pairs.name}: estimators are compared on pairs with a camera and poses, DIR@STEP"
            raise InputError(msg)
        matches = matcher.match(
            *(matcher.extract(pair.load(name)) for name in (pair.reference, pair.current))
        )
        points = matches.reference_points.astype(np.float64), matches.current_points.astype(np.float64)
        found.append(MatchedPair(*points, pair.camera, pair.pose[:3, :3], pair.pose[:3, 3]))
    return found


def compare_estimators(name: str, pairs: Sequence[MatchedPair]) -> Iterator[EstimatorReport]:
    """Yield the report of each estimator on the same pairs."""
    for title, estimate in ESTIMATORS.items():
        yield _report(name, title, estimate, pairs)


def _report(name: str, title: str, estimate: Estimator, pairs: Sequence[MatchedPair]) -> EstimatorReport:
    rotations, directions, times = [], [], []
    for pair in pairs:
        begin = time.process_time()
        pose = estimate(pair.reference_points, pair.current_points, pair.camera)
        times.append(1e3 * (time.process_time() - begin))
        known = pose is not None and np.isfinite(np.column_stack(pose)).all()
        rotations.append(angle_between_rotations(pose[0], pair.rotation) if known and pose else FAILED)
        directions.append(angle_between(pose[1], pair.translation) if known and pose else FAILED)
    larger = np.maximum(rotations, directions)
    return EstimatorReport(
        pairs=name,
        estimator=title,
        rotation_deg=float(np.median(rotations)),
        direction_deg=float(np.median(directions)),
        auc=tuple(area_under_curve(larger, limit) for limit in THRESHOLDS),
        milliseconds=float(np.median(times)),
    )
