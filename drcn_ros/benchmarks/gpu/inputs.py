# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Frames and weight files that several parts use: made once, in the scratch folder."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

from drcn_ros.benchmarks.gpu.parts import Row, Settings, attempt
from drcn_ros.benchmarks.networks.benchmark import NETWORKS
from drcn_ros.benchmarks.networks.d2net import random_d2net
from drcn_ros.benchmarks.networks.drcn import calibrated_network, image_pair
from drcn_ros.benchmarks.speed.frames import save_frames
from drcn_ros.networks.weight_file import WeightFile, write_own_file

SIZES = ((640, 480), (1280, 720), (1920, 1080))
_SMALL_SIZES = ((160, 120), (192, 128))
# Networks without weights in the package: theirs are random.
PUBLISHED = ("drcn256", "d2net", "drcn1024")
_RENDERED = 14
_SMALL_RENDERED = 4
# The network is adapted to an image of this size, pixels.
_CALIBRATED = (320, 240)


def sizes(settings: Settings) -> tuple[tuple[int, int], ...]:
    """Return width and height of the frames that a run measures on."""
    return _SMALL_SIZES if settings.small else SIZES


def frames_file(settings: Settings, size: tuple[int, int]) -> Path:
    """Return where the frames of a size are."""
    return settings.scratch / f"{size[0]}x{size[1]}.npz"


def weights_file(settings: Settings, network: str) -> str:
    """Return the weight file of a network in `PUBLISHED`; nothing for the one in the package."""
    return str(settings.scratch / f"{network}.safetensors") if network in PUBLISHED else ""


def make(settings: Settings) -> Iterator[Row]:
    """Render the frames of all sizes at once, and write random weights of the published networks."""
    count = _SMALL_RENDERED if settings.small else _RENDERED
    start = time.perf_counter()
    with ProcessPoolExecutor(len(sizes(settings)), mp_context=get_context("spawn")) as pool:
        made = {
            size: pool.submit(save_frames, frames_file(settings, size), *size, count)
            for size in sizes(settings)
        }
        for network in PUBLISHED:
            yield from attempt({"made": network}, lambda: [_weights(settings, network)])  # noqa: B023
        for size, future in made.items():
            yield from attempt({"made": str(size)}, lambda: (future.result(), [])[1])  # noqa: B023
    yield Row("inputs", {"frames of each size": count, "seconds": time.perf_counter() - start})


def there_and_back(file: Path, count: int, target: Path) -> None:
    """Write as many frames as are asked for: those of a file forwards and backwards, again and again.

    Args:
        file: as `save_frames` writes it, at least two frames.
        count: of frames.
        target: the file to write.
    """
    with np.load(file) as content:
        images, stamps, camera = content["images"], content["stamps"], content["camera"]
    period = 2 * (len(images) - 1)
    places = np.arange(count) % period
    places = np.minimum(places, period - places)
    times = stamps[0] + np.arange(count) * (stamps[1] - stamps[0])
    np.savez(target, images=images[places], stamps=times, camera=camera)


@torch.no_grad()
def _weights(settings: Settings, name: str) -> Row:
    start = time.perf_counter()
    if name == "d2net":
        network: torch.nn.Module = random_d2net()
        content = WeightFile("d2net", {}, network.state_dict())
    else:
        drcn = calibrated_network(NETWORKS[name], image_pair(*_CALIBRATED)[0])
        content = WeightFile("drcn", dataclasses.asdict(drcn.config), drcn.state_dict())
    write_own_file(Path(weights_file(settings, name)), content)
    return Row("random weights", {"network": name, "seconds": time.perf_counter() - start})
