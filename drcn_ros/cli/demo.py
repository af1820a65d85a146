# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn demo`: a sequence through the real node, over DDS, with a verdict at the end."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drcn_ros.cli.inputs import (
    INPUT_HELP,
    add_selection_options,
    add_source_options,
    selection,
    source_options,
)
from drcn_ros.cli.parameters import add_parameter_options, configuration
from drcn_ros.cli.progress import progress
from drcn_ros.configuration import flatten
from drcn_ros.errors import DrcnError
from drcn_ros.evaluation.evaluate import evaluate
from drcn_ros.evaluation.metrics_file import RunInfo, number, text_table
from drcn_ros.evaluation.report.match_picture import SHORT_KEY, draw_matches
from drcn_ros.evaluation.runner import Step
from drcn_ros.foreign.images import write_image
from drcn_ros.matching.device import in_force
from drcn_ros.results.replacing import claim, replaced_folder, whole_file
from drcn_ros.ros.config import NodeConfig
from drcn_ros.ros.dependency import require_rclpy
from drcn_ros.scenes.scenarios import scenario
from drcn_ros.sequences import ImageSequence, Selection, open_sequence
from drcn_ros.sequences.bags.rosbag2 import METADATA
from drcn_ros.sequences.bags.writer import write_bag
from drcn_ros.sequences.rendered import Rendered

if TYPE_CHECKING:
    from drcn_ros.ros.session.live import LiveRun

_ROOM = "demo_room"
_RUN = "run"
_MATCHES = "matches.png"
_LOG = "node.log"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("input", nargs="?", metavar="INPUT", help=f"{INPUT_HELP}; none: a rendered room")
    parser.add_argument(
        "--out", type=Path, default=Path("demo_output"), metavar="DIR", help="results (default %(default)s)"
    )
    add_source_options(parser)
    add_selection_options(parser)
    add_parameter_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Play, judge, draw, print; return 0, or 1 when the node gave no answer."""
    require_rclpy()
    config = configuration(arguments)
    chosen = selection(arguments)
    out: Path = arguments.out
    claim(out, (_MATCHES, _LOG))
    source = arguments.input or str(_room(out / _ROOM))
    sequence = open_sequence(source, source_options(arguments))
    if sequence.camera is None:
        print("note: no calibration, so there are no poses; give one with --camera FILE", file=sys.stderr)
    live = _play(sequence, chosen, config, out)
    answered = sum(bool(record.status) for record in live.frames.values())
    if not answered:
        msg = f"the node answered none of {len(live.published)} frames; its output is in {out / _LOG}"
        raise DrcnError(msg)
    content, picture = _judge(source, sequence, chosen, config, live, out)
    for note in sequence.notes.lines:
        print(f"note: {note}", file=sys.stderr)
    print(text_table(_table(live, answered, content)))
    print()
    print(f"trajectory: {out / _RUN / 'trajectory.png'}")
    if picture is not None:
        print(f"matches:    {picture}")
    print(f"report:     {out / _RUN / 'report.html'}")
    return 0


def _room(folder: Path) -> Path:
    """Render the demo sequence into a bag, anew each time, and return its folder."""
    room = Rendered(scenario("demo"), "demo room")
    _say(f"rendering {len(room)} frames of a textured room into {folder}")
    with progress(len(room), "render") as bar, replaced_folder(folder, METADATA) as temporary:
        write_bag(room, temporary, on_frame=lambda count: bar.update())
    return folder


def _play(sequence: ImageSequence, chosen: Selection, config: NodeConfig, out: Path) -> LiveRun:
    from drcn_ros.ros.session.live import live_session
    from drcn_ros.ros.share import fast_dds_profile

    _say(f"starting vo_node with matcher {config.matcher.name}")
    with live_session(sequence.camera, flatten(config), out / _LOG, fast_dds_profile()) as session:
        _say("playing the sequence over DDS at a pace that this machine keeps up with")
        with progress(sequence.expected(chosen), "play") as bar:
            rate = session.play_as_camera(sequence.frames(chosen), bar.update)
        return session.run(rate)


def _judge(
    source: str,
    sequence: ImageSequence,
    chosen: Selection,
    config: NodeConfig,
    live: LiveRun,
    out: Path,
) -> tuple[Mapping[str, Any], Path | None]:
    """Write the run's folder and the picture of matches; return the metrics and the picture's path."""
    from drcn_ros.ros.session.live_steps import live_steps

    best = _BestMatches()

    def info() -> RunInfo:
        return RunInfo(
            source,
            sequence.kind,
            config.matcher.name,
            in_force(config.matcher),
            f"live at {live.rate_hz or 0.0:.1f} frames/s",
            chosen,
            flatten(config),
            sequence.notes.lines,
        )

    steps = best.watch(live_steps(sequence.frames(chosen), live.frames))
    content = evaluate(steps, sequence, info, out / _RUN)
    return content, best.write(out / _MATCHES)


class _BestMatches:
    """Remembers the pair of adjacent frames with the largest parallax, for the picture."""

    def __init__(self) -> None:
        self._last: Step | None = None
        self._pair: tuple[Step, Step] | None = None
        self._parallax = 0.0

    def watch(self, steps: Iterator[Step]) -> Iterator[Step]:
        """Pass the steps through."""
        for step in steps:
            last, self._last = self._last, step
            # The images of older references are not kept.
            adjacent = last is not None and last.frame.stamp_ns == step.estimate.reference_stamp_ns
            parallax = step.estimate.parallax_px or 0.0
            if last is not None and adjacent and step.matches is not None and parallax >= self._parallax:
                self._pair, self._parallax = (last, step), parallax
            yield step

    def write(self, path: Path) -> Path | None:
        """Draw the pair and return the file, or None where there was no pair.

        Raises:
            InputError: the file cannot be written.
        """
        if self._pair is None or self._pair[1].matches is None:
            return None
        reference, current = self._pair
        estimate = current.estimate
        agree = f"{estimate.inliers} of {estimate.matches} matches agree ({SHORT_KEY})"
        caption = f"{estimate.state.value}: {agree}"
        assert current.matches is not None
        picture = draw_matches(reference.frame.image, current.frame.image, current.matches, caption)
        with whole_file(path) as temporary:
            write_image(temporary, picture)
        return path


def _table(live: LiveRun, answered: int, content: Mapping[str, Any]) -> list[list[str]]:
    """Return the rows of the closing table."""
    frames, relative, ate = content["frames"], content["relative_pose"], content["ate_sim3"]
    rotation, direction = relative["rotation_deg"], relative["direction_deg"]
    latency = np.percentile(live.latencies_ms(), [50, 90])
    path = "-" if ate["path_m"] is None else f"{ate['rmse_m']:.3f} m of {ate['path_m']:.2f} m"
    return [
        ["", "median", "90th percentile"],
        ["rotation error [deg]", number(rotation["median"], 3), number(rotation["p90"], 3)],
        ["direction error [deg]", number(direction["median"], 2), number(direction["p90"], 2)],
        ["image in to result out [ms]", number(float(latency[0]), 0), number(float(latency[1]), 0)],
        ["", "", ""],
        ["frames in", f"{len(live.published)}, the camera at {live.rate_hz or 0.0:.1f} a second", ""],
        ["frames out", f"{answered}, {len(live.published) - answered} dropped", ""],
        ["states", ", ".join(f"{name} {count}" for name, count in frames["states"].items()), ""],
        ["frames with a judged direction", str(direction["pairs"]), ""],
        ["path error after Sim(3)", path, ""],
    ]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
