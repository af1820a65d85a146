# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn bench map`: time and memory of a map of many keyframes."""

from __future__ import annotations

import argparse

from drcn_ros.cli.values import require_at_least
from drcn_ros.mapping.gtsam_library import load_gtsam


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--keyframes", type=int, default=2000, help="of the map (default %(default)s)")
    parser.add_argument(
        "--rate", type=float, default=5.0, help="keyframes a second that come in (default %(default)g)"
    )
    parser.add_argument(
        "--node",
        action="store_true",
        help="send them to a map_node in its own process, at that rate; needs ROS",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print what it took."""
    from drcn_ros.benchmarks.map_load import measure

    load_gtsam()
    require_at_least(2, arguments, "--keyframes")
    require_at_least(1, arguments, "--rate")
    if arguments.node:
        return _run_node(arguments)
    report = measure(arguments.keyframes, arguments.rate)
    print(
        f"{report.keyframes} keyframes, {report.compared} pairs compared, {report.loops} loops, "
        f"{report.rejected} left out"
    )
    print(
        f"RMS of the positions: {report.error_before:.2f} m before, {report.error_after:.2f} m after closing"
    )
    print(
        f"processor time {report.seconds:.1f} s: {report.median_ms:.0f} ms a keyframe in the median, "
        f"{report.p99_ms:.0f} ms in the 99th percentile, {report.slowest_ms:.0f} ms at most"
    )
    print(
        f"at {arguments.rate:g} keyframes a second one core is busy "
        f"{100 * report.seconds * arguments.rate / report.keyframes:.0f} % of the time, "
        f"and {report.most_waiting} keyframes wait at most"
    )
    print(f"memory {report.memory_mb:.0f} MB, {report.before_mb:.0f} of it before the first keyframe")
    return 0


def _run_node(arguments: argparse.Namespace) -> int:
    from drcn_ros.benchmarks.map_node import measure_node

    report = measure_node(arguments.keyframes, arguments.rate)
    print(
        f"{report.keyframes} keyframes in {report.wall_s:.1f} s: processor time {report.seconds:.1f} s of "
        f"the whole process, one core is busy {100 * report.seconds / report.wall_s:.0f} % of the time"
    )
    print(f"{report.most_waiting} frames wait at most, {report.dropped} left out")
    print(f"memory {report.memory_mb:.0f} MB, {report.before_mb:.0f} of it before the first frame")
    return 0
