# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""How many pairs a second a device trains on, and how many a second are made for it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import torch

from drcn_ros.benchmarks.gpu.parts import Row, Settings, attempt
from drcn_ros.benchmarks.roofline import synchronise
from drcn_ros.matching.base import to_grey
from drcn_ros.matching.device import choose_device
from drcn_ros.networks.compact import CompactConfig, CompactNetwork
from drcn_ros.scenes.photographs import PICTURES, photograph
from drcn_ros.training.batched_pairs import BatchedPhotographs
from drcn_ros.training.batched_rooms import BatchedRooms
from drcn_ros.training.config import DegradationConfig, LossConfig, PairConfig, PhotographConfig
from drcn_ros.training.objective import CompactObjective
from drcn_ros.training.pairs import PairBatch, PairSource, WarpedPhotographs
from drcn_ros.training.photographs import read_photographs
from drcn_ros.training.rooms import RenderedRooms

_BATCHES = (8, 32, 128, 256)
_SMALL_BATCHES = (2, 4)
_STEPS = 8
_WARM_UP = 3
# Pairs of which the larger batches are made up: what a step costs does not depend on what they show.
_DIFFERENT = 8
_MADE = 16


def rows(settings: Settings) -> Iterator[Row]:
    """Measure steps of growing batches with and without mixed precision, and the making of pairs."""
    device = choose_device(settings.device)
    torch.set_num_threads(1)
    size = 64 if settings.small else PairConfig().size
    # Photographs that are everywhere where the scenes are: nothing is said of what training on them gives.
    pictures = [to_grey(photograph(name)) for name in PICTURES]
    made = read_photographs(PhotographConfig(), pictures), PairConfig(size=size), DegradationConfig()
    sources: dict[str, PairSource] = {
        "warped photographs": WarpedPhotographs(*made, device),
        "warped photographs, a batch at a time": BatchedPhotographs(*made, device),
        "rooms": RenderedRooms(*made, device),
        "rooms, a batch at a time": BatchedRooms(*made, device),
    }
    count = _DIFFERENT // 2 if settings.small else _MADE
    for name, source in sources.items():
        # As many as a step takes, where they are made together.
        together = isinstance(source, (BatchedPhotographs, BatchedRooms))
        whole = _BATCHES[-1] if device.type == "cuda" and together else count
        yield from attempt({"made": name}, lambda: [_making(name, source, whole, device)])  # noqa: B023
    pairs = sources["warped photographs"].batch(_DIFFERENT // 2, np.random.default_rng(0))
    for half in (True, False) if device.type == "cuda" else (False,):
        for batch in _SMALL_BATCHES if settings.small else _BATCHES:
            case = {"batch": batch, "mixed precision": half, "size": size}
            yield from attempt(case, lambda: [_training(case, _repeated(pairs, batch), half)])  # noqa: B023


def _making(name: str, source: PairSource, count: int, device: torch.device) -> Row:
    random = np.random.default_rng(1)
    source.batch(2, random)
    start = time.perf_counter()
    source.batch(count, random)
    synchronise(device)
    return Row("making pairs", {"of": name, "pairs/s": count / (time.perf_counter() - start)})


def _training(case: dict[str, int], pairs: PairBatch, half: bool) -> Row:
    device = pairs.first.device
    network = CompactNetwork(CompactConfig(subcell=True)).to(device)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    objective = CompactObjective(network, LossConfig(), torch.float16 if half else None).train()
    optimiser = torch.optim.AdamW([p for p in objective.parameters() if p.requires_grad])
    scaler = torch.amp.GradScaler(device.type, enabled=half)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    generator = torch.Generator(device).manual_seed(0)
    start = 0.0
    for step in range(_WARM_UP + _STEPS):
        if step == _WARM_UP:
            synchronise(device)
            start = time.perf_counter()
        loss, _ = objective(pairs, generator, step)
        optimiser.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimiser)
        scaler.update()
    synchronise(device)
    seconds = time.perf_counter() - start
    memory = torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else 0.0
    speed = {"steps/s": _STEPS / seconds, "pairs/s": _STEPS * case["batch"] / seconds}
    return Row("steps on pairs that are there", {**case, **speed, "device memory, MB": memory})


def _repeated(pairs: PairBatch, count: int) -> PairBatch:
    rows = torch.arange(count, device=pairs.first.device) % len(pairs.first)
    return PairBatch(pairs.first[rows], pairs.second[rows], pairs.positions[rows], pairs.valid[rows])
