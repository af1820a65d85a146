# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One run from its first frame to the finished folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from drcn_ros.errors import InputError
from drcn_ros.evaluation.estimates import EstimatedPath
from drcn_ros.evaluation.frame_rows import FrameRow
from drcn_ros.evaluation.metrics.drift import Drift, drift, rotation_drift
from drcn_ros.evaluation.metrics.rim import RimResiduals
from drcn_ros.evaluation.metrics.summary import AlignedPaths, align
from drcn_ros.evaluation.metrics_file import FILE, RunInfo, metrics_content, write_metrics
from drcn_ros.evaluation.report.page import FILE as REPORT
from drcn_ros.evaluation.report.page import PICTURES, write_report
from drcn_ros.evaluation.run_log import LogOptions, RunLog
from drcn_ros.evaluation.runner import Step
from drcn_ros.results.replacing import refuse_foreign, replaced_folder
from drcn_ros.sequences import ImageSequence
from drcn_ros.sequences.ground_truth.check import coverage, truth_lines
from drcn_ros.sequences.trajectories.files import kitti_lines, tum_lines
from drcn_ros.sequences.trajectories.trajectory import Trajectory

# All that a run may write, as patterns of names.
RUN_FILES = (FILE, REPORT, "frames.csv", "trajectory.tum", "trajectory.kitti", "groundtruth.tum", *PICTURES)


@dataclass(frozen=True)
class JudgedRun:
    """A run whose frames have all been judged.

    Attributes:
        content: of `metrics.json`.
        log: rows, errors, worst frames.
        path: the accumulated poses.
        paths: those with ground truth, and the truth.
        drift: of scale and rotation along the true path.
    """

    content: dict[str, Any]
    log: RunLog
    path: EstimatedPath
    paths: AlignedPaths
    drift: Drift


def judge(
    steps: Iterable[Step],
    sequence: ImageSequence,
    info: Callable[[], RunInfo],
    folder: Path,
    options: LogOptions | None = None,
    on_step: Callable[[Step], None] | None = None,
    remarks: Callable[[Sequence[FrameRow]], list[str]] | None = None,
) -> JudgedRun:
    """Take the steps of a run one by one and judge them; `frames.csv` grows in `folder` meanwhile.

    Arguments and errors are those of `evaluate`.
    """
    options = options or LogOptions()
    log = RunLog(folder, sequence.ground_truth, options)
    rim = RimResiduals(sequence.camera)
    try:
        for step in steps:
            log.add(step.frame, step.estimate, step.matches)
            rim.add(step.estimate, step.matches)
            if on_step is not None:
                on_step(step)
    finally:
        log.close()
    if not log.rows:
        why = "; ".join(sequence.notes.lines) or "check --start, --duration and --step"
        msg = f"{sequence.name}: not one frame was left to process; {why}"
        raise InputError(msg)
    about = info()
    stamps, truth = [row.stamp for row in log.rows], sequence.ground_truth
    fits = truth_lines(stamps, log.turns, truth, sequence.truth_offset_s)
    check = rim.check()
    more = [*(remarks(log.rows) if remarks else ()), *fits, *([check.note] if check.note else ())]
    about = replace(about, notes=[*about.notes, *more])
    path = log.path()
    paths = align(path.known, sequence.ground_truth)
    segment_at = {row.stamp: row.segment for row in log.rows}
    segments = [segment_at[int(stamp)] for stamp in paths.stamps_ns]
    drifts = drift(paths, segments), rotation_drift(paths, segments)
    covered = coverage(stamps, truth)
    content = metrics_content(about, log.rows, log.errors, paths, drifts, check, covered, options.min_motion)
    return JudgedRun(content, log, path, paths, drifts[0])


def evaluate(
    steps: Iterable[Step],
    sequence: ImageSequence,
    info: Callable[[], RunInfo],
    folder: Path,
    options: LogOptions | None = None,
    on_step: Callable[[Step], None] | None = None,
    remarks: Callable[[Sequence[FrameRow]], list[str]] | None = None,
) -> dict[str, Any]:
    """Judge the steps of a run and write its folder; return the content of `metrics.json`.

    The folder appears when everything in it is complete; an earlier result in its place is replaced.

    Args:
        steps: of the run, in order.
        sequence: what it runs over; gives the ground truth.
        info: asked after the last step, when the sequence has told all its notes.
        folder: to be written.
        options: what is judged and kept.
        on_step: told each step after it was judged.
        remarks: notes that follow from the finished rows.

    Raises:
        InputError: the input is damaged or has no frames, or the folder cannot be written.
    """
    with replaced_folder(folder, FILE) as temporary:
        refuse_foreign(folder, RUN_FILES)
        run = judge(steps, sequence, info, temporary, options, on_step, remarks)
        (temporary / "trajectory.tum").write_text("".join(tum_lines(run.path.known)), encoding="utf-8")
        (temporary / "trajectory.kitti").write_text("".join(kitti_lines(run.path.every)), encoding="utf-8")
        if len(run.paths.truth):
            truth = Trajectory(run.paths.stamps_ns, run.paths.truth, oriented=run.paths.oriented)
            (temporary / "groundtruth.tum").write_text("".join(tum_lines(truth)), encoding="utf-8")
        write_metrics(run.content, temporary)
        write_report(run.content, run.log.rows, run.paths, run.drift, run.log.worst(), temporary)
    return run.content
