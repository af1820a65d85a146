# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from drcn_ros.mapping.motions import at_least, at_most


def test_a_step_whose_length_is_not_told_is_no_longer_than_half_as_much_again() -> None:
    along = np.array([0.6, 0.0, 0.8])
    told = np.diag([1e-4] * 3 + [1e-6] * 3)
    told[:3, :3] += 900.0 * np.outer(along, along)
    known = at_most(told, 2.0, 0.5)
    assert along @ known[:3, :3] @ along == pytest.approx(1.0, rel=0.01)
    # What is known well stays as it is.
    assert known[1, 1] == pytest.approx(1e-4, rel=0.01)
    assert known[3:, 3:] == pytest.approx(told[3:, 3:])
    assert np.linalg.eigvalsh(known)[0] > 0.0


def test_no_step_is_exact() -> None:
    assert np.sqrt(np.diag(at_least(np.zeros((6, 6)), 2.0, 0.01, 0.001))) == pytest.approx(
        [0.02] * 3 + [0.001] * 3
    )
