# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of a run: the path from three sides, errors and states over time, drift, counts, latencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from drcn_ros.evaluation.frame_rows import FrameRow, column, seconds
from drcn_ros.evaluation.metrics.drift import Drift
from drcn_ros.evaluation.metrics.summary import AlignedPaths
from drcn_ros.evaluation.report.figures import ESTIMATE, TRUTH, WORSE, picture_file, say
from drcn_ros.geometry.types import Array
from drcn_ros.odometry.states import State

STATE_COLOURS = {
    State.WAITING_FOR_CALIBRATION.value: "#9e9e9e",
    State.INITIALIZING.value: "#f2c14e",
    State.TRACKING.value: "#4caf7a",
    State.ROTATION_ONLY.value: "#5aa9e6",
    State.STATIONARY.value: "#8e7cc3",
    State.LOST.value: "#e4572e",
}
_TRUTH_LINE: dict[str, Any] = {"color": TRUTH, "lw": 2.4, "alpha": 0.35, "label": "ground truth"}
_LINES = ("#1f77b4", "#e4572e", "#4caf7a", "#8e7cc3", "#f2a03d", "#00838f", "#ad1457", "#6d4c41")


def plot_path(paths: Mapping[str, AlignedPaths], file: Path) -> None:
    """Draw the aligned paths with the ground truth from three sides.

    Args:
        paths: by name; where one has no ground truth its own path is drawn as it is.
        file: PNG to write.
    """
    with picture_file(file, (11.0, 3.9)) as figure:
        axes = figure.subplots(1, 3)
        truth = next((entry.truth for entry in paths.values() if len(entry.truth)), None)
        drawn = {name: _positions(entry) for name, entry in paths.items()}
        # The two directions along which the path extends most come first: the view from above.
        everything = np.concatenate([*drawn.values(), np.zeros((0, 3)) if truth is None else truth[:, :3, 3]])
        a, b = widest_axes(everything)
        c = 3 - a - b
        for axis, (x, y) in zip(axes, ((a, b), (a, c), (b, c)), strict=True):
            if truth is not None:
                axis.plot(
                    truth[:, x, 3], truth[:, y, 3], color=TRUTH, lw=2.4, alpha=0.35, label="ground truth"
                )
            for colour, (name, points) in zip(_colours(len(drawn)), drawn.items(), strict=True):
                axis.plot(points[:, x], points[:, y], color=colour, lw=1.2, label=name)
                if len(points):
                    axis.plot(points[:1, x], points[:1, y], "o", color=colour, ms=4)
            axis.set_xlabel(f"{'xyz'[x]} [{_unit(truth)}]")
            axis.set_ylabel(f"{'xyz'[y]} [{_unit(truth)}]")
        _same_scale(axes, figure)
        axes[0].legend(loc="best", fontsize=8)


def plot_errors(rows: Sequence[FrameRow], file: Path) -> None:
    """Draw rotation and direction error over time, with the states below."""
    with picture_file(file, (11.0, 4.6)) as figure:
        top, middle, ribbon = figure.subplots(
            3, 1, sharex=True, gridspec_kw={"height_ratios": [3, 3, 0.7], "hspace": 0.34}
        )
        time = seconds(rows)
        _error_dots(top, time, column(rows, "rotation_error_deg"), "rotation error [deg]")
        _error_dots(middle, time, column(rows, "direction_error_deg"), "direction error [deg]")
        _ribbon(ribbon, time, rows)
        ribbon.set_xlabel("time [s]")


def plot_drift(drift: Drift, file: Path) -> None:
    """Draw the ratio of lengths along the true path, with its tenths, and the rotation's error below."""
    with picture_file(file, (11.0, 4.0)) as figure:
        top, bottom = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [3, 2], "hspace": 0.2})
        top.set_ylabel("estimated / true length")
        bottom.set_ylabel("rotation error [deg]")
        if not len(drift.ratios):
            say(top, "no ground truth, or hardly any motion")
            say(bottom, "")
            return
        middles = drift.pieces_m.mean(axis=1)
        top.plot(middles, drift.ratios, ".", ms=3.5, color=ESTIMATE, alpha=0.6, label="pieces")
        for part, (ratio, inside) in enumerate(
            zip(drift.tenths, np.array_split(drift.pieces_m, max(1, len(drift.tenths))), strict=False)
        ):
            label = "tenths of the run" if part == 0 else None
            top.plot([inside[0, 0], inside[-1, 1]], [ratio, ratio], color=WORSE, lw=2, label=label)
        top.axhline(1.0, color=TRUTH, lw=1, alpha=0.6)
        # Single wrong pieces must not squeeze the others.
        low, high = np.percentile(drift.ratios, [2, 98])
        lows, highs = (np.append(drift.tenths, [edge, 1.0]) for edge in (low, high))
        top.set_ylim(min(0.95, 0.97 * float(lows.min())), max(1.05, 1.03 * float(highs.max())))
        top.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)
        bottom.plot(drift.along_m, drift.rotation_deg, color=ESTIMATE, lw=1.2)
        bottom.set_ylim(bottom=0)
        bottom.set_xlabel("way along the true path [m]")


def plot_states(rows: Sequence[FrameRow], file: Path) -> None:
    """Draw the state of each frame as a ribbon."""
    with picture_file(file, (11.0, 1.3)) as figure:
        axis = figure.subplots()
        _ribbon(axis, seconds(rows), rows)
        axis.set_xlabel("time [s]")


def plot_counts(rows: Sequence[FrameRow], file: Path) -> None:
    """Draw the numbers of keypoints, matches and inliers over time, and the parallax."""
    with picture_file(file, (11.0, 3.8)) as figure:
        top, bottom = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [2, 1]})
        time = seconds(rows)
        for name, colour in (("keypoints", "#b0b0b0"), ("matches", "#f2a03d"), ("inliers", "#4caf7a")):
            top.plot(time, column(rows, name), color=colour, lw=1.2, label=name)
        top.set_ylim(bottom=0)
        top.set_ylabel("points")
        top.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3)
        bottom.plot(time, column(rows, "parallax_px"), color=ESTIMATE, lw=1.2)
        bottom.set_ylim(bottom=0)
        bottom.set_ylabel("parallax [px]")
        bottom.set_xlabel("time [s]")


def plot_latency(rows: Sequence[FrameRow], file: Path) -> None:
    """Draw how long frames took, and which stage took how much."""
    with picture_file(file, (11.0, 3.2)) as figure:
        left, right = figure.subplots(1, 2, gridspec_kw={"width_ratios": [2, 1]})
        total = column(rows, "total_ms")
        total = total[np.isfinite(total)]
        if not len(total):
            say(left, "no timing")
            say(right, "no timing")
            return
        longest = float(np.percentile(total, 99)) * 1.05 + 1e-6
        left.hist(total, bins=40, range=(0, longest), color=ESTIMATE)
        left.set_xlim(0, longest)
        if beyond := int((total > longest).sum()):
            left.set_title(f"{beyond} longer, up to {total.max():.0f} ms", loc="left", fontsize=9)
        for share, style in ((50, "-"), (95, "--")):
            value = float(np.percentile(total, share))
            left.axvline(value, color=TRUTH, ls=style, lw=1, label=f"{share} %: {value:.1f} ms")
        left.set_xlabel("latency of a frame [ms]")
        left.set_ylabel("frames")
        left.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)
        names = ("extract", "match", "geometry")
        values = [float(np.nanmedian(column(rows, f"{name}_ms"))) for name in names]
        right.barh(names[::-1], values[::-1], color=ESTIMATE)
        right.set_xlabel("median [ms]")
        right.grid(axis="y", visible=False)


def plot_comparison(
    paths: Mapping[str, AlignedPaths], rows: Mapping[str, Sequence[FrameRow]], file: Path
) -> None:
    """Draw several runs side by side: paths, error curves, latencies."""
    with picture_file(file, (11.5, 7.2)) as figure:
        grid = figure.add_gridspec(2, 3)
        view = figure.add_subplot(grid[:, 0])
        axes = [figure.add_subplot(grid[row, 1 + side]) for row in (0, 1) for side in (0, 1)]
        truth = next((entry.truth for entry in paths.values() if len(entry.truth)), None)
        positions = {name: _positions(entry) for name, entry in paths.items()}
        spread = truth[:, :3, 3] if truth is not None else np.concatenate(list(positions.values()))
        x, y = (
            sorted(int(side) for side in np.argsort(-np.ptp(spread, axis=0))[:2]) if len(spread) else (0, 1)
        )
        if truth is not None:
            view.plot(truth[:, x, 3], truth[:, y, 3], **_TRUTH_LINE)
        for colour, (name, points) in zip(_colours(len(rows)), positions.items(), strict=True):
            view.plot(points[:, x], points[:, y], color=colour, lw=1.1, label=name)
        view.set_aspect("equal", adjustable="datalim")
        view.set_xlabel(f"{'xyz'[x]} [{_unit(truth)}]")
        view.locator_params(axis="x", nbins=4)
        view.set_ylabel(f"{'xyz'[y]} [{_unit(truth)}]")
        view.legend(loc="best", fontsize=8)
        for axis, (name, label) in zip(
            axes,
            (
                ("rotation_error_deg", "rotation error [deg]"),
                ("direction_error_deg", "direction error [deg]"),
                ("inliers", "inliers"),
                ("total_ms", "latency [ms]"),
            ),
            strict=True,
        ):
            for colour, (run, table) in zip(_colours(len(rows)), rows.items(), strict=True):
                _cumulative(axis, column(table, name), colour, run)
            _mark_ends(axis)
            axis.set_xlabel(label)
            axis.set_ylabel("share of all frames")
            axis.locator_params(axis="x", nbins=6)
            axis.set_ylim(0, 1)


def _error_dots(axis: Any, time: Array, values: Array, label: str) -> None:
    """Draw errors as dots; the few that would squeeze all others become triangles at the upper edge."""
    axis.set_ylabel(label)
    known = np.isfinite(values)
    if not known.any():
        say(axis, "no ground truth")
        return
    median, top = float(np.median(values[known])), max(1e-3, 1.15 * float(np.percentile(values[known], 97)))
    above = known & (values > top)
    # Not clipped: an error of exactly 0 lies on the axis.
    axis.plot(time[known & ~above], values[known & ~above], ".", ms=3.5, color=ESTIMATE, clip_on=False)
    axis.plot(time[above], np.full(int(above.sum()), 0.97 * top), "^", ms=4, color=WORSE)
    axis.axhline(median, color=ESTIMATE, lw=1, alpha=0.6)
    text = f"median {median:.3g} deg" + (f", {int(above.sum())} above {top:.3g} deg" if above.any() else "")
    axis.set_title(text, loc="right", fontsize=9)
    axis.set_ylim(0, top)


def _cumulative(axis: Any, values: Array, colour: str, label: str) -> None:
    """Draw the share of all frames whose value is known and below each; one that is lost has none."""
    known = np.sort(values[np.isfinite(values)])
    if not len(known):
        return
    share = (np.arange(len(known)) + 1) / len(values)
    axis.plot(known, share, color=colour, lw=1.3, label=label)
    before = axis.get_xlim()[1] if axis.lines[1:] else 0.0
    axis.set_xlim(0, max(before, float(np.percentile(known, 97)) * 1.05 + 1e-9))


def _mark_ends(axis: Any) -> None:
    """Put a triangle where a curve leaves the axis to the right."""
    right = axis.get_xlim()[1]
    for line in list(axis.lines):
        values, share = line.get_data()
        if values[-1] > right:
            at = share[max(0, int(np.searchsorted(values, right)) - 1)]
            axis.plot([right], [at], ">", color=line.get_color(), ms=5, clip_on=False)
    axis.set_xlim(0, right)


def _ribbon(axis: Any, time: Array, rows: Sequence[FrameRow]) -> None:
    """Fill one block for each stretch of frames in the same state."""
    if not rows:
        say(axis, "no frames")
        return
    last = time[-1] + (float(np.median(np.diff(time))) if len(time) > 1 else 1.0)
    edges = [*time.tolist(), float(last)]
    start = 0
    for index in range(1, len(rows) + 1):
        if index == len(rows) or rows[index].state != rows[start].state:
            axis.axvspan(edges[start], edges[index], color=STATE_COLOURS[rows[start].state], lw=0)
            start = index
    axis.set_yticks([])
    axis.set_ylim(0, 1)
    axis.grid(visible=False)
    present = [state for state in STATE_COLOURS if any(row.state == state for row in rows)]
    patches = [Patch(color=STATE_COLOURS[state], label=state) for state in present]
    axis.legend(handles=patches, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=6, fontsize=8)


def _same_scale(axes: Sequence[Any], figure: Figure) -> None:
    """Let a metre be as long in all panels and both directions: centimetres must not look large in one."""
    sides = figure.get_size_inches()
    spans = [np.array(axis.get_position().size) * sides for axis in axes]
    limits = [np.array([axis.dataLim.intervalx, axis.dataLim.intervaly]) for axis in axes]
    # Without a single point the limits are not finite.
    limits = [each if np.isfinite(each).all() else np.zeros((2, 2)) for each in limits]
    most = max(float((np.ptp(each, axis=1) / span).max()) for each, span in zip(limits, spans, strict=True))
    per_inch = 1.1 * most or 1.0
    for axis, each, span in zip(axes, limits, spans, strict=True):
        for set_limits, middle, half in zip(
            (axis.set_xlim, axis.set_ylim), each.mean(axis=1), 0.5 * per_inch * span, strict=True
        ):
            set_limits(middle - half, middle + half)


def widest_axes(points: Array) -> tuple[int, int]:
    """Return the two axes along which points (N, 3) extend most."""
    if not len(points):
        return 0, 1
    first, second = sorted(int(axis) for axis in np.argsort(-np.ptp(points, axis=0))[:2])
    return first, second


def _positions(paths: AlignedPaths) -> Array:
    poses = paths.estimate if paths.aligned is None else paths.aligned
    return poses[:, :3, 3]


def _colours(count: int) -> list[str]:
    return [_LINES[index % len(_LINES)] for index in range(count)]


def _unit(truth: Array | None) -> str:
    return "unit steps" if truth is None else "m"
