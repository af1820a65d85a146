# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""How much arithmetic and memory traffic a piece of work is, and how much of both a device can do."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

# Operands of the two measurements of a device: far larger than any cache.
_COPIED = 1 << 26
_SIDE = {"cpu": 2048, "cuda": 8192}
_RUNS = 3


@dataclass(frozen=True)
class Work:
    """What torch's operators do in one call.

    Attributes:
        gflop: 1e9 floating point operations of matrix products and convolutions; an addition and a
            multiplication are two.
        mbyte: 1e6 bytes that all operators read and write, each as if alone, what stays in a cache included.
    """

    gflop: float
    mbyte: float


@dataclass(frozen=True)
class Ceilings:
    """What a device reaches at best.

    Attributes:
        gflop_per_s: in a large matrix product.
        gbyte_per_s: read and written in a large copy.
    """

    gflop_per_s: float
    gbyte_per_s: float

    def least_ms(self, work: Work) -> float:
        """Return the shortest time that the work could take: the longer of its arithmetic and its traffic."""
        return max(work.gflop / self.gflop_per_s * 1e3, work.mbyte / self.gbyte_per_s)


def count_work(run: Callable[[], object]) -> Work:
    """Count what torch does in a call; what runs in other libraries is not seen."""
    flops, traffic = FlopCounterMode(display=False), _Traffic()
    with flops, traffic:
        run()
    return Work(flops.get_total_flops() / 1e9, traffic.bytes / 1e6)


def measure_ceilings(device: torch.device, dtype: torch.dtype) -> Ceilings:
    """Measure a device with torch's present number of threads."""
    side = _SIDE.get(device.type, 2048)
    left = torch.ones(side, side, device=device, dtype=dtype)
    product = torch.empty_like(left)
    source = torch.ones(_COPIED, device=device)
    target = torch.empty_like(source)
    multiplied = _shortest(lambda: torch.mm(left, left, out=product), device)
    copied = _shortest(lambda: target.copy_(source), device)
    return Ceilings(2e-9 * side**3 / multiplied, 2e-9 * source.nbytes / copied)


def synchronise(device: torch.device) -> None:
    """Wait until a device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def durations_s(run: Callable[[], object], device: torch.device, runs: int) -> list[float]:
    """Return the seconds that each run of a call took, until the device had done it."""
    durations = []
    for _ in range(runs):
        synchronise(device)
        start = time.perf_counter()
        run()
        synchronise(device)
        durations.append(time.perf_counter() - start)
    return durations


def _shortest(run: Callable[[], object], device: torch.device) -> float:
    run()
    return min(durations_s(run, device, _RUNS))


class _Traffic(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the bytes of what operators take and give; a view moves none."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.bytes = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if not func.is_view:
            self.bytes += sum(
                value.numel() * value.element_size()
                for value in tree_leaves((args, kwargs, result))
                if isinstance(value, torch.Tensor)
            )
        return result
