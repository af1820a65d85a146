# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""How long something takes, by the clock and in the processor."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True)
class Seconds:
    """Duration: by the clock, and of all threads of the process, which other programs disturb less."""

    wall: float
    cpu: float

    def __add__(self, other: Seconds) -> Seconds:
        return Seconds(self.wall + other.wall, self.cpu + other.cpu)


def fastest(run: Callable[[], Result], repetitions: int) -> tuple[Seconds, Result]:
    """Return the shortest durations of some runs, at least one, and the last result."""
    wall = cpu = float("inf")
    for _ in range(max(1, repetitions)):
        start_wall, start_cpu = time.perf_counter(), time.process_time()
        result = run()
        wall = min(wall, time.perf_counter() - start_wall)
        cpu = min(cpu, time.process_time() - start_cpu)
    return Seconds(wall, cpu), result
