# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The picture of a frame with its row of kernels."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from drcn_ros.benchmarks.gpu.inputs import frames_file, sizes
from drcn_ros.benchmarks.gpu.parts import Row, Settings
from drcn_ros.benchmarks.profile.frame import profile_frame
from drcn_ros.benchmarks.profile.picture import draw_profile
from drcn_ros.benchmarks.speed.benchmark import matcher_config
from drcn_ros.benchmarks.speed.frames import load_frames
from drcn_ros.matching import create_matcher
from drcn_ros.matching.device import choose_device

FILE = "profile.png"
_LISTED = 20


def rows(settings: Settings) -> Iterator[Row]:
    """Draw a frame of the default matcher; list the operators that take longest, and the kernels."""
    torch.set_num_threads(1)
    device = choose_device(settings.device)
    frames, camera = load_frames(frames_file(settings, sizes(settings)[0]))
    matcher = create_matcher(matcher_config("drcn", device=settings.device))
    found = profile_frame(matcher, frames, camera, device)
    draw_profile(found, f"drcn, {camera.width}x{camera.height}, {device.type}", settings.out / FILE)
    yield Row(
        "a frame",
        {
            "ms without the profiler": found.duration,
            "operators": len(found.operators),
            "kernels": len(found.kernels),
            "kernels, ms": sum(kernel.duration for kernel in found.kernels),
            "picture": FILE,
        },
    )
    for name, duration in found.heaviest(_LISTED):
        yield Row("operators on the host", {"operator": name, "ms": duration})
    for name, duration in found.heaviest_kernels(_LISTED):
        yield Row("kernels", {"kernel": name, "ms": duration})
