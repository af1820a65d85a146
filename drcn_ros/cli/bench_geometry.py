# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn bench geometry`: the two-view geometry over synthetic motions with exact truth."""

from __future__ import annotations

import argparse

from drcn_ros.cli.values import require_at_least
from drcn_ros.configuration import build
from drcn_ros.errors import ConfigurationError


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--motions", type=int, default=100, help="motions of each kind (default 100)")
    parser.add_argument("--matches", type=int, default=500, help="matches of each pair (default 500)")
    parser.add_argument("--noise", type=float, default=0.5, help="independent noise, pixels (default 0.5)")
    parser.add_argument("--smooth", type=float, default=0.0, help="noise that neighbours share, pixels (0)")
    parser.add_argument("--outliers", type=float, default=0.2, help="part of wrong matches (default 0.2)")
    parser.add_argument("--estimator", default="poselib", help="poselib or magsac (default poselib)")


def run(arguments: argparse.Namespace) -> int:
    """Print a table with a row for each kind of motion, and one with a row for each stage."""
    from drcn_ros.benchmarks.geometry.benchmark import run_geometry_benchmark
    from drcn_ros.benchmarks.geometry.stages import time_stages
    from drcn_ros.benchmarks.point_pairs import Disturbance
    from drcn_ros.geometry.config import TwoViewConfig

    require_at_least(1, arguments, "--motions")
    require_at_least(8, arguments, "--matches")
    require_at_least(0, arguments, "--noise", "--smooth", "--outliers")
    if arguments.outliers > 0.9:
        msg = f"--outliers {arguments.outliers:g}: must be at most 0.9"
        raise ConfigurationError(msg)
    config = build(TwoViewConfig, {"estimator": arguments.estimator})
    disturbance = Disturbance(arguments.noise, arguments.smooth, arguments.outliers)
    print("| motion | right model | rotation, deg | direction, deg | squared error (5) | 95 % | ms |")
    print("|---|---|---|---|---|---|---|")
    for row in run_geometry_benchmark(arguments.motions, arguments.matches, disturbance, config):
        direction = "" if row.direction_deg is None else f"{row.direction_deg:.2f}"
        squared = "" if row.squared_error is None else f"{row.squared_error:.1f}"
        interval = "" if row.interval is None else f"{row.interval[0]:.1f} to {row.interval[1]:.1f}"
        print(
            f"| {row.regime} | {100 * row.right:.0f} % | {row.rotation_deg:.3f} | {direction} "
            f"| {squared} | {interval} | {row.milliseconds:.1f} |",
            flush=True,
        )
    print("\n| stage | processor time, ms |\n|---|---|")
    for stage, milliseconds in time_stages(arguments.matches, disturbance, config).items():
        print(f"| {stage} | {milliseconds:.2f} |")
    return 0
