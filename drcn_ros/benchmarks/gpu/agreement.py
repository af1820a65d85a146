# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""How far what a device finds in each precision is from what the CPU finds in float32, on the same frames."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from drcn_ros.benchmarks.gpu.inputs import frames_file, sizes
from drcn_ros.benchmarks.gpu.parts import Row, Settings, attempt
from drcn_ros.benchmarks.speed.benchmark import matcher_config
from drcn_ros.benchmarks.speed.frames import load_frames
from drcn_ros.geometry.camera import Camera
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.odometry.config import OdometryConfig
from drcn_ros.odometry.types import Frame, Result
from drcn_ros.odometry.visual_odometry import VisualOdometry

_MATCHERS = ("drcn", "d2net", "anchored")
_PRECISIONS = ("float16", "float32", "bfloat16")
# A point within this distance, pixels, is the same.
_SAME = 0.5
# Odometry is compared over as many frames; each keeps its own references, as on a robot.
_FRAMES = 12
_THREADS = 8


@dataclass(frozen=True)
class Difference:
    """How two runs over the same frames differ.

    Attributes:
        keypoints, matches: shares of the first run's that the second has, too.
        change_px: (M,) how far apart the displacements of the same matches are.
        rotation_deg, direction_deg: (F,) angles between the motions since the same reference.
        same_reference: share of the frames that both compare with the same earlier frame.
    """

    keypoints: float
    matches: float
    change_px: NDArray[np.float64]
    rotation_deg: NDArray[np.float64]
    direction_deg: NDArray[np.float64]
    same_reference: float


def rows(settings: Settings) -> Iterator[Row]:
    """Compare each matcher on the compact network in each precision."""
    torch.set_num_threads(min(_THREADS, os.cpu_count() or 1))
    frames, camera = load_frames(frames_file(settings, sizes(settings)[0]))
    frames = frames[:_FRAMES]
    for name in _MATCHERS:
        wanted = _run(matcher_config(name, device="cpu", precision="float32"), frames, camera)
        for precision in _PRECISIONS:
            case = {"matcher": name, "size": f"{camera.width}x{camera.height}", "precision": precision}
            config = matcher_config(name, device=settings.device, precision=precision)
            yield from attempt(
                case,
                lambda: [_row(case, difference(wanted, _run(config, frames, camera)))],  # noqa: B023
            )


def difference(wanted: Sequence[Result], found: Sequence[Result]) -> Difference:
    """Compare two runs over the same frames."""
    keypoints, matches, changes, rotations, directions, references = [], [], [], [], [], []
    for one, other in zip(wanted, found, strict=True):
        row, near = _nearest(one.keypoints.points, other.keypoints.points)
        keypoints.append(near)
        same = one.reference_stamp_ns == other.reference_stamp_ns
        references.append(same)
        if one.reference_stamp_ns is None or not same:
            continue
        first, second = _lines(one), _lines(other)
        row, near = _nearest(first, second)
        matches.append(near)
        moved = [lines[:, 2:] - lines[:, :2] for lines in (first[near], second[row[near]])]
        changes.append(np.linalg.norm(moved[0] - moved[1], axis=1))
        if one.rotation is not None and other.rotation is not None:
            # Of the trace an angle below 1e-4 degrees is only rounding; the norm tells it.
            gap = float(np.linalg.norm(one.rotation - other.rotation)) / np.sqrt(8.0)
            rotations.append(np.degrees(2 * np.arcsin(min(gap, 1.0))))
        if one.relative_pose is not None and other.relative_pose is not None:
            gap = float(np.linalg.norm(one.relative_pose.translation - other.relative_pose.translation)) / 2
            directions.append(np.degrees(2 * np.arcsin(min(gap, 1.0))))
    return Difference(
        _share(keypoints),
        _share(matches),
        np.concatenate(changes) if changes else np.zeros(0),
        np.array(rotations),
        np.array(directions),
        float(np.mean(references)),
    )


def _run(config: MatcherConfig, frames: Sequence[Frame], camera: Camera) -> list[Result]:
    odometry = VisualOdometry(OdometryConfig(matcher=config), camera)
    return [odometry.process(frame) for frame in frames]


def _lines(result: Result) -> NDArray[np.float32]:
    return np.hstack([result.matches.reference_points, result.matches.current_points])


def _nearest(
    points: NDArray[np.float32], others: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return (N,) the closest of the others, and whether both of its ends are near enough."""
    if len(others) == 0:
        return np.zeros(len(points), np.int64), np.zeros(len(points), np.bool_)
    distance = np.zeros((len(points), len(others)), np.float32)
    for end in range(0, points.shape[1], 2):
        gaps = points[:, None, end : end + 2] - others[None, :, end : end + 2]
        np.maximum(distance, np.linalg.norm(gaps, axis=2), out=distance)
    row = distance.argmin(axis=1)
    return row, distance[np.arange(len(points)), row] <= _SAME


def _share(parts: Sequence[NDArray[np.bool_]]) -> float:
    joined = np.concatenate(parts) if parts else np.zeros(0, np.bool_)
    return float(joined.mean()) if len(joined) else float("nan")


def _row(case: dict[str, str], found: Difference) -> Row:
    def told(values: NDArray[np.float64]) -> str:
        if len(values) == 0:
            return "none"
        return f"{np.median(values):.2g} ({np.percentile(values, 95):.2g})"

    return Row(
        "against the CPU in float32",
        {
            **case,
            "keypoints kept, %": 100 * found.keypoints,
            "matches kept, %": 100 * found.matches,
            "change, px, median (95 %)": told(found.change_px),
            "rotation, deg": told(found.rotation_deg),
            "direction, deg": told(found.direction_deg),
            "same reference, %": 100 * found.same_reference,
        },
    )
