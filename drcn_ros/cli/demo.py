# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn demo`: sequences through the real node, over DDS, with a verdict at the end."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from drcn_ros.cli.demo_run import DemoRun, reserve, run_sequence, say
from drcn_ros.cli.inputs import (
    INPUT_HELP,
    add_selection_options,
    add_sequence_options,
    selection,
    sequence_options,
)
from drcn_ros.cli.parameters import add_parameter_options, configuration
from drcn_ros.cli.progress import progress
from drcn_ros.evaluation.metrics_file import number, text_table
from drcn_ros.results.replacing import replaced_folder
from drcn_ros.ros.dependency import require_rclpy
from drcn_ros.scenes.scenarios import scenario
from drcn_ros.sequences import ImageSequence, open_sequence
from drcn_ros.sequences.bags.rosbag2 import METADATA
from drcn_ros.sequences.bags.writer import write_bag
from drcn_ros.sequences.rendered import Rendered

_NO_INPUT = "none: a rendered room, and the recorded frames of data/office"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("input", nargs="?", metavar="INPUT", help=f"{INPUT_HELP}; {_NO_INPUT}")
    parser.add_argument(
        "--out", type=Path, default=Path("demo_output"), metavar="DIR", help="results (default %(default)s)"
    )
    add_sequence_options(parser)
    add_selection_options(parser)
    add_parameter_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Play, judge, draw, print; return 0."""
    require_rclpy()
    config = configuration(arguments)
    chosen = selection(arguments)
    runs = [
        run_sequence(title, source, sequence, chosen, config, out)
        for title, source, sequence, out in _sequences(arguments)
    ]
    print(text_table(_table(runs)))
    for each in runs:
        print()
        print(f"{each.title}:")
        print(f"  trajectory: {each.folder / 'trajectory.png'}")
        if each.matches is not None:
            print(f"  matches:    {each.matches}")
        print(f"  report:     {each.folder / 'report.html'}")
    return 0


def _sequences(arguments: argparse.Namespace) -> Iterator[tuple[str, str, ImageSequence, Path]]:
    """Yield title, name, frames and folder of the results of all that is to be played."""
    options, out = sequence_options(arguments), arguments.out
    if arguments.input:
        yield "input", arguments.input, open_sequence(arguments.input, options), out
        return
    # Before the room is rendered, which takes a while.
    for part in ("room", "office"):
        reserve(out / part)
    room = str(_room(out / "room" / "bag"))
    yield "rendered room", room, open_sequence(room, options), out / "room"
    from drcn_ros.ros.share import office_frames

    office = office_frames()
    if office is None:
        say("note: the recorded frames of data/office were not installed; they are in the repository")
        return
    yield "recorded office", str(office), open_sequence(office, options), out / "office"


def _room(folder: Path) -> Path:
    """Render the demo sequence into a bag, anew each time, and return its folder."""
    room = Rendered(scenario("demo"), "demo room")
    say(f"rendering {len(room)} frames of a textured room into {folder}")
    with progress(len(room), "render") as bar, replaced_folder(folder, METADATA) as temporary:
        write_bag(room, temporary, on_frame=lambda count: bar.update())
    return folder


def _table(runs: Sequence[DemoRun]) -> list[list[str]]:
    """Return the rows of the closing table, one column a run."""
    columns = [_column(each) for each in runs]
    rows = [[name, *(column[name] for column in columns)] for name in columns[0]]
    return [["median / 90th percentile", *(each.title for each in runs)], *rows]


def _column(run: DemoRun) -> dict[str, str]:
    frames, relative = run.content["frames"], run.content["relative_pose"]
    rotation, direction, ate = relative["rotation_deg"], relative["direction_deg"], run.content["ate_sim3"]
    latency = np.percentile(run.live.latencies_ms(), [50, 90])
    path = "-"
    if ate["path_m"] is not None:
        path = f"{ate['rmse_m']:.3f} m of {ate['path_m']:.2f} m ({number(ate['percent_of_path'], 2)} %)"
    published = len(run.live.published)
    return {
        "rotation error [deg]": f"{number(rotation['median'], 3)} / {number(rotation['p90'], 3)}",
        "direction error [deg]": f"{number(direction['median'], 2)} / {number(direction['p90'], 2)}",
        "image in to result out [ms]": f"{latency[0]:.0f} / {latency[1]:.0f}",
        "path error after Sim(3)": path,
        "frames in": f"{published}, the camera at {run.live.rate_hz or 0.0:.1f} a second",
        "frames out": f"{run.answered}, {published - run.answered} dropped",
        "states": ", ".join(f"{name} {count}" for name, count in frames["states"].items()),
        "frames with a judged direction": str(direction["pairs"]),
    }
