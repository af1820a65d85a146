# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What one frame costs with D2-Net on VGG16, beside the plain route, and whether both find the same."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import interpolate

from drcn_ros.benchmarks.networks.timing import Seconds, Stage, fastest
from drcn_ros.matching.nearest import mutual_nearest
from drcn_ros.networks import plain_d2net
from drcn_ros.networks.d2net import CELL_ORIGIN, D2Net, D2NetKeypoints, KeypointPyramid

# Points of both routes that are nearer than this, pixels, are the same point.
_SAME_POINT_PX = 5e-3
_SEED = 11


@dataclass(frozen=True)
class D2NetMeasurement:
    """Outcome of the benchmark at one size.

    Attributes:
        width, height: of the image, pixels.
        stages: in the order in which a frame passes them.
        keypoints: found by the plain route, or by this project's where that was not run.
        same: share of them that this project's route finds too, None where the plain one was not run.
        extra: keypoints that only this project's route finds, None where the plain one was not run.
    """

    width: int
    height: int
    stages: tuple[Stage, ...]
    keypoints: int
    same: float | None
    extra: int | None


@torch.inference_mode()
def measure_d2net(width: int, height: int, repetitions: int = 2, with_plain: bool = True) -> D2NetMeasurement:
    """Time a steady-state frame on the CPU: features of the new image, matches with the kept ones.

    The weights are random: times do not depend on them.

    Args:
        width, height: of the image, pixels.
        repetitions: runs of each stage, of which the fastest counts.
        with_plain: False leaves out the plain route.
    """
    plain = random_d2net()
    fast = copy.deepcopy(plain).accelerate()
    image = _texture(width, height)
    time_backbone, dense = fastest(lambda: fast(image), repetitions)
    time_keypoints, found = fastest(lambda: _keypoints(dense, image), repetitions)
    time_matching, _ = fastest(lambda: mutual_nearest(found.descriptors, found.descriptors), repetitions)
    stages: tuple[Stage, ...] = (
        Stage("backbone", time_backbone),
        Stage("keypoints", time_keypoints),
        Stage("matching", time_matching),
    )
    if not with_plain:
        return D2NetMeasurement(width, height, stages, len(found), None, None)
    times, wanted = _plain_route(plain, image, repetitions)
    stages = tuple(Stage(stage.name, stage.fast, time) for stage, time in zip(stages, times, strict=True))
    same = _share_found(wanted, found)
    extra = len(found) - round(_share_found(found, wanted) * len(found))
    return D2NetMeasurement(width, height, stages, len(wanted), same, extra)


@torch.inference_mode()
def run_d2net(width: int, height: int) -> int:
    """Run one frame on this project's route, for the memory that it takes; return the number of keypoints."""
    image = _texture(width, height)
    return len(_keypoints(random_d2net().accelerate()(image), image))


def random_d2net() -> D2Net:
    """Return D2-Net with random weights, the same ones each time."""
    generator = torch.Generator().manual_seed(_SEED)
    network = D2Net().eval()
    for layer in network.trunk:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, generator=generator)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
    return network


def _texture(width: int, height: int) -> torch.Tensor:
    """Return (1, 3, height, width) noise of several sizes, 0 to 255."""
    generator = torch.Generator().manual_seed(_SEED)
    layers = [
        interpolate(
            torch.rand(1, 3, max(2, height // size), max(2, width // size), generator=generator),
            size=(height, width),
            mode="bilinear",
            align_corners=False,
        )
        for size in (2, 4, 8, 16)
    ]
    return torch.stack(layers).mean(dim=0) * 255


def _keypoints(dense: torch.Tensor, image: torch.Tensor) -> D2NetKeypoints:
    pyramid = KeypointPyramid(max_keypoints=None)
    pyramid.add(dense[0], 1, 1.0, image.shape[2:])
    return pyramid.keypoints(image.shape[2:], CELL_ORIGIN)


def _plain_route(
    network: D2Net, image: torch.Tensor, repetitions: int
) -> tuple[tuple[Seconds, Seconds, Seconds], D2NetKeypoints]:
    time_backbone, dense = fastest(lambda: network(image), repetitions)
    time_keypoints, found = fastest(lambda: plain_d2net.keypoints_of(dense), repetitions)
    time_matching, _ = fastest(lambda: _plain_matches(found.descriptors, found.descriptors), repetitions)
    return (time_backbone, time_keypoints, time_matching), found


def _plain_matches(reference: torch.Tensor, current: torch.Tensor) -> torch.Tensor:
    similarity = reference @ current.T
    forward, backward = similarity.argmax(dim=1), similarity.argmax(dim=0)
    return (backward[forward] == torch.arange(len(reference))).nonzero()


def _share_found(wanted: D2NetKeypoints, found: D2NetKeypoints) -> float:
    if len(wanted) == 0 or len(found) == 0:
        return float(len(wanted) == len(found))
    distance = torch.cdist(wanted.points, found.points, compute_mode="donot_use_mm_for_euclid_dist")
    return float((distance.amin(dim=1) < _SAME_POINT_PX).float().mean())
