# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Images of more than 8 bits keep their contrast, and their brightness from one to the next."""

from __future__ import annotations

import numpy as np
import pytest

from drcn_ros.foreign.value_range import ValueRange

# Smooth, so that rounding is all that is lost.
_ROWS, _COLUMNS = np.mgrid[0:120, 0:160]
PICTURE = 0.5 + 0.25 * np.sin(0.06 * _ROWS) + 0.25 * np.cos(0.05 * _COLUMNS)


def of(low: float, high: float) -> np.ndarray:
    return np.rint(low + (high - low) * PICTURE).astype(np.uint16)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_the_bits_in_use_are_found(bits: int) -> None:
    top = 2**bits - 1
    image = ValueRange().to_eight_bits(of(0, top))
    assert np.abs(image - 255.0 * of(0, top) / top).max() <= 0.5 + 1e-6


def test_a_thermal_image_is_spread_by_its_own_values() -> None:
    # Hundredths of a kelvin around 20 degrees.
    image = ValueRange().to_eight_bits(of(29000, 29600))
    assert np.ptp(image) > 140
    assert image.min() > 0
    assert image.max() < 255


def test_brightness_does_not_change_while_values_stay_in_range() -> None:
    values = ValueRange()
    base = of(29000, 29600)
    first = values.to_eight_bits(base)
    hotter = base.copy()
    hotter[:10, :10] += 100
    for _ in range(50):
        again = values.to_eight_bits(hotter)
        assert np.array_equal(again[10:], first[10:])


def test_hot_and_dead_pixels_count_for_nothing() -> None:
    image = of(29000, 29600)
    spotted = image.copy()
    spotted[3, 3], spotted[9, 9] = 65535, 0
    assert np.array_equal(ValueRange().to_eight_bits(spotted)[20:], ValueRange().to_eight_bits(image)[20:])
    assert ValueRange().to_eight_bits(spotted)[3, 3] == 255
    assert ValueRange().to_eight_bits(spotted)[9, 9] == 0


def test_the_range_follows_values_that_leave_it_and_those_that_use_little_of_it_for_long() -> None:
    values = ValueRange()
    values.to_eight_bits(of(0, 4095))
    dim = of(0, 300)
    faces = [int(np.ptp(values.to_eight_bits(dim))) for _ in range(40)]
    assert faces[0] < 25
    assert faces[20] == faces[0]
    assert faces[-1] > 70
    bright = values.to_eight_bits(of(0, 60000))
    assert np.abs(bright - 255.0 * of(0, 60000) / 65535).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("top", [1.0, 255.0])
def test_floats_are_scaled_by_one_or_by_255(top: float) -> None:
    image = (top * PICTURE).astype(np.float32)
    assert np.abs(ValueRange().to_eight_bits(image) - 255.0 * PICTURE).max() <= 0.51


def test_floats_of_any_unit_are_spread_and_nan_is_black() -> None:
    image = (1e5 + 40.0 * PICTURE).astype(np.float32)
    image[0, 0] = np.nan
    image[0, 1] = np.inf
    found = ValueRange().to_eight_bits(image)
    assert found[0, 0] == 0
    assert found[0, 1] == 255
    assert np.ptp(found[1:]) > 30


def test_an_image_of_one_value_or_of_none_that_is_finite_is_even() -> None:
    constant, zero = np.full((9, 9), 300, np.uint16), np.zeros((9, 9), np.uint16)
    for image in (constant, zero, np.full((9, 9), np.nan, np.float32)):
        assert np.ptp(ValueRange().to_eight_bits(image)) == 0
