# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Accuracy of matchers on pairs of images with known geometry, with one estimator for all of them."""

from __future__ import annotations

import dataclasses
import time
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np

from drcn_ros.evaluation.accuracy import (
    FAILED,
    THRESHOLDS,
    area_under_curve,
    direction_error,
    interval,
    rotation_error,
)
from drcn_ros.evaluation.corruptions import corrupt
from drcn_ros.evaluation.image_pairs import ImagePair, PairSet
from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.config import TwoViewConfig
from drcn_ros.geometry.rotation import cross_matrix
from drcn_ros.geometry.two_view import estimate_two_view
from drcn_ros.geometry.types import Array
from drcn_ros.matching.base import Matcher
from drcn_ros.matching.types import Features, Matches

# A match counts as found within this many pixels of the truth; scores are calibrated against it.
_FOUND_PX = 3.0
BINS = 10


@dataclass(frozen=True)
class _Extracted:
    features: Features
    seconds: float


@dataclass(frozen=True)
class PairResult:
    """What one pair gave.

    Attributes:
        rotation, direction: (seeds,) errors, degrees; for views of a plane both are the mean distance of
            the corners mapped by the estimated and the true homography, pixels.
        distances: (M,) distance of each match to its epipolar line or true position, pixels.
        scores: (M,) of the matches.
        seconds: of extracting one image and matching.
    """

    rotation: Array
    direction: Array
    distances: Array
    scores: Array
    seconds: float

    @property
    def worst(self) -> Array:
        """(seeds,) larger one of both errors."""
        return np.maximum(self.rotation, self.direction)


def run_pairs(
    matcher: Matcher[Any],
    pairs: PairSet,
    corruption: str = "",
    seeds: int = 1,
    two_view: TwoViewConfig | None = None,
) -> list[PairResult]:
    """Return the result of each pair.

    Args:
        matcher: what is judged.
        pairs: what it is judged on.
        corruption: done to all images, see `corruptions.corrupt`.
        seeds: runs of the estimator per pair.
        two_view: the estimator; its seed is replaced.
    """
    estimators = [dataclasses.replace(two_view or TwoViewConfig(), seed=seed) for seed in range(seeds)]
    uses = Counter(name for pair in pairs.pairs for name in (pair.reference, pair.current))
    extracted: dict[str, _Extracted] = {}
    results = []
    for pair in pairs.pairs:
        names = pair.reference, pair.current
        for name in names:
            if name not in extracted:
                # The noise of an image must not depend on the pair that asks for it first.
                image = corrupt(pair.load(name), corruption, seed=zlib.crc32(name.encode()))
                start = time.perf_counter()
                extracted[name] = _Extracted(matcher.extract(image), time.perf_counter() - start)
        reference, current = (extracted[name] for name in names)
        start = time.perf_counter()
        matches = matcher.match(reference.features, current.features)
        seconds = current.seconds + time.perf_counter() - start
        results.append(_judge(pair, matches, seconds, reference.features.size, estimators))
        uses.subtract(names)
        for name in names:
            if not uses[name]:
                extracted.pop(name, None)
    return results


def summarise(results: Sequence[PairResult]) -> dict[str, Any]:
    """Return the numbers of a set of pairs as they are written to JSON.

    Keys: `auc` and `auc_interval` by threshold, `rotation_deg` and `direction_deg` (medians), `within_1px`,
    `within_3px` (mean shares of matches), `matches` (median number), `pairs`, `ms` (median), `calibration`
    (per tenth of score: number of matches and share found within 3 px).
    """
    worst = np.stack([result.worst for result in results])
    curves = {
        str(threshold): interval(worst, partial(area_under_curve, threshold=threshold))
        for threshold in THRESHOLDS
    }
    scores = np.concatenate([result.scores for result in results])
    found = np.concatenate([result.distances for result in results]) < _FOUND_PX
    slot = np.clip((scores * BINS).astype(int), 0, BINS - 1)
    counts = np.bincount(slot, minlength=BINS)
    hits = np.bincount(slot, found, minlength=BINS)
    return {
        "auc": {name: curve.value for name, curve in curves.items()},
        "auc_interval": {name: [curve.low, curve.high] for name, curve in curves.items()},
        "rotation_deg": float(np.median([result.rotation for result in results])),
        "direction_deg": float(np.median([result.direction for result in results])),
        "within_1px": _share(results, 1.0),
        "within_3px": _share(results, 3.0),
        "matches": float(np.median([len(result.scores) for result in results])),
        "pairs": len(results),
        "ms": 1e3 * float(np.median([result.seconds for result in results])),
        "calibration": {
            "matches": counts.tolist(),
            "found": [float(hit / max(1, count)) for hit, count in zip(hits, counts, strict=True)],
        },
    }


def _share(results: Sequence[PairResult], distance: float) -> float:
    shares = [float(np.mean(result.distances < distance)) for result in results if len(result.distances)]
    return float(np.mean(shares)) if shares else 0.0


def _judge(
    pair: ImagePair,
    matches: Matches,
    seconds: float,
    size: tuple[int, int],
    estimators: Sequence[TwoViewConfig],
) -> PairResult:
    reference = matches.reference_points.astype(np.float64)
    current = matches.current_points.astype(np.float64)
    scores = matches.scores.astype(np.float64)
    if pair.homography is not None:
        error = np.full(len(estimators), _corner_error(reference, current, pair.homography, size))
        distances = np.linalg.norm(_mapped(pair.homography, reference) - current, axis=1)
        return PairResult(error, error, distances, scores, seconds)
    assert pair.camera is not None
    assert pair.pose is not None
    rotation, direction = np.full(len(estimators), FAILED), np.full(len(estimators), FAILED)
    for run, estimator in enumerate(estimators):
        found = estimate_two_view(reference, current, pair.camera, estimator).pose
        if found is not None:
            rotation[run] = rotation_error(found.rotation, pair.pose[:3, :3])
            direction[run] = direction_error(found.translation, pair.pose[:3, 3])
    distances = _distances(reference, current, pair.camera, pair.pose)
    return PairResult(rotation, direction, distances, scores, seconds)


def _distances(reference: Array, current: Array, camera: Camera, pose: Array) -> Array:
    """Return the Sampson distances (M,) of matches under the true pose, pixels; infinite without a ray.

    Hartley and Zisserman, section 11.4.3, on normalised coordinates, times the focal length.
    """
    ones = np.ones((len(reference), 1))
    first, second = (np.hstack([camera.normalise(points), ones]) for points in (reference, current))
    essential = cross_matrix(pose[:3, 3]) @ pose[:3, :3]
    in_first, in_second = second @ essential.T, first @ essential
    squared = (in_first[:, :2] ** 2).sum(axis=1) + (in_second[:, :2] ** 2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        distances = camera.mean_focal * np.abs((first * in_first).sum(axis=1)) / np.sqrt(squared)
    return np.where(np.isfinite(distances), distances, np.inf)


def _corner_error(reference: Array, current: Array, truth: Array, size: tuple[int, int]) -> float:
    """Return the mean distance of the mapped image corners, pixels."""
    if len(reference) < 4:
        return FAILED
    estimate, _ = cv2.findHomography(
        reference, current, cv2.USAC_MAGSAC, 1.0, maxIters=2000, confidence=0.9999
    )
    found: Any = estimate
    if found is None:
        return FAILED
    right, bottom = size[0] - 1.0, size[1] - 1.0
    corners = np.array([[0.0, 0.0], [right, 0.0], [right, bottom], [0.0, bottom]])
    distance = np.linalg.norm(
        _mapped(np.asarray(found, np.float64), corners) - _mapped(truth, corners), axis=1
    ).mean()
    return min(float(distance), FAILED)


def _mapped(homography: Array, points: Array) -> Array:
    mapped = points @ homography[:, :2].T + homography[:, 2]
    result: Array = mapped[:, :2] / mapped[:, 2:]
    return result
