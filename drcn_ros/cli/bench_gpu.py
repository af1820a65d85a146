# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn bench gpu`: everything that a machine with a GPU is to be asked, in the time that there is."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from drcn_ros.benchmarks.gpu.parts import Part, Settings
from drcn_ros.cli.values import known_names
from drcn_ros.errors import ConfigurationError

_HERE = "drcn_ros.benchmarks.gpu"
# The most important ones first: what comes last is what a short time leaves out.
PARTS = (
    Part("machine", "The machine and its ceilings", f"{_HERE}.machine_part:rows", 60),
    Part("inputs", "Frames and random weights for what follows", f"{_HERE}.inputs:make", 90),
    Part("agreement", "Difference from the CPU in float32", f"{_HERE}.agreement:rows", 60),
    Part("waits", "Where the host waits for the device", f"{_HERE}.waits:rows", 45),
    Part("speed", "Image to pose by network and size", f"{_HERE}.speed:by_size", 90),
    Part("marked", "Tests that need CUDA", f"{_HERE}.suites:cuda_tests", 120),
    Part("suite", "Tests of networks, matching and odometry on the device", f"{_HERE}.suites:all_tests", 120),
    Part("kernel", "Triton's kernel beside torch", f"{_HERE}.kernel:rows", 45),
    Part("profile", "One frame as a picture", f"{_HERE}.picture:rows", 45),
    Part("training", "Training", "drcn_ros.benchmarks.gpu.training:rows", 60),
    Part("compilation", "Image to pose compiled", f"{_HERE}.speed:by_compilation", 150),
    Part("precision", "Image to pose by precision", f"{_HERE}.speed:by_precision", 150),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the results")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu rehearses it, small")
    parser.add_argument("--minutes", type=float, default=6.0, help="for everything together (default 6)")
    names = ",".join(part.name for part in PARTS)
    parser.add_argument("--parts", default=names, help=f"some of {names}, in that order")


def run(arguments: argparse.Namespace) -> int:
    """Run the parts; return 1 where one failed, was ended or did not fit into the time."""
    from drcn_ros.benchmarks.gpu.report import MARKDOWN
    from drcn_ros.benchmarks.gpu.run import run_parts

    if not arguments.minutes > 0:
        msg = f"--minutes {arguments.minutes}: must be above 0"
        raise ConfigurationError(msg)
    chosen = known_names(arguments.parts, "--parts", [part.name for part in PARTS])
    if arguments.device == "cuda":
        _require_cuda()
    with tempfile.TemporaryDirectory(prefix="drcn_gpu_") as scratch:
        settings = Settings(arguments.device, arguments.out, Path(scratch), arguments.device == "cpu")
        parts = [part for part in PARTS if part.name in chosen]
        ended = run_parts(parts, settings, 60 * arguments.minutes)
    print(arguments.out / MARKDOWN)
    return 0 if all(one.state == "done" for one in ended) else 1


def _require_cuda() -> None:
    import torch

    if torch.cuda.is_available():
        return
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call, unused-ignore]
        reason = "no device is visible"
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().splitlines()[0]
    msg = f"--device cuda: torch {torch.__version__} finds no CUDA device ({reason}); "
    msg += "--device cpu rehearses the run"
    raise ConfigurationError(msg)
