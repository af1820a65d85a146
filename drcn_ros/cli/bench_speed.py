# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn bench speed`: from image to pose, by stage, with the default matcher and others."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from drcn_ros.benchmarks.machine import describe_machine, in_fresh_process
from drcn_ros.cli.inputs import add_sequence_options, sequence_options
from drcn_ros.cli.values import image_sizes, known_names, require_at_least
from drcn_ros.matching.config import COMPILATIONS, MATCHERS, PRECISIONS
from drcn_ros.results.replacing import whole_file

_WARM_UP = 5


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--matchers", default="drcn,anchored,d2net,sift", help="separated by commas")
    parser.add_argument("--sizes", default="320x240,640x480,1280x720", help="WIDTHxHEIGHT, with commas")
    parser.add_argument("--frames", type=int, default=30, help="that count, after a warm-up (default 30)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--precision", choices=PRECISIONS, default="auto", help="of the networks")
    parser.add_argument("--compile", choices=COMPILATIONS, default="auto", help="the networks")
    parser.add_argument("--threads", type=int, default=1, help="of torch and OpenCV (default 1)")
    parser.add_argument("--weights", default="", help="weight file for the networks")
    parser.add_argument("--input", default="", help="recording to take the frames from, resized")
    add_sequence_options(parser)
    parser.add_argument("--json", type=Path, help="write the numbers there")
    parser.add_argument("--against", type=Path, metavar="JSON", help="give ratios to an earlier run")


def run(arguments: argparse.Namespace) -> int:
    """Measure each matcher at each size in a process of its own; print the tables."""
    from drcn_ros.benchmarks.speed.benchmark import SpeedCase, matcher_config, run_speed
    from drcn_ros.benchmarks.speed.frames import save_frames
    from drcn_ros.benchmarks.speed.report import as_json, read_earlier, table

    matchers = known_names(arguments.matchers, "--matchers", MATCHERS)
    require_at_least(1, arguments, "--frames", "--threads")
    sizes = image_sizes(arguments.sizes, "--sizes")
    earlier = None if arguments.against is None else read_earlier(arguments.against)
    outcomes = []
    count = arguments.frames + _WARM_UP
    with tempfile.TemporaryDirectory() as folder:
        for width, height in sizes:
            path = Path(folder) / f"{width}x{height}.npz"
            print(f"frames of {width}x{height}", file=sys.stderr, flush=True)
            save_frames(path, width, height, count, arguments.input, sequence_options(arguments))
            for name in matchers:
                print(f"{name} at {width}x{height}", file=sys.stderr, flush=True)
                config = matcher_config(
                    name,
                    device=arguments.device,
                    weights=arguments.weights,
                    precision=arguments.precision,
                    compile=arguments.compile,
                )
                case = SpeedCase(config, path, _WARM_UP, arguments.threads)
                outcomes.append(in_fresh_process(run_speed, case))
    machine = describe_machine(arguments.threads)
    machine["frames"] = arguments.input or "rendered room"
    print(", ".join(f"{name} {value}" for name, value in machine.items()))
    print()
    print(table(outcomes, earlier))
    if arguments.json is not None:
        with whole_file(arguments.json) as path:
            path.write_text(json.dumps(as_json(machine, outcomes), indent=1), encoding="utf-8")
    return 0
