# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn soak`: run the real node for many frames and watch its memory, threads and bookkeeping."""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from drcn_ros.cli.parameters import add_parameter_options, configuration
from drcn_ros.cli.progress import progress
from drcn_ros.cli.values import image_size, require_at_least
from drcn_ros.configuration import flatten
from drcn_ros.errors import ConfigurationError
from drcn_ros.results.replacing import whole_file
from drcn_ros.ros.config import NodeConfig
from drcn_ros.ros.dependency import require_rclpy


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--frames",
        type=int,
        default=10000,
        metavar="N",
        help="(default %(default)s: six minutes at 30 Hz)",
    )
    parser.add_argument(
        "--rate", type=float, default=30.0, metavar="HZ", help="images a second (default %(default)s)"
    )
    parser.add_argument(
        "--size", default="640x480", metavar="WxH", help="of the images (default %(default)s)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers there")
    parser.add_argument("--log", type=Path, metavar="FILE", help="write what the node logs there")
    add_parameter_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the numbers and the verdict; return 0, or 1 when the node leaks or loses count."""
    require_at_least(2, arguments, "--frames")
    if not 0 < arguments.rate < math.inf:
        msg = f"--rate {arguments.rate:g}: must be above 0"
        raise ConfigurationError(msg)
    size = image_size(arguments.size, "--size")
    require_rclpy()
    from drcn_ros.ros.session.soak import soak
    from drcn_ros.ros.share import fast_dds_profile

    minutes = arguments.frames / arguments.rate / 60
    print(f"this takes {minutes:.1f} minutes, longer where images wait for the node", file=sys.stderr)
    defaults = flatten(NodeConfig())
    parameters = {
        name: value for name, value in flatten(configuration(arguments)).items() if value != defaults[name]
    }
    with tempfile.TemporaryDirectory() as folder, progress(arguments.frames, "soak") as bar:
        report = soak(
            arguments.frames,
            arguments.rate,
            size,
            parameters,
            arguments.log or Path(folder) / "node.log",
            fast_dds_profile(),
            bar.update,
        )
    first, last = report.samples[0], report.samples[-1]
    print(f"published {report.published} images in {report.seconds:.0f} s")
    print(f"received {report.received} = processed {report.processed} + dropped {report.dropped}")
    print(f"{report.statuses} statuses came, the last of them of frame {report.last_number}")
    print(
        f"memory grew by {report.growth_mb:.1f} MB, from {first.memory_mb:.1f} MB after {first.frame} images"
    )
    print(f"threads {first.threads} -> {last.threads}, open files {first.files} -> {last.files}")
    complaints = report.complaints()
    for complaint in complaints:
        print(f"FAILED: {complaint}")
    if not complaints:
        print("passed")
    if arguments.json is not None:
        content = {**asdict(report), "growth_mb": report.growth_mb, "complaints": complaints}
        with whole_file(arguments.json) as path:
            path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return 1 if complaints else 0
