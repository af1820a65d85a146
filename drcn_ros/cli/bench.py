# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn bench`: measure what the project costs and how good it is; one module per benchmark."""

from __future__ import annotations

import argparse
import importlib

# Each benchmark is a module `bench_NAME` with `configure(parser)` and `run(arguments) -> int`.
BENCHMARKS = {
    "speed": "from image to pose: time by stage, memory, distance to what the device could do; some minutes",
    "profile": "a picture of what happens when in one frame",
    "networks": "the networks' time by stage and memory, beside plain routes with the same result",
    "geometry": "two-view geometry over synthetic motions: models, errors, covariance, time",
    "estimators": "ways from matches to a relative pose, on the same matches",
    "odometry": "the odometry over rendered scenes and recorded sequences, by matcher",
    "accuracy": "accuracy of matchers on pairs of images with known geometry",
    "accuracy_tables": "the tables of docs/accuracy.md: all matchers on all sets, hours",
    "map": "time and memory of a map of many keyframes, made up",
    "gpu": "all that a machine with a GPU is to be asked, in a few minutes",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the benchmarks and their arguments."""
    benchmarks = parser.add_subparsers(dest="benchmark", metavar="BENCHMARK", required=True)
    for name, help_text in BENCHMARKS.items():
        module = importlib.import_module(f"drcn_ros.cli.bench_{name}")
        benchmark = benchmarks.add_parser(name, help=help_text, description=help_text)
        module.configure(benchmark)
        benchmark.set_defaults(run_benchmark=module.run)


def run(arguments: argparse.Namespace) -> int:
    """Run the benchmark that was asked for."""
    status: int = arguments.run_benchmark(arguments)
    return status
