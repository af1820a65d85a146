# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn slam`: odometry and map over a bag or data set, without ROS."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from drcn_ros.cli.inputs import (
    INPUT_HELP,
    add_selection_options,
    add_sequence_options,
    selection,
    sequence_options,
)
from drcn_ros.cli.parameters import add_parameter_options, configuration, settings
from drcn_ros.cli.progress import progress
from drcn_ros.cli.values import require_at_least
from drcn_ros.configuration import build
from drcn_ros.evaluation.metrics_file import number
from drcn_ros.mapping.config import MappingConfig
from drcn_ros.mapping.gtsam_library import load_gtsam
from drcn_ros.results.replacing import replaced_folder
from drcn_ros.sequences import ImageSequence, open_sequence
from drcn_ros.sequences.rendered import SCENE, open_scene

METRICS, PICTURE, MAP = "slam.json", "path.png", "map"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("input", metavar="INPUT", help=f"{INPUT_HELP}; or scene:NAME, a rendered one")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the map and its judgement")
    add_sequence_options(parser)
    add_selection_options(parser)
    add_parameter_options(parser)
    group = parser.add_argument_group("map")
    group.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one parameter of the map, such as loops.candidates=0",
    )
    group.add_argument("--frames", type=int, default=370, metavar="N", help="of a rendered scene")


def run(arguments: argparse.Namespace) -> int:
    """Write the folder, print the numbers, return 0."""
    from drcn_ros.benchmarks.slam import content, draw_paths, judge_slam, run_slam

    load_gtsam()
    require_at_least(2, arguments, "--frames")
    config = configuration(arguments)
    mapping = build(MappingConfig, settings(arguments.map, MappingConfig))
    chosen = selection(arguments)
    if arguments.input.startswith(SCENE):
        sequence: ImageSequence = open_scene(arguments.input, arguments.frames)
    else:
        sequence = open_sequence(arguments.input, sequence_options(arguments, config))
    for note in sequence.notes.lines:
        print(f"note: {note}", flush=True)
    name = Path(arguments.input.removeprefix(SCENE)).name
    folder = arguments.out or Path(f"slam_{name}")
    with replaced_folder(folder, METRICS) as temporary:
        with progress(sequence.expected(chosen), config.matcher.name) as bar:
            done = run_slam(sequence, chosen, config, mapping, bar.update)
        report = judge_slam(done, sequence.ground_truth)
        done.mapper.save(temporary / MAP)
        draw_paths(done, sequence.ground_truth, temporary / PICTURE)
        text = json.dumps({"input": arguments.input, **content(report)}, indent=2)
        (temporary / METRICS).write_text(text + "\n", encoding="utf-8")
    print(
        f"{report.frames} frames, {report.keyframes} keyframes, {report.compared} pairs compared: "
        f"{report.loops} loops, {report.rejected} left out as contradictory"
        + ("" if report.false_loops is None else f", {report.false_loops} of those that hold false")
    )
    for title, error in (("odometry", report.before), ("map", report.after)):
        if error is not None:
            print(
                f"{title + ':':10s}{number(error.rmse_m, 3)} m, {number(error.percent, 3)} % of the path; "
                f"{number(error.gap_m, 3)} m between places seen again"
            )
    print(f"scale of the map to the odometry's: {report.scales[0]:.3f} to {report.scales[1]:.3f}")
    print(f"time of the map: {report.ms_per_frame:.1f} ms a frame, {report.slowest_ms:.0f} ms at most")
    print(f"map: {folder / MAP}; picture: {folder / PICTURE}; numbers: {folder / METRICS}")
    return 0
