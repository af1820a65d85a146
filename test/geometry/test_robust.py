# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The noise of matches is found among their mistakes."""

from __future__ import annotations

import numpy as np
import pytest

from drcn_ros.geometry.robust import noise_scale


@pytest.mark.parametrize("deviation", [0.1, 0.5, 2.0])
@pytest.mark.parametrize("wrong", [0.0, 0.5])
def test_the_noise_is_found_among_wrong_matches(deviation, wrong):
    rng = np.random.default_rng(0)
    good = rng.normal(0.0, deviation, 4000)
    bad = rng.uniform(-60.0, 60.0, int(4000 * wrong / (1.0 - wrong)))
    assert noise_scale(np.append(good, bad), 1.0) == pytest.approx(deviation, rel=0.06)


def test_a_histogram_serves_as_well_as_the_residuals_themselves():
    residuals = np.random.default_rng(1).normal(0.0, 0.4, 3000)
    assert noise_scale(residuals, 0.4) == pytest.approx(residuals.std(), rel=0.01)


def test_what_is_no_number_or_far_off_counts_for_nothing():
    residuals = np.array([np.nan, np.inf, -np.inf, 1e30, 0.3, -0.3])
    assert noise_scale(residuals, 0.7) == 0.7
