# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`report.html` of one run, and its pictures as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from drcn_ros.evaluation.frame_rows import FrameRow
from drcn_ros.evaluation.metrics.drift import Drift
from drcn_ros.evaluation.metrics.summary import AlignedPaths
from drcn_ros.evaluation.metrics_file import number, rim_text, rotation_drift_text, scale_text
from drcn_ros.evaluation.report import html
from drcn_ros.evaluation.report.match_picture import KEY
from drcn_ros.evaluation.report.plots import (
    plot_counts,
    plot_drift,
    plot_errors,
    plot_latency,
    plot_path,
    plot_states,
)
from drcn_ros.evaluation.run_log import WorstFrame
from drcn_ros.foreign.images import write_image

FILE = "report.html"
PICTURES = (
    "trajectory.png", "drift.png", "errors.png", "states.png", "counts.png", "latency.png",
    "worst_[0-9]*.jpg", "matches/[0-9]*.jpg",
)  # fmt: skip

_JPEG_QUALITY = 88


def write_report(
    content: Mapping[str, Any],
    rows: Sequence[FrameRow],
    paths: AlignedPaths,
    drift: Drift,
    worst: Sequence[WorstFrame],
    folder: Path,
) -> None:
    """Write the pictures of a run and the page that shows them.

    Args:
        content: of `metrics.json`.
        rows: of all frames.
        paths: estimated and true.
        drift: of scale and rotation along the true path.
        worst: frames with their match pictures.
        folder: of the run.

    Raises:
        InputError: a picture cannot be written.
    """
    judged = paths.aligned is not None
    plot_path({content["matcher"]: paths}, folder / "trajectory.png")
    plot_drift(drift, folder / "drift.png")
    plot_errors(rows, folder / "errors.png")
    plot_states(rows, folder / "states.png")
    plot_counts(rows, folder / "counts.png")
    plot_latency(rows, folder / "latency.png")
    path_text = "Path from three sides, aligned to the ground truth by a similarity (Sim3)"
    parts = [
        html.notes(content["notes"]),
        html.section("Verdict", html.table(_verdict_rows(content), headings=False)),
        html.section(
            "Trajectory",
            html.picture(
                folder / "trajectory.png", path_text if judged else "Path from three sides, in unit steps"
            ),
        ),
        html.section(
            "Drift",
            html.picture(
                folder / "drift.png",
                "Lengths of pieces of the path, over the median; error of the rotation since the start",
            ),
        ),
        html.section(
            "Errors over time",
            html.picture(folder / "errors.png", "Each frame against its reference frame; below, the state"),
        ),
        html.section("Points", html.picture(folder / "counts.png", "Keypoints, matches, inliers, parallax")),
        html.section("Latency", html.picture(folder / "latency.png", "Wall time of a frame, and by stage")),
    ]
    if worst:
        parts.append(html.section("Worst frames", html.text(KEY), *_worst(worst, folder)))
    parameters = [
        ["parameter", "value"],
        *([name, str(value)] for name, value in content["parameters"].items()),
    ]
    parts.append(html.hidden("Parameters", html.table(parameters)))
    lead = f"{content['kind']}, matcher {content['matcher']}{_in_force(content)}, "
    lead += (
        f"every {_ordinal(content['step'])} frame, {_mode(content['mode'])}, drcn_ros {content['version']}"
    )
    page = html.page(f"Evaluation of {content['input']}", lead, [part for part in parts if part])
    # The input's name need not be text.
    (folder / FILE).write_text(page, encoding="utf-8", errors="backslashreplace")


def _verdict_rows(content: Mapping[str, Any]) -> list[list[str]]:
    frames, relative = content["frames"], content["relative_pose"]
    total = content["latency_ms"]["total"]
    direction, auc = relative["direction_deg"], relative["auc"]
    ate, kitti = content["ate_sim3"], content["kitti"]
    states = ", ".join(f"{count} {state}" for state, count in frames["states"].items())
    judged = f"{relative['pairs']} pairs, {relative['failed']} more without a pose"
    unmoved = (
        f"{direction['pairs']} pairs, {direction['unmoved']} moved less than {direction['min_motion_m']} m"
    )
    ate_text = f"{number(ate['rmse_m'], 4)} m rmse, {number(ate['percent_of_path'], 2)} % of the path"
    kitti_text = f"t_rel {number(kitti['t_rel_percent'], 2)} %, "
    kitti_text += f"r_rel {number(kitti['r_rel_deg_per_100m'], 2)} deg per 100 m ({kitti['parts']} parts)"
    covered = content["ground_truth"]
    truth = f"for {covered['known']} of {covered['frames']} frames ({covered['in_gaps']} in gaps, "
    return [
        ["Frames", f"{frames['total']}, {frames['valid']} with a valid pose ({states})"],
        ["Ground truth", f"{truth}{covered['outside']} before or after it)"],
        ["Rotation error", f"{_spread(relative['rotation_deg'], 3)} ({judged})"],
        ["Direction error", f"{_spread(direction, 2)} ({unmoved})"],
        ["AUC of the larger error", ", ".join(f"{number(auc[key], 1)} % at {key} deg" for key in auc)],
        ["Scale drift", f"{scale_text(content['scale_drift'])} (first, last, worst tenth of the run)"],
        ["Rotation drift", rotation_drift_text(content["rotation_drift"])],
        ["Residuals of the inliers", rim_text(content["rim"])],
        ["ATE after Sim(3)", f"{ate_text} of {number(ate['path_m'], 2)} m"],
        [f"KITTI, aligned by {kitti['alignment']}", kitti_text],
        *([["Latency", _latency(total)]] if total["median"] is not None else []),
    ]


def _spread(values: Mapping[str, Any], digits: int) -> str:
    return (
        f"median {number(values['median'], digits)} deg, 90th percentile {number(values['p90'], digits)} deg"
    )


def _latency(values: Mapping[str, Any]) -> str:
    return f"median {number(values['median'], 1)} ms, 95th percentile {number(values['p95'], 1)} ms"


def _worst(worst: Sequence[WorstFrame], folder: Path) -> list[str]:
    parts = []
    for place, frame in enumerate(worst, start=1):
        file = folder / f"worst_{place}.jpg"
        write_image(file, frame.picture, _JPEG_QUALITY)
        row = frame.row
        parts.append(html.picture(file, f"Frame {row.frame}: {row.state}, {row.detail}"))
    return parts


def _in_force(content: Mapping[str, Any]) -> str:
    if content["precision"] == "none":
        return f" on {content['device']}"
    return f" in {content['precision']} on {content['device']}"


def _mode(mode: str) -> str:
    """Return "live run at 1x" for "live at 1x"."""
    kind, *pace = mode.split(" ", 1)
    return " ".join([kind, "run", *pace])


def _ordinal(step: int) -> str:
    endings = {1: "st", 2: "nd", 3: "rd"}
    ending = "th" if step % 100 in (11, 12, 13) else endings.get(step % 10, "th")
    return "single" if step == 1 else f"{step}{ending}"
