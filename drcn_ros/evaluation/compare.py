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
        caption = "Paths aligned by a similarity (Sim3); share of all frames below each value"
        parts = [
            html.section("Table", html.table(table)),
            html.section("Picture", html.picture(picture, caption)),
        ]
        text = html.page("Comparison of runs", inputs, parts)
        page.write_text(text, encoding="utf-8", errors="backslashreplace")
    return table
