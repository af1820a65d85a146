# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Finished runs side by side: a table, one picture, one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from drcn_ros.errors import InputError
from drcn_ros.evaluation.frame_rows import FrameRow, read_rows
from drcn_ros.evaluation.metrics.summary import AlignedPaths, align
from drcn_ros.evaluation.metrics_file import HEADINGS, read_metrics, table_row
from drcn_ros.evaluation.report import html
from drcn_ros.evaluation.report.plots import plot_comparison
from drcn_ros.results.replacing import claim, whole_file
from drcn_ros.sequences.trajectories.files import read_trajectory
from drcn_ros.sequences.trajectories.trajectory import Trajectory

PICTURE, PAGE = "comparison.png", "comparison.html"

# True positions of one frame in two runs that differ by more are of two truths, metres.
_SAME_TRUTH_M = 1e-4


@dataclass(frozen=True)
class FinishedRun:
    """What a run left behind.

    Attributes:
        metrics: content of `metrics.json`.
        rows: of `frames.csv`.
        paths: estimated and true.
    """

    metrics: Mapping[str, Any]
    rows: Sequence[FrameRow]
    paths: AlignedPaths


def read_run(folder: Path) -> FinishedRun:
    """Read the folder of a run.

    Raises:
        InputError: it is no such folder, or damaged.
    """
    metrics = read_metrics(folder)
    truth = folder / "groundtruth.tum"
    file = folder / "trajectory.tum"
    # A run without a single pose leaves an empty file.
    empty = file.is_file() and file.stat().st_size == 0
    estimate = Trajectory.from_poses([], np.zeros((0, 4, 4))) if empty else read_trajectory(file)
    paths = align(estimate, read_trajectory(truth) if truth.is_file() else None)
    return FinishedRun(metrics, read_rows(folder / "frames.csv"), paths)


def names_of(folders: Sequence[Path]) -> list[str]:
    """Return the shortest ends of paths that tell them apart."""
    parts = [folder.resolve().parts for folder in folders]
    for count in range(1, max(len(entry) for entry in parts) + 1):
        names = ["/".join(entry[-count:]) for entry in parts]
        if len(set(names)) == len(names):
            return names
    msg = "the same run is named twice; compare different ones"
    raise InputError(msg)


def differences(runs: Mapping[str, FinishedRun]) -> list[str]:
    """Return what keeps the numbers of runs from being compared, each against the first, a sentence each.

    The frames are told by their stamps. Sequences that count from zero share them, so the true positions
    and, where there are none, the names of the inputs must agree too.
    """
    (first, yardstick), *others = runs.items()
    return [line for name, run in others for line in _differences((first, yardstick), (name, run))]


def _differences(one: tuple[str, FinishedRun], other: tuple[str, FinishedRun]) -> list[str]:
    (first, a), (second, b) = one, other
    both = f"{first!r} and {second!r}"
    sources = f"{a.metrics['input']} and {b.metrics['input']}"
    stamps_a, stamps_b = ({row.stamp for row in run.rows} for run in (a, b))
    common = len(stamps_a & stamps_b)
    if not common:
        return [f"{both} are of different sequences, {sources}: no frame in common, so compare none of it"]
    told = []
    if stamps_a != stamps_b:
        told.append(
            f"{both} are not of the same frames: {len(stamps_a)} and {len(stamps_b)}, {common} in common; "
            "evaluate both with the same --start, --duration and --step"
        )
    _, at_a, at_b = np.intersect1d(a.paths.stamps_ns, b.paths.stamps_ns, return_indices=True)
    if not len(a.paths.truth) or not len(b.paths.truth) or not len(at_a):
        if Path(a.metrics["input"]).name != Path(b.metrics["input"]).name:
            told.append(f"{both} are of {sources}; nothing tells whether these are the same frames")
    elif np.abs(a.paths.truth[at_a, :3, 3] - b.paths.truth[at_b, :3, 3]).max() > _SAME_TRUTH_M:
        told.append(f"{both} have different ground truth at the same stamps: {sources}")
    least_a, least_b = (run.metrics["relative_pose"]["direction_deg"]["min_motion_m"] for run in (a, b))
    if least_a != least_b:
        told.append(f"{both} were judged with --min-motion {least_a:g} and {least_b:g}")
    return told


def compare(runs: Mapping[str, FinishedRun], folder: Path) -> list[list[str]]:
    """Write picture and page of several runs into a folder; return the table, headings first.

    Raises:
        InputError: the folder cannot be written to, or holds such a file that no earlier run has made.
    """
    table = [list(HEADINGS), *(table_row(name, run.metrics) for name, run in runs.items())]
    claim(folder, (PICTURE, PAGE))
    with whole_file(folder / PICTURE) as picture, whole_file(folder / PAGE) as page:
        paths = {name: run.paths for name, run in runs.items()}
        plot_comparison(paths, {name: run.rows for name, run in runs.items()}, picture)
        inputs = ", ".join(dict.fromkeys(str(run.metrics["input"]) for run in runs.values()))
        caption = (
            "Paths aligned by a similarity (Sim3); share of all frames below each value, with a triangle "
        )
        caption += "where a curve goes on; a frame without a value counts as above all"
        parts = [
            html.notes(differences(runs)),
            html.section("Table", html.table(table)),
            html.section("Picture", html.picture(picture, caption)),
        ]
        text = html.page("Comparison of runs", inputs, [part for part in parts if part])
        page.write_text(text, encoding="utf-8", errors="backslashreplace")
    return table
