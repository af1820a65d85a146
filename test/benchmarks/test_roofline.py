# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from drcn_ros.benchmarks.roofline import Ceilings, Work, count_work, measure_ceilings


def test_products_and_traffic_are_counted():
    left, right = torch.ones(30, 40), torch.ones(40, 50)
    work = count_work(lambda: left @ right)
    assert work.gflop == pytest.approx(2 * 30 * 40 * 50 / 1e9)
    assert work.mbyte == pytest.approx(4 * (30 * 40 + 40 * 50 + 30 * 50) / 1e6)


def test_a_view_moves_nothing_and_a_copy_reads_and_writes():
    values = torch.ones(100, 10)
    assert count_work(lambda: values.T[:5]).mbyte == 0
    assert count_work(lambda: values.clone()).mbyte == pytest.approx(2 * 4 * 1000 / 1e6)


def test_the_longer_of_arithmetic_and_traffic_is_the_limit():
    ceilings = Ceilings(gflop_per_s=100.0, gbyte_per_s=10.0)
    assert ceilings.least_ms(Work(gflop=2.0, mbyte=50.0)) == pytest.approx(20.0)
    assert ceilings.least_ms(Work(gflop=1.0, mbyte=500.0)) == pytest.approx(50.0)


@pytest.mark.slow
def test_a_device_has_ceilings():
    ceilings = measure_ceilings(torch.device("cpu"), torch.float32)
    assert ceilings.gflop_per_s > 0
    assert ceilings.gbyte_per_s > 0
