# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn evaluate`: run the odometry over a bag or data set and judge it, or compare finished runs."""

from __future__ import annotations

import argparse
import math
import shlex
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from drcn_ros.cli.inputs import (
    INPUT_HELP,
    add_selection_options,
    add_sequence_options,
    selection,
    sequence_options,
)
from drcn_ros.cli.live import live_run, live_run_at_rate
from drcn_ros.cli.parameters import add_parameter_options, configuration
from drcn_ros.cli.progress import progress
from drcn_ros.cli.values import known_names, require_at_least
from drcn_ros.configuration import flatten
from drcn_ros.errors import InputError
from drcn_ros.evaluation.compare import PAGE, PICTURE, compare, differences, names_of, read_run
from drcn_ros.evaluation.evaluate import RUN_FILES, evaluate
from drcn_ros.evaluation.frame_rows import FrameRow
from drcn_ros.evaluation.metrics_file import FILE as METRICS
from drcn_ros.evaluation.metrics_file import HEADINGS, RunInfo, number, table_row, text_table
from drcn_ros.evaluation.report.film import SUFFIX as FILM_SUFFIX
from drcn_ros.evaluation.report.film import Film
from drcn_ros.evaluation.report.page import FILE as REPORT
from drcn_ros.evaluation.run_log import LogOptions
from drcn_ros.evaluation.runner import Step, run_direct
from drcn_ros.evaluation.still_note import StillNote
from drcn_ros.matching.config import MATCHERS
from drcn_ros.matching.device import in_force
from drcn_ros.odometry.states import Reason
from drcn_ros.results.replacing import refuse_foreign, replaced_folder, whole_file
from drcn_ros.ros.config import NodeConfig
from drcn_ros.ros.dependency import require_rclpy
from drcn_ros.sequences import ImageSequence, open_sequence
from drcn_ros.sequences.calibrations import GUESSED_DEG


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("input", nargs="?", metavar="INPUT", help=INPUT_HELP)
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the results")
    add_sequence_options(parser)
    add_selection_options(parser)
    add_parameter_options(parser)
    group = parser.add_argument_group("judging")
    group.add_argument("--baseline", default="", metavar="A,B", help="other matchers on the same frames")
    group.add_argument("--compare", nargs="+", type=Path, metavar="DIR", help="compare finished runs")
    group.add_argument(
        "--live", action="store_true", help="play to the real node over DDS and wait for each answer"
    )
    group.add_argument(
        "--rate", type=float, metavar="R", help="with --live: R times real time, without waiting"
    )
    group.add_argument(
        "--matches", type=int, default=0, metavar="N", help="draw the matches of every N-th frame"
    )
    group.add_argument(
        "--film", type=Path, metavar="GIF", help="a moving picture of the frames, their matches and the path"
    )
    group.add_argument(
        "--min-motion",
        type=float,
        default=0.01,
        metavar="M",
        help="least true motion between two frames that has a direction, metres (default %(default)s)",
    )
    group.add_argument(
        "--no-timing", action="store_true", help="write no wall times: two runs give the same bytes"
    )


def run(arguments: argparse.Namespace) -> int:
    """Evaluate or compare, print the table, return 0."""
    if arguments.compare:
        return _compare(arguments.compare, arguments.out or Path("comparison"))
    if arguments.input is None:
        msg = "name an INPUT to evaluate, or --compare DIR DIR for finished runs"
        raise InputError(msg)
    if arguments.rate is not None and not (arguments.live and 0 < arguments.rate < math.inf):
        msg = f"--rate {arguments.rate:g}: must be above 0 and go with --live"
        raise InputError(msg)
    require_at_least(0, arguments, "--matches")
    if not 0 <= arguments.min_motion < math.inf:
        msg = f"--min-motion {arguments.min_motion:g}: give metres, 0 or more"
        raise InputError(msg)
    if arguments.film is not None and arguments.film.suffix.lower() != FILM_SUFFIX:
        msg = f"film {arguments.film}: name it *{FILM_SUFFIX}"
        raise InputError(msg)
    if arguments.live:
        require_rclpy()
    config = configuration(arguments)
    baselines = _baselines(arguments.baseline, config.matcher.name)
    chosen = selection(arguments)
    sequence = open_sequence(arguments.input, sequence_options(arguments, config))
    told = [*([] if sequence.camera else [no_calibration(arguments)]), *sequence.notes.lines]
    for note in told:
        print(f"note: {note}", flush=True)
    folder = arguments.out or _default_folder(arguments.input, config.matcher.name, chosen.step)
    # All runs come into place together: a result without one of its baselines would look like a whole one.
    with replaced_folder(folder, METRICS) as temporary:
        below = {name: f"baseline_{name}" for name in baselines}
        refuse_foreign(folder, [*RUN_FILES, *((PAGE, PICTURE) if below else ())])
        for name in below.values():
            refuse_foreign(folder / name, RUN_FILES)
        runs = {config.matcher.name: temporary}
        film = None if arguments.film is None else Film()
        _evaluate(arguments, sequence, config, temporary, film)
        for name in baselines:
            runs[name] = temporary / below[name]
            _evaluate(arguments, sequence, configuration(arguments, name), runs[name])
        finished = {name: read_run(path) for name, path in runs.items()}
        if baselines:
            compare(finished, temporary)
    table = [list(HEADINGS), *(table_row(name, entry.metrics) for name, entry in finished.items())]
    print(text_table(table))
    for name, entry in finished.items():
        if entry.metrics["live"] is not None:
            print(f"{name}: {_live_text(entry.metrics['live'])}")
    for note in finished[config.matcher.name].metrics["notes"]:
        if note not in told:
            print(f"note: {note}")
    if film is not None:
        with whole_file(arguments.film) as file:
            film.write(file, sequence.ground_truth)
        print(f"film:   {arguments.film}")
    print(f"report: {folder / (PAGE if baselines else REPORT)}")
    return 0


def _evaluate(
    arguments: argparse.Namespace,
    sequence: ImageSequence,
    config: NodeConfig,
    folder: Path,
    film: Film | None = None,
) -> None:
    chosen, name = selection(arguments), config.matcher.name
    options = LogOptions(arguments.min_motion, arguments.matches, not arguments.no_timing)

    mode, live = "direct", None

    def info() -> RunInfo:
        return RunInfo(
            arguments.input,
            sequence.kind,
            name,
            in_force(config.matcher),
            mode,
            chosen,
            flatten(config),
            sequence.notes.lines,
            live,
        )

    still = StillNote()

    def remarks(rows: Sequence[FrameRow]) -> list[str]:
        return _remarks(sequence, rows, config, no_calibration(arguments)) + still.lines()

    def on_step(step: Step) -> None:
        still.add(step.estimate)
        if film is not None:
            film.add(step.frame, step.estimate, step.matches)
        bar.update()

    with progress(sequence.expected(chosen), name) as bar, ExitStack() as stack:
        if not arguments.live:
            steps = run_direct(sequence, chosen, config)
        elif arguments.rate is None:
            mode = "live"
            steps = stack.enter_context(live_run(sequence, chosen, config))
        else:
            mode = f"live at {arguments.rate:g}x"
            steps, live = live_run_at_rate(sequence, chosen, config, arguments.rate)
        evaluate(steps, sequence, info, folder, options, on_step, remarks)


def _live_text(live: Mapping[str, Any]) -> str:
    latency = live["latency_ms"]
    return (
        f"{live['answered']} of {live['published']} frames answered, {live['dropped']} dropped; image in to "
        f"result out {number(latency['median'], 1)} ms median, {number(latency['p95'], 1)} ms 95th percentile"
    )


def no_calibration(arguments: argparse.Namespace) -> str:
    """Return what to type where an input has no calibration."""
    return (
        "no calibration, so there are no poses; give one with --camera FILE, or for a first look type: "
        f"drcn evaluate {shlex.quote(arguments.input)} --fov {GUESSED_DEG:g}"
    )


def _remarks(
    sequence: ImageSequence, rows: Sequence[FrameRow], config: NodeConfig, no_calibration: str
) -> list[str]:
    """Return what explains a poor verdict and lies in the user's hand."""
    remarks = []
    if sequence.camera is None:
        remarks.append(no_calibration)
    if sequence.ground_truth is None:
        remarks.append("no ground truth, so nothing is judged; give one with --gt FILE")
    waiting = [row for row in rows if row.reason == Reason.CALIBRATION_MISMATCH.name]
    if waiting:
        remarks.append(f"{len(waiting)} frames without a pose: {waiting[0].detail}")
    jumps = sum(row.reason == Reason.CLOCK_JUMP.name for row in rows)
    if jumps:
        gap = f"{config.max_gap:g} s"
        text = f"tracking started anew at {jumps} frames that came more than {gap} after the last"
        remarks.append(f"{text}, or before it for good; allow it with --set max_gap=SECONDS")
    late = sum(row.reason == Reason.LATE_FRAME.name for row in rows)
    if late:
        remarks.append(f"{late} frames came after later ones and were left out")
    return remarks


def _compare(folders: Sequence[Path], out: Path) -> int:
    names = names_of(folders)
    runs = {name: read_run(folder) for name, folder in zip(names, folders, strict=True)}
    print(text_table(compare(runs, out)))
    for note in differences(runs):
        print(f"note: {note}")
    print(f"comparison: {out / PAGE}")
    return 0


def _baselines(text: str, matcher: str) -> list[str]:
    wanted = known_names(text, "--baseline", MATCHERS) if text else []
    return [name for name in dict.fromkeys(wanted) if name != matcher]


def _default_folder(source: str, matcher: str, step: int) -> Path:
    stem = Path(source.rstrip("/*")).name or "input"
    return Path("evaluation") / (f"{stem}_{matcher}" + (f"_step{step}" if step > 1 else ""))
