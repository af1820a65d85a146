# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn bench odometry`: the odometry over rendered scenes and recorded sequences, by matcher."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from drcn_ros.benchmarks.disturbed import DISTURBANCES, DisturbedSequence
from drcn_ros.cli.parameters import add_parameter_options, configuration
from drcn_ros.cli.values import known_names, require_at_least
from drcn_ros.evaluation.metrics_file import number, scale_text
from drcn_ros.matching.config import MATCHERS
from drcn_ros.sequences import ImageSequence, Selection

_SHORT = {
    "TRACKING": "T",
    "ROTATION_ONLY": "R",
    "STATIONARY": "S",
    "LOST": "L",
    "INITIALIZING": "I",
    "WAITING_FOR_CALIBRATION": "W",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="scene:NAME (forward, street, ...), or DIR@STEP: every STEP-th frame of a recorded sequence",
    )
    parser.add_argument("--matchers", default="drcn,sift", help="separated by commas (default drcn,sift)")
    parser.add_argument(
        "--frames",
        type=int,
        default=120,
        help="of a rendered scene (default 120; 330 are 290 m of the street)",
    )
    parser.add_argument(
        "--disturb",
        default="",
        help=f"also on copies: {','.join(DISTURBANCES)}; halved loses every second image, gaps ten in a row "
        "of every fifty",
    )
    add_parameter_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print a table with a row for each input and matcher; errors are median / 90th percentile."""
    from drcn_ros.benchmarks.odometry import judge_odometry, open_input
    from drcn_ros.matching import create_matcher

    matchers = known_names(arguments.matchers, "--matchers", MATCHERS)
    require_at_least(2, arguments, "--frames")
    kinds = known_names(arguments.disturb, "--disturb", DISTURBANCES) if arguments.disturb else ()
    inputs: dict[str, tuple[ImageSequence, Selection]] = {}
    for name in arguments.inputs:
        sequence, selection = inputs[name] = open_input(name, arguments.frames)
        for kind in kinds:
            inputs[f"{name} {kind}"] = DisturbedSequence(sequence, kind), selection
    print(
        "| input | matcher | states | rotation, deg | direction, deg | path, % "
        "| scale first / last / worst | restarts | geometry, ms |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name in matchers:
        config = configuration(arguments, name)
        matcher = create_matcher(config.matcher)
        for title, (sequence, selection) in inputs.items():
            report = judge_odometry(sequence, selection, config, matcher)
            states = " ".join(f"{count}{_SHORT[state]}" for state, count in sorted(report.states.items()))
            rotation, direction = report.rotation_deg, report.direction_deg
            print(
                f"| {title.rsplit('/', 1)[-1]} | {name} | {states} "
                f"| {number(rotation.median, 3)} / {number(rotation.p90, 3)} "
                f"| {number(direction.median, 2)} / {number(direction.p90, 2)} "
                f"| {number(report.path_percent, 2)} | {scale_text(asdict(report.scale_drift))} "
                f"| {report.restarts} | {report.geometry_ms:.1f} |",
                flush=True,
            )
    return 0
