# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from drcn_ros.ros.node.budget import SCALES, Budget, Measured

SIZE = (640, 480)
# A frame takes 100 ms at full size, in proportion to its pixels.
MEASURED = Measured(640 * 480, tuple(100.0 * scale**2 for scale in SCALES))


def run(budget: Budget, frames: int, load: float, size: tuple[int, int] = SIZE) -> list[float]:
    """Return the scales of frames that take `load` times what was measured."""
    scales = []
    for _ in range(frames):
        scales.append(budget.scale(size))
        part = size[0] * size[1] / MEASURED.pixels
        budget.add(scales[-1], load * 100.0 * part * scales[-1] ** 2)
    return scales


@pytest.mark.parametrize(("limit", "scale"), [(200, 1.0), (100, 0.8), (60, 0.64), (30, 0.5), (5, 0.4)])
def test_the_first_frame_has_the_size_that_was_measured_to_fit(limit: float, scale: float) -> None:
    assert Budget(limit, MEASURED).scale(SIZE) == scale


def test_a_larger_image_is_expected_to_take_longer_and_a_small_one_is_left_as_it_is() -> None:
    assert Budget(150.0, MEASURED).scale((1280, 960)) == 0.5
    assert Budget(1.0, MEASURED).scale((160, 120)) == 1.0


def test_under_load_images_become_as_small_as_needed_at_once() -> None:
    budget = Budget(130.0, MEASURED)
    assert run(budget, 10, load=1.0) == [1.0] * 10
    scales = run(budget, 12, load=3.0)
    assert scales[-1] == 0.5
    assert set(scales) == {1.0, 0.5}
    note = budget.take_note()
    assert note == "working at 0.5 of the image's size: frames took 300 ms, max_latency_ms is 130"
    assert budget.take_note() == ""


def test_when_the_load_goes_they_grow_again_step_by_step_and_not_at_once() -> None:
    budget = Budget(130.0, MEASURED)
    run(budget, 20, load=3.0)
    scales = run(budget, 200, load=0.5)
    assert scales[:25] == [0.5] * 25
    assert sorted(set(scales)) == [0.5, 0.64, 0.8, 1.0]
    assert scales == sorted(scales)


@pytest.mark.parametrize("load", [0.7, 1.0, 1.2, 1.5, 2.0, 2.5, 3.0])
def test_no_steady_load_lets_the_size_go_to_and_fro(load: float) -> None:
    budget = Budget(130.0, MEASURED)
    run(budget, 40, load)
    scales = run(budget, 400, load)
    assert scales == sorted(scales)
    assert load * 100.0 * scales[-1] ** 2 <= 130.0


def test_a_single_slow_frame_changes_nothing() -> None:
    budget = Budget(130.0, MEASURED)
    run(budget, 10, load=1.0)
    budget.add(1.0, 5000.0)
    assert run(budget, 10, load=1.0) == [1.0] * 10


def test_a_budget_that_cannot_be_kept_is_told() -> None:
    budget = Budget(10.0, MEASURED)
    assert budget.problem() == ""
    run(budget, 10, load=2.0)
    assert "frames take 32 ms at 0.4 of the image's size, max_latency_ms is 10" in budget.problem()
