# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What one frame costs with the published DRCN, beside the plain route, and whether both find the same.

Weights are random. So that they make features that match, each batch norm takes the statistics of the
benchmark's image and the feature maps are centred on it; the second image is the first one moved by two
coarse cells, with noise. How much is pruned depends on how sharp the coarse correlation is, so the search is
also timed with sharper and with entirely flat masks; the plain search takes the same for all.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import cv2
import torch
from torch import nn

from drcn_ros.benchmarks.networks.timing import Seconds, Stage, fastest
from drcn_ros.networks import plain_drcn
from drcn_ros.networks.correlation import correlate, mutual_matching
from drcn_ros.networks.drcn import DRCN, DRCNConfig, DRCNMaps
from drcn_ros.networks.fine_search import SearchOptions, SearchResult, search
from drcn_ros.networks.resnet_fpn import COARSE_STRIDE, Bottleneck
from drcn_ros.scenes.photographs import photograph

_SEED = 11
_PICTURE = "astronaut.png"
# Movement between both images, pixels, and noise on the second one.
_MOVED = 2 * COARSE_STRIDE
_NOISE = 0.02
# Powers of the coarse correlation: 0 makes all masks flat, where nothing can be pruned.
_SHARPNESS = {"flat masks": 0.0, "masks squared": 2.0, "masks to the fourth": 4.0}


@dataclass(frozen=True)
class DrcnMeasurement:
    """Outcome of the benchmark at one size.

    Attributes:
        stages: in the order in which a frame passes them; their sum is a steady-state frame. This project
            keeps the other image's features, the reference computes them again.
        windows_only: the search without what makes it exact.
        sharpness: the exact search with other masks, by what was made of them.
        matches: of this project's route.
        same: share of the plain route's matches that this project finds too, None where that was not run.
        windows_same: share of the matches that windows alone find too.
    """

    stages: tuple[Stage, ...]
    windows_only: Seconds
    sharpness: dict[str, Seconds]
    matches: int
    same: float | None
    windows_same: float


@torch.inference_mode()
def measure_drcn(
    backbone: str, width: int, height: int, repetitions: int = 2, with_plain: bool = True
) -> DrcnMeasurement:
    """Time a steady-state frame on the CPU: features of the new image, matches with the kept ones.

    Args:
        backbone: name in `RESNET_FPNS`.
        width, height: of the images, pixels, multiples of 16.
        repetitions: runs of each stage, of which the fastest counts; the plain route runs once.
        with_plain: False leaves out the plain route, which takes minutes for large images.
    """
    first, second = image_pair(width, height)
    plain = calibrated_network(backbone, first)
    fast = copy.deepcopy(plain).fuse()
    kept = fast(second)
    time_backbone, new = fastest(lambda: fast(first), repetitions)
    time_raw, raw = fastest(lambda: correlate(new.coarse, kept.coarse), repetitions)
    time_consensus, cleaned = fastest(
        lambda: mutual_matching(fast.consensus(mutual_matching(raw))), repetitions
    )
    time_search, found = fastest(
        lambda: search(new.fine[0], kept.fine[0], cleaned[0], SearchOptions()), repetitions
    )
    rough = SearchOptions(exact=False)
    time_rough, roughly = fastest(lambda: search(new.fine[0], kept.fine[0], cleaned[0], rough), repetitions)
    pairs = _pairs(found)
    sharpness = {
        name: _time_search(new, kept, cleaned[0], power, repetitions) for name, power in _SHARPNESS.items()
    }
    stages = [
        Stage("other image", Seconds(0.0, 0.0)),
        Stage("backbone", time_backbone),
        Stage("correlation", time_raw),
        Stage("consensus", time_consensus),
        Stage("fine search", time_search),
    ]
    same = None
    if with_plain:
        times, wanted = _plain_route(plain, first, second)
        stages = [Stage(stage.name, stage.fast, time) for stage, time in zip(stages, times, strict=True)]
        same = _share(_pairs(wanted), pairs)
    return DrcnMeasurement(
        tuple(stages), time_rough, sharpness, len(pairs), same, _share(pairs, _pairs(roughly))
    )


@torch.inference_mode()
def run_drcn(backbone: str, width: int, height: int) -> int:
    """Run one frame on this project's route, for the memory that it takes; return the number of matches."""
    first, second = image_pair(width, height)
    network = DRCN(DRCNConfig(backbone)).fuse()
    return len(network.match(network(first), network(second))[0].scores)


def image_pair(width: int, height: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return two (1, 3, height, width) cuts of a photograph in [0, 1], the second moved and with noise.

    Raises:
        MissingDependencyError: scikit-image, which brings the photograph, is not installed.
    """
    size = (width + _MOVED, height + _MOVED)
    enlarged = cv2.resize(photograph(_PICTURE), size, interpolation=cv2.INTER_CUBIC)
    canvas = torch.from_numpy(enlarged).permute(2, 0, 1)[None].float() / 255
    second = canvas[..., _MOVED:, _MOVED:]
    noise = _NOISE * torch.randn(second.shape, generator=torch.Generator().manual_seed(_SEED))
    return canvas[..., :height, :width].clone(), (second + noise).clamp(0, 1)


@torch.no_grad()
def calibrated_network(backbone: str, image: torch.Tensor) -> DRCN:
    """Return a network with random weights whose features tell the places of an image apart."""
    generator = torch.Generator().manual_seed(_SEED)
    network = DRCN(DRCNConfig(backbone)).eval()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
            module.train()
        elif isinstance(module, Bottleneck):
            assert isinstance(module.bn3, nn.BatchNorm2d)
            # The shortcut must not drown in the sum of many blocks.
            nn.init.constant_(module.bn3.weight, 0.3)
    for weight, bias in zip(network.consensus.weights, network.consensus.biases, strict=True):
        # More positive than negative, as a filter that sums up agreement.
        weight.uniform_(-0.3, 0.7, generator=generator).mul_(6 / weight[0].numel())
        bias.zero_()
    fine, coarse = network.backbone((image - network.mean) / network.deviation)
    network.eval()
    for head, features in ((network.backbone.fine, fine), (network.backbone.coarse, coarse)):
        if isinstance(head, nn.Conv2d):
            assert head.bias is not None
            head.bias.sub_(features.mean(dim=(0, 2, 3)))
    return network


def _time_search(
    new: DRCNMaps, kept: DRCNMaps, correlation: torch.Tensor, power: float, repetitions: int
) -> Seconds:
    masks = (correlation / correlation.amax().clamp(min=1e-30)) ** power
    return fastest(lambda: search(new.fine[0], kept.fine[0], masks, SearchOptions()), repetitions)[0]


def _plain_route(
    network: DRCN, image: torch.Tensor, other: torch.Tensor
) -> tuple[tuple[Seconds, ...], SearchResult]:
    time_other, kept = fastest(lambda: network(other), 1)
    time_backbone, new = fastest(lambda: network(image), 1)
    time_raw, raw = fastest(lambda: correlate(new.coarse, kept.coarse), 1)
    time_consensus, cleaned = fastest(
        lambda: mutual_matching(plain_drcn.consensus(network.consensus, mutual_matching(raw))), 1
    )
    share = SearchOptions().query_share
    time_search, found = fastest(lambda: plain_drcn.search(new.fine[0], kept.fine[0], cleaned[0], share), 1)
    return (time_other, time_backbone, time_raw, time_consensus, time_search), found


def _pairs(found: SearchResult) -> set[tuple[int, int]]:
    mutual = found.mutual()
    return set(zip(mutual.queries.tolist(), mutual.targets.tolist(), strict=True))


def _share(wanted: set[tuple[int, int]], found: set[tuple[int, int]]) -> float:
    return len(wanted & found) / len(wanted | found) if wanted or found else 1.0
