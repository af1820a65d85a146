# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Speed from image to pose by network, size, precision and compilation, beside the least that is possible."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from drcn_ros.benchmarks.gpu.inputs import frames_file, sizes, there_and_back, weights_file
from drcn_ros.benchmarks.gpu.parts import Row, Settings, attempt
from drcn_ros.benchmarks.speed.benchmark import STAGES, SpeedCase, SpeedOutcome, matcher_config, run_speed

_WARM_UP = 6
# Frames that count: of the compact network, of the others, and of any where the run is a rehearsal.
_FRAMES = 40
_FRAMES_PUBLISHED = 14
_FRAMES_SMALL = 2
_COMPACT = (("compact", "drcn"), ("compact", "d2net"), ("compact", "anchored"))
_PUBLISHED = (("drcn256", "drcn"), ("d2net", "d2net"), ("drcn1024", "drcn"))


@dataclass(frozen=True)
class _Case:
    network: str
    matcher: str
    size: tuple[int, int]
    precision: str
    compilation: str


def by_size(settings: Settings) -> Iterator[Row]:
    """Every network at every size, as the device runs it by default."""
    for size in sizes(settings):
        for network, matcher in _COMPACT + _PUBLISHED:
            yield from _run(settings, _Case(network, matcher, size, "auto", "off"))


def by_precision(settings: Settings) -> Iterator[Row]:
    """Every network in every precision at every size."""
    for size in sizes(settings):
        # Half a minute for the ceiling alone on a processor without units for float16.
        for precision in ("float32", "bfloat16") if settings.small else ("float32", "float16", "bfloat16"):
            for network, matcher in _COMPACT[:1] + _PUBLISHED[:2] + _COMPACT[1:] + _PUBLISHED[2:]:
                yield from _run(settings, _Case(network, matcher, size, precision, "off"))


def by_compilation(settings: Settings) -> Iterator[Row]:
    """Every network compiled, with and without CUDA graphs, the first size first."""
    for size in sizes(settings):
        for network, matcher in _COMPACT[:1] + _PUBLISHED[:2] + _COMPACT[1:2] + _PUBLISHED[2:]:
            for compilation in ("graphs", "on"):
                yield from _run(settings, _Case(network, matcher, size, "auto", compilation))


def _run(settings: Settings, case: _Case) -> Iterator[Row]:
    told = {
        "network": case.network,
        "matcher": case.matcher,
        "size": f"{case.size[0]}x{case.size[1]}",
        "precision": case.precision,
        "compile": case.compilation,
    }
    yield from attempt(told, lambda: _measured(settings, case, dict(told)))
    gc.collect()
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call, unused-ignore]
        torch.cuda.empty_cache()


def _measured(settings: Settings, case: _Case, told: dict[str, str]) -> Iterator[Row]:
    count = _FRAMES if case.network == "compact" else _FRAMES_PUBLISHED
    count = _FRAMES_SMALL if settings.small else count
    frames = settings.scratch / "case.npz"
    there_and_back(frames_file(settings, case.size), _WARM_UP + count, frames)
    config = matcher_config(
        case.matcher,
        device=settings.device,
        weights=weights_file(settings, case.network),
        precision=case.precision,
        compile=case.compilation,
    )
    outcome = run_speed(SpeedCase(config, frames, _WARM_UP, 1))
    told["precision"] = outcome.precision
    yield _row(told, outcome)
    for name in ("extract", "match"):
        stage = outcome.stages[name]
        if stage.work is not None and stage.least_ms is not None:
            work = {"GFLOP": stage.work.gflop, "MB moved": stage.work.mbyte}
            times = {"least, ms": stage.least_ms, "measured, ms": stage.median_ms}
            yield Row("what the device needs at least", {**told, "stage": name, **work, **times})


def _row(told: dict[str, str], outcome: SpeedOutcome) -> Row:
    stages = outcome.stages
    return Row(
        "image to pose",
        {
            **told,
            **{f"{name}, ms": stages[name].median_ms for name in STAGES},
            "95 %": stages["frame"].p95_ms,
            "CPU, ms": outcome.cpu_ms,
            "frames/s": 1e3 / stages["frame"].median_ms,
            "overlapping, frames/s": 1e3 / outcome.overlapped_ms,
            "device memory, MB": outcome.device_memory_mb,
            "host memory so far, MB": outcome.memory_mb,
            "keypoints": outcome.keypoints,
            "matches": outcome.matches,
            "placed": outcome.placed,
        },
    )
