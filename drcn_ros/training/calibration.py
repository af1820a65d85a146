# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Fits what scores of matches mean, on generated pairs that no step of the training has seen."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import grid_sample

from drcn_ros.errors import ConfigurationError
from drcn_ros.evaluation.metrics.accuracy import FOUND_PX, reliability
from drcn_ros.geometry.types import Array
from drcn_ros.matching import create_matcher
from drcn_ros.matching.calibration import LEAST, entry_name, probability
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.types import Matches
from drcn_ros.networks.weight_file import WeightFile, write_own_file
from drcn_ros.networks.weights import read_weights
from drcn_ros.training.config import CalibrationConfig
from drcn_ros.training.pairs import PairBatch, PairSource

_METHODS = ("drcn", "anchored", "d2net")
# Pairs that are made together; a rendered room serves them all.
_BATCH = 4
# Tells the pairs from those of a training step with the same seed.
_STREAM = 2**32 - 1
# Weight, in matches, of the wish to leave scores as they are; decides where next to nothing was matched.
_PRIOR = 1.0
_ITERATIONS = 50
_LEAST_SLOPE = 0.05


@dataclasses.dataclass(frozen=True)
class Calibrated:
    """How one method's scores became probabilities.

    Attributes:
        name: the method, with or without refinement.
        slope, bias: of the logit of the score.
        matches: what they are fitted to.
        before, after: mean distance of score and share of right matches.
    """

    name: str
    slope: float
    bias: float
    matches: int
    before: float
    after: float

    def __str__(self) -> str:
        return (
            f"{self.name}: slope {self.slope:.3f}, bias {self.bias:.3f} from {self.matches} matches; "
            f"calibration error {self.before:.3f} -> {self.after:.3f}"
        )


def calibrate_file(path: Path, source: PairSource, config: CalibrationConfig, seed: int) -> list[Calibrated]:
    """Fit the scores of a weight file for the compact network, and write the result into it.

    Args:
        path: the file; tensors and notes stay as they are.
        source: makes the pairs.
        config: how many.
        seed: of the pairs.

    Raises:
        ConfigurationError: the file is for another network, or there are to be no pairs.
        WeightsError: the file is unusable or cannot be written.
    """
    if config.pairs == 0:
        msg = f"parameter calibration.pairs is 0: without pairs the scores of {path} cannot be calibrated"
        raise ConfigurationError(msg)
    content = read_weights(path)
    if content.architecture != "compact":
        msg = f"{path} is for {content.architecture}; scores are calibrated for the compact network"
        raise ConfigurationError(msg)
    with tempfile.TemporaryDirectory() as folder:
        uncalibrated = Path(folder) / "weights.safetensors"
        write_own_file(uncalibrated, _with_calibration(content, {}))
        judged = [_Judged(uncalibrated, method, config.keypoints) for method in _METHODS]
    for number in range(-(-config.pairs // _BATCH)):
        pairs = source.batch(_BATCH, np.random.default_rng([seed, _STREAM, number]))
        for method in judged:
            method.add(pairs)
    results = [result for method in judged for result in method.fitted()]
    write_own_file(path, _with_calibration(content, {fit.name: [fit.slope, fit.bias] for fit in results}))
    return results


def fit(scores: Array, right: NDArray[np.bool_]) -> tuple[float, float]:
    """Return slope and bias of the logit that make scores (N,) the most likely probabilities of `right`.

    Logistic regression (Platt, 1999) by Newton's method, drawn towards slope 1 and bias 0.
    """
    clamped = np.clip(scores, LEAST, 1 - LEAST)
    inputs = np.stack([np.log(clamped) - np.log1p(-clamped), np.ones(len(scores))], axis=1)
    start = np.array([1.0, 0.0])
    solution = start.copy()
    for _ in range(_ITERATIONS):
        found = 1 / (1 + np.exp(-np.clip(inputs @ solution, -50, 50)))
        gradient = inputs.T @ (found - right) + _PRIOR * (solution - start)
        curvature = (inputs * (found * (1 - found))[:, None]).T @ inputs + _PRIOR * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        solution = solution - np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-9:
            break
    return max(_LEAST_SLOPE, round(float(solution[0]), 4)), round(float(solution[1]), 4)


def _with_calibration(content: WeightFile, calibration: dict[str, list[float]]) -> WeightFile:
    return dataclasses.replace(content, config={**content.config, "calibration": calibration})


class _Judged:
    """A method, and what its matches with and without refinement turned out to be."""

    def __init__(self, weights: Path, method: str, keypoints: int) -> None:
        config = MatcherConfig(name=method, weights=str(weights), max_keypoints=keypoints)
        self._matcher = create_matcher(config)
        self._scores = {refine: [np.zeros(0)] for refine in (True, False)}
        self._right = {refine: [np.zeros(0, np.bool_)] for refine in (True, False)}

    def add(self, pairs: PairBatch) -> None:
        """Match the pairs and hold the matches against the truth."""
        matcher = self._matcher
        for first, second, positions in zip(pairs.first, pairs.second, pairs.positions, strict=True):
            features = [matcher.extract(_as_bytes(image)) for image in (first, second)]
            for refine, scores in self._scores.items():
                matcher.config = dataclasses.replace(matcher.config, refine=refine)
                matches = matcher.match(*features)
                scores.append(matches.scores.astype(np.float64))
                self._right[refine].append(_distances(matches, positions) < FOUND_PX)

    def fitted(self) -> Iterator[Calibrated]:
        """Yield what makes the scores probabilities, with refinement and without."""
        for refine in (True, False):
            scores, right = np.concatenate(self._scores[refine]), np.concatenate(self._right[refine])
            slope, bias = fit(scores, right)
            mapped = probability(torch.from_numpy(scores), slope, bias).numpy()
            before, after = (reliability(values, right).error for values in (scores, mapped))
            name = entry_name(self._matcher.name, refine)
            yield Calibrated(name, slope, bias, len(scores), before, after)


def _as_bytes(image: torch.Tensor) -> NDArray[np.uint8]:
    return np.asarray((255 * image[0].clamp(0, 1)).round().byte().cpu().numpy(), np.uint8)


def _distances(matches: Matches, positions: torch.Tensor) -> Array:
    """Return the distances (M,) of reference points from where the current points (S, S, 2) truly are."""
    size = positions.shape[0]
    places = torch.from_numpy(matches.current_points).to(positions.device)
    grid = (2 * places + 1) / size - 1
    true = grid_sample(positions.permute(2, 0, 1)[None], grid[None, None], align_corners=False)[0, :, 0].T
    return np.asarray(np.linalg.norm(true.cpu().numpy() - matches.reference_points, axis=1), np.float64)
