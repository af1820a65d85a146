# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Quaternions and rotations are two forms of the same thing."""

from __future__ import annotations

import numpy as np
import pytest

from drcn_ros.sequences.trajectories.quaternions import (
    quaternions_from_rotations,
    rotations_from_quaternions,
    slerp,
)


def unit_quaternions(count: int, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).standard_normal((count, 4))
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def test_there_and_back_keeps_every_digit():
    # Half turns about each axis are where careless formulas divide by zero.
    given = np.concatenate([unit_quaternions(200), np.eye(4), [[1, 1, 0, 0], [0, 1e-9, 0, 1]]])
    given = given / np.linalg.norm(given, axis=1, keepdims=True)
    back = quaternions_from_rotations(rotations_from_quaternions(given))
    signs = np.sign(np.sum(given * back, axis=1, keepdims=True))
    assert np.abs(given - signs * back).max() < 1e-15 * 10
    assert (back[:, 3] >= 0).all()


def test_the_order_is_x_y_z_w():
    quarter_about_z = np.array([[0, 0, np.sin(np.pi / 4), np.cos(np.pi / 4)]])
    assert rotations_from_quaternions(quarter_about_z)[0] == pytest.approx(
        np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]]), abs=1e-15
    )


def test_slerp_turns_at_a_constant_rate():
    start, end = np.array([[0.0, 0, 0, 1]]), np.array([[0, 0, np.sin(0.4), np.cos(0.4)]])
    quarter = slerp(start, end, np.array([0.25]))[0]
    assert quarter == pytest.approx([0, 0, np.sin(0.1), np.cos(0.1)])


def test_slerp_takes_the_short_way():
    start, end = np.array([[0.0, 0, 0, 1]]), -np.array([[0, 0, np.sin(0.1), np.cos(0.1)]])
    assert abs(slerp(start, end, np.array([0.5]))[0, 2]) == pytest.approx(np.sin(0.05))


def test_slerp_of_equal_rotations_is_that_rotation():
    given = unit_quaternions(3)
    assert slerp(given, given, np.full(3, 0.3)) == pytest.approx(given)
