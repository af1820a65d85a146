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

import numpy as np

from drcn_ros.benchmarks.accuracy.corruptions import corrupt
from drcn_ros.benchmarks.accuracy.pair_judge import PairResult, judge_pair
from drcn_ros.benchmarks.image_pairs import PairSet
from drcn_ros.evaluation.metrics.accuracy import FOUND_PX, THRESHOLDS, area_under_curve, interval, reliability
from drcn_ros.geometry.config import TwoViewConfig
from drcn_ros.geometry.types import Array
from drcn_ros.matching.base import Matcher
from drcn_ros.matching.types import Features

# A homography counts as right with its corners within so many pixels (HPatches, Balntas et al. 2017).
_CORNER_PX = (1, 3, 5)


@dataclass(frozen=True)
class _Extracted:
    features: Features
    seconds: float


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
        results.append(judge_pair(pair, (reference.features, current.features), matches, seconds, estimators))
        uses.subtract(names)
        for name in names:
            if not uses[name]:
                extracted.pop(name, None)
    return results


def summarise(results: Sequence[PairResult]) -> dict[str, Any]:
    """Return the numbers of a set of pairs as they are written to JSON.

    Keys: `auc` and `auc_interval` by threshold, `curve` (share of errors below 1, 2, ... degrees or pixels),
    `rotation_deg` and `direction_deg` (medians; None for views of a plane), `within_1px`, `within_3px` (mean
    shares of matches), `matches` (median number), `pairs`, `ms` (median), `calibration` (per tenth of score:
    number of matches, mean score and share found within 3 px; and their mean distance, `error`). Views of a
    plane add `homography` (share of pairs whose corners lie within 1, 3, 5 px in the mean) and
    `repeatability` (mean; None without keypoints).
    """
    errors = np.stack([result.error for result in results])
    curves = {
        str(threshold): interval(errors, partial(area_under_curve, threshold=threshold))
        for threshold in THRESHOLDS
    }
    summary = {
        "auc": {name: curve.value for name, curve in curves.items()},
        "auc_interval": {name: [curve.low, curve.high] for name, curve in curves.items()},
        "curve": [float(np.mean(errors < limit)) for limit in range(1, THRESHOLDS[-1] + 1)],
        "rotation_deg": _median([result.rotation for result in results]),
        "direction_deg": _median([result.direction for result in results]),
        "within_1px": _share(results, 1.0),
        "within_3px": _share(results, 3.0),
        "matches": float(np.median([len(result.scores) for result in results])),
        "pairs": len(results),
        "ms": 1e3 * float(np.median([result.seconds for result in results])),
        "calibration": _calibration(results),
    }
    if results[0].rotation is None:
        repeated = [result.repeatability for result in results if result.repeatability is not None]
        summary["homography"] = {str(limit): float(np.mean(errors <= limit)) for limit in _CORNER_PX}
        summary["repeatability"] = float(np.mean(repeated)) if repeated else None
    return summary


def _median(errors: Sequence[Array | None]) -> float | None:
    known = [error for error in errors if error is not None]
    return float(np.median(known)) if known else None


def _calibration(results: Sequence[PairResult]) -> dict[str, Any]:
    scores = np.concatenate([result.scores for result in results])
    found = np.concatenate([result.distances for result in results]) < FOUND_PX
    told = reliability(scores, found)
    return {
        "matches": told.matches.tolist(),
        "score": told.score.tolist(),
        "found": told.found.tolist(),
        "error": told.error,
    }


def _share(results: Sequence[PairResult], distance: float) -> float:
    shares = [float(np.mean(result.distances < distance)) for result in results if len(result.distances)]
    return float(np.mean(shares)) if shares else 0.0
