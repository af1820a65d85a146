# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""How long something takes, by the clock and in the processor."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
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


@dataclass(frozen=True)
class Stage:
    """Duration of a stage on this project's route, and on the plain one where that was run."""

    name: str
    fast: Seconds
    plain: Seconds | None = None


def total(name: str, stages: Sequence[Stage]) -> Stage:
    """Return the sum of stages; of the plain route only where all were run on it."""
    nothing = Seconds(0.0, 0.0)
    plain = [stage.plain for stage in stages if stage.plain is not None]
    whole = sum(plain, nothing) if len(plain) == len(stages) else None
    return Stage(name, sum((stage.fast for stage in stages), nothing), whole)


def fastest(run: Callable[[], Result], repetitions: int) -> tuple[Seconds, Result]:
    """Return the shortest durations of some runs, at least one, and the last result."""
    wall = cpu = float("inf")
    for _ in range(max(1, repetitions)):
        start_wall, start_cpu = time.perf_counter(), time.process_time()
        result = run()
        wall = min(wall, time.perf_counter() - start_wall)
        cpu = min(cpu, time.process_time() - start_cpu)
    return Seconds(wall, cpu), result
