# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The covariance of a pose for residuals and derivatives as they may come."""

from __future__ import annotations

import numpy as np
import pytest

from drcn_ros.geometry.covariance import pose_covariance
from drcn_ros.geometry.refinement import EpipolarFit

COUNT = 2000


def fit(residuals: np.ndarray, jacobian: np.ndarray) -> EpipolarFit:
    everything = np.ones(residuals.shape, bool)
    return EpipolarFit(np.eye(3), np.array([1.0, 0.0, 0.0]), 0.5, residuals, jacobian, everything)


@pytest.fixture
def jacobian() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(5, COUNT))


def test_with_normal_noise_the_robust_loss_costs_some_of_what_least_squares_would_have(jacobian):
    residuals = np.random.default_rng(1).normal(0.0, 0.5, COUNT).clip(-1.5, 1.5)
    covariance = pose_covariance(fit(residuals, jacobian))
    assert covariance is not None
    least = np.linalg.inv(jacobian @ jacobian.T) * 0.5**2
    assert 1.2 < np.trace(covariance) / np.trace(least) < 1.5


def test_matches_that_are_exact_have_a_finite_one(jacobian):
    covariance = pose_covariance(fit(np.zeros(COUNT), jacobian))
    assert covariance is not None
    assert np.abs(covariance).max() < 1e-12


def test_there_is_none_where_the_matches_leave_a_parameter_open(jacobian):
    jacobian[4] = jacobian[3]
    assert pose_covariance(fit(np.full(COUNT, 0.1), jacobian)) is None
