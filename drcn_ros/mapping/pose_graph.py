# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The pose graph in GTSAM: a similarity for each keyframe, so that the scale may drift along the path.

A keyframe's similarity maps its camera, in the unit that the odometry had there, into the map. Steps of the
odometry join neighbours; loops join places that are seen again. Steps are trusted; which loops hold is found
by graduated non-convexity (Yang et al., RA-L 2020) as GTSAM has it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from drcn_ros.geometry.similarity import Similarity
from drcn_ros.geometry.types import Array
from drcn_ros.mapping.gtsam_library import load_gtsam
from drcn_ros.mapping.types import Loop

# Deviations that hold the first keyframe in its place.
_FIXED = 1e-6
# Probability with which a true loop is kept.
_INLIER_PROBABILITY = 0.999
# Of graduated non-convexity: growth of the control parameter, and steps of the solver at each value.
_GROWTH, _SOLVER_STEPS = 3.0, 2


class PoseGraph:
    """Keyframes, steps between them, and loops.

    Raises:
        MissingDependencyError: GTSAM is not installed.
    """

    def __init__(self) -> None:
        self._gtsam = load_gtsam()
        self._steps = self._gtsam.NonlinearFactorGraph()
        self._measured: list[tuple[Similarity, Array]] = []
        self._estimates: list[Similarity] = []
        self._loops: list[Loop] = []
        self._holds: list[bool] = []

    @property
    def estimates(self) -> list[Similarity]:
        """S_map_keyframe of each keyframe."""
        return self._estimates

    @property
    def steps(self) -> list[tuple[Similarity, Array]]:
        """The step to each keyframe but the first, and its covariance."""
        return self._measured

    @property
    def loops(self) -> list[Loop]:
        """All loops, also those that do not hold."""
        return self._loops

    @property
    def holds(self) -> list[bool]:
        """Whether each loop agrees with the odometry and the other loops."""
        return self._holds

    def begin(self, place: Similarity) -> None:
        """Add the first keyframe, which stays where it is."""
        noise = self._gtsam.noiseModel.Isotropic.Sigma(7, _FIXED)
        self._steps.add(self._gtsam.PriorFactorSimilarity3(0, self._native(place), noise))
        self._estimates.append(place)

    def follow(self, step: Similarity, covariance: Array) -> None:
        """Add a keyframe at a step from the one before.

        Args:
            step: S_before_keyframe.
            covariance: (7, 7), as in `Loop`.
        """
        last = len(self._estimates) - 1
        self._steps.add(self._between(last, last + 1, step, covariance))
        self._measured.append((step, covariance))
        self._estimates.append(self._estimates[last] @ step)

    def close(self, loop: Loop) -> None:
        """Add a loop; it counts from the next `optimise` on."""
        self._loops.append(loop)
        self._holds.append(False)

    def restore(self, estimates: list[Similarity], holds: list[bool]) -> None:
        """Put keyframes and loops, which were added before, back where an earlier run had found them."""
        self._estimates, self._holds = list(estimates), list(holds)

    def place(self, estimates: list[Similarity]) -> None:
        """Let the next `optimise` start from other places of all keyframes."""
        self._estimates = list(estimates)

    def optimise(self) -> None:
        """Find the places that agree best with all steps and with the loops that hold."""
        gtsam, graph, values = self._gtsam, self._gtsam.NonlinearFactorGraph(), self._gtsam.Values()
        graph.push_back(self._steps)
        for loop in self._loops:
            graph.add(self._between(loop.first, loop.second, loop.similarity, loop.covariance))
        for number, place in enumerate(self._estimates):
            values.insert(number, self._native(place))
        solver = gtsam.LevenbergMarquardtParams()
        solver.setMaxIterations(_SOLVER_STEPS)
        parameters = gtsam.GncLMParams(solver)
        parameters.setLambdaStep(_GROWTH)
        parameters.setKnownInliers(list(range(self._steps.size())))
        optimiser = gtsam.GncLMOptimizer(graph, values, parameters)
        optimiser.setInlierCostThresholdsAtProbability(_INLIER_PROBABILITY)
        found = optimiser.optimize()
        weights = np.asarray(optimiser.getWeights())[self._steps.size() :]
        self._holds = [bool(weight > 0.5) for weight in weights]
        self._estimates = [_from_native(found.atSimilarity3(n)) for n in range(len(self._estimates))]

    def _between(self, first: int, second: int, measured: Similarity, covariance: Array) -> Any:
        noise = self._gtsam.noiseModel.Gaussian.Covariance(_tangent(measured, covariance))
        return self._gtsam.BetweenFactorSimilarity3(first, second, self._native(measured), noise)

    def _native(self, place: Similarity) -> Any:
        # GTSAM's similarity is x -> s (R x + t).
        return self._gtsam.Similarity3(place.rotation, place.translation / place.scale, place.scale)


def _from_native(place: Any) -> Similarity:
    scale = float(place.scale())
    return Similarity(place.rotation().matrix(), scale * np.asarray(place.translation()), scale)


def _tangent(measured: Similarity, covariance: Array) -> Array:
    """Return a covariance about the axes of the second camera in GTSAM's order, rotation first, scale last.

    With S = S_measured Exp(w, v, l) the centre moves by d = s R v and the axes turn by r = R w.
    """
    turned = measured.rotation.T
    jacobian = np.zeros((7, 7))
    jacobian[:3, 3:6] = turned
    jacobian[3:6, :3] = turned / measured.scale
    jacobian[6, 6] = 1.0
    result = jacobian @ covariance @ jacobian.T
    symmetric: Array = 0.5 * (result + result.T)
    return symmetric
