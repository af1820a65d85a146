# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn bench profile`: draw what happens when in one frame of the steady state."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from drcn_ros.cli.values import image_size, require_at_least
from drcn_ros.matching.config import COMPILATIONS, MATCHERS, PRECISIONS

_WARM_UP = 8
_LISTED = 12


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("out", type=Path, help="PNG to write")
    parser.add_argument("--matcher", choices=MATCHERS, default="drcn")
    parser.add_argument("--size", default="640x480", help="WIDTHxHEIGHT of the frames")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--precision", choices=PRECISIONS, default="auto")
    parser.add_argument("--compile", choices=COMPILATIONS, default="auto")
    parser.add_argument("--weights", default="", help="weight file for the network")
    parser.add_argument("--threads", type=int, default=1, help="of torch (default 1)")


def run(arguments: argparse.Namespace) -> int:
    """Profile a frame of the rendered room; write the picture and list the operators."""
    import torch

    from drcn_ros.benchmarks.profile.frame import profile_frame
    from drcn_ros.benchmarks.profile.picture import draw_profile
    from drcn_ros.benchmarks.speed.benchmark import matcher_config
    from drcn_ros.benchmarks.speed.frames import load_frames, save_frames
    from drcn_ros.matching import create_matcher
    from drcn_ros.matching.device import choose_device

    width, height = image_size(arguments.size, "--size")
    require_at_least(1, arguments, "--threads")
    torch.set_num_threads(arguments.threads)
    config = matcher_config(
        arguments.matcher,
        device=arguments.device,
        precision=arguments.precision,
        compile=arguments.compile,
        weights=arguments.weights,
    )
    matcher, device = create_matcher(config), choose_device(arguments.device)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frames.npz"
        save_frames(path, width, height, _WARM_UP + 1)
        found = profile_frame(matcher, *load_frames(path), device)
    draw_profile(found, f"{arguments.matcher}, {width}x{height}, {device.type}", arguments.out)
    print(f"{arguments.out}: a frame takes {found.duration:.1f} ms")
    for name, duration in found.heaviest(_LISTED):
        print(f"{duration:8.2f} ms  {name}")
    return 0
