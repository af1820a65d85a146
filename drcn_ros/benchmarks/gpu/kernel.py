# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The Triton kernel beside torch's route: whether both find the same, and which is faster."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator

import torch

from drcn_ros.benchmarks.gpu.inputs import frames_file, sizes
from drcn_ros.benchmarks.gpu.parts import Row, Settings, attempt
from drcn_ros.benchmarks.roofline import count_work, durations_s
from drcn_ros.benchmarks.speed.benchmark import matcher_config
from drcn_ros.benchmarks.speed.frames import load_frames
from drcn_ros.matching.coarse_prior import CoarsePrior, coarse_logits
from drcn_ros.matching.device import choose_device
from drcn_ros.matching.drcn_features import CompactFeatures, extract_compact, load_drcn
from drcn_ros.matching.nearest import Extremes, extremes
from drcn_ros.networks.compact import CompactNetwork

_KEYPOINTS = 1024
_RUNS = 50


def rows(settings: Settings) -> Iterator[Row]:
    """Compare both on the features of two frames of each size."""
    device = choose_device(settings.device)
    if device.type != "cuda" or importlib.util.find_spec("triton") is None:
        yield Row("kernel", {"note": "needs CUDA and triton"})
        return
    for size in sizes(settings):
        case = {"size": f"{size[0]}x{size[1]}"}
        yield from attempt(case, lambda: _compared(settings, size, device))  # noqa: B023


@torch.inference_mode()
def _compared(settings: Settings, size: tuple[int, int], device: torch.device) -> Iterator[Row]:
    from drcn_ros.matching.fused_extremes import fused_extremes

    network = load_drcn(matcher_config("drcn", device=settings.device, compile="off"), device)
    assert isinstance(network, CompactNetwork)
    frames, _ = load_frames(frames_file(settings, size))
    a, b = (extract_compact(network, frame.image, _KEYPOINTS, device) for frame in frames[:2])
    assert a.descriptors is not None
    assert b.descriptors is not None
    prior = CoarsePrior.of(coarse_logits(network.consensus, a.coarse, b.coarse))
    scaled, other = a.descriptors * network.descriptor_temperature, b.descriptors

    def by_torch() -> Extremes:
        return _by_torch(scaled, other, prior, a, b)

    def by_kernel() -> Extremes:
        return fused_extremes(scaled, other, prior, a.coarse_cells, b.coarse_cells)

    wanted, found = by_torch(), by_kernel()
    (pairs, mutual), (others, also) = wanted.pairs(), found.pairs()
    same = mutual & also & (pairs.current_index == others.current_index)
    yield Row(
        "kernel",
        {
            "size": f"{size[0]}x{size[1]}",
            "keypoints": f"{len(a)}, {len(b)}",
            "torch, ms": _median_ms(by_torch, device),
            "torch, MB moved": count_work(by_torch).mbyte,
            "kernel, ms": _median_ms(by_kernel, device),
            "same pairs, %": 100 * float(same.sum()) / max(int((mutual | also).sum()), 1),
            "largest difference of confidence": float(
                (pairs.confidence - others.confidence)[same].abs().amax()
            ),
        },
    )


def _by_torch(
    scaled: torch.Tensor, other: torch.Tensor, prior: CoarsePrior, a: CompactFeatures, b: CompactFeatures
) -> Extremes:
    table = prior.pairs(a.coarse_cells, b.coarse_cells)

    def similarity(start: int, stop: int) -> torch.Tensor:
        return torch.addmm(table[start:stop], scaled[start:stop], other.T)

    return extremes(similarity, len(scaled), len(other), table.device)


def _median_ms(run: Callable[[], object], device: torch.device) -> float:
    return 1e3 * sorted(durations_s(run, device, _RUNS))[_RUNS // 2]
