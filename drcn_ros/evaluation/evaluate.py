# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One run from its first frame to the finished folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from drcn_ros.errors import InputError
from drcn_ros.evaluation.metrics import align
from drcn_ros.evaluation.replacing import replaced_folder
from drcn_ros.evaluation.report import write_report
from drcn_ros.evaluation.run_data import FrameRow
from drcn_ros.evaluation.run_log import LogOptions, RunLog
from drcn_ros.evaluation.runner import Step
from drcn_ros.evaluation.sources import ImageSequence
from drcn_ros.evaluation.trajectory import Trajectory
from drcn_ros.evaluation.trajectory_files import kitti_lines, tum_lines
from drcn_ros.evaluation.verdict import FILE, RunInfo, verdict, write_verdict


def evaluate(
    steps: Iterable[Step],
    sequence: ImageSequence,
    info: Callable[[], RunInfo],
    folder: Path,
    options: LogOptions | None = None,
    on_step: Callable[[Step], None] | None = None,
    remarks: Callable[[Sequence[FrameRow]], list[str]] | None = None,
) -> dict[str, Any]:
    """Take the steps of a run and write its folder; return the content of `metrics.json`.

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
    options = options or LogOptions()
    with replaced_folder(folder, FILE) as temporary:
        log = RunLog(temporary, sequence.ground_truth, options)
        try:
            for step in steps:
                log.add(step.frame, step.estimate, step.matches)
                if on_step is not None:
                    on_step(step)
        finally:
            log.close()
        if not log.rows:
            msg = f"{sequence.name}: not one frame was left to process; check --start, --duration and --step"
            raise InputError(msg)
        about = info()
        about = replace(about, notes=[*about.notes, *(remarks(log.rows) if remarks else ())])
        path = log.path()
        paths = align(path.known, sequence.ground_truth)
        content = verdict(about, log.rows, log.errors, paths, options.min_motion)
        (temporary / "trajectory.tum").write_text("".join(tum_lines(path.known)), encoding="utf-8")
        (temporary / "trajectory.kitti").write_text("".join(kitti_lines(path.every)), encoding="utf-8")
        if len(paths.truth):
            truth = Trajectory(paths.stamps_ns, paths.truth)
            (temporary / "groundtruth.tum").write_text("".join(tum_lines(truth)), encoding="utf-8")
        write_verdict(content, temporary)
        write_report(content, log.rows, paths, log.worst(), temporary)
    return content
