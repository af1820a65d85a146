# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a map of many keyframes costs: made-up frames that go round and round through made-up points."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import psutil

from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.geometry.types import Array
from drcn_ros.geometry.uncertain_pose import UncertainPose, invert
from drcn_ros.mapping import FramePoints, Mapper, MappingConfig, TrackedFrame
from drcn_ros.mapping.config import SpacingConfig

_RADIUS, _ROUND = 60.0, 250
_POINTS, _CHANNELS = 40_000, 64
_FOCAL, _CENTRE = 460.0, np.array([319.5, 239.5])
# Deviations of each step of the odometry: metres and radians.
_STEP_NOISE = np.array([0.01] * 3 + [0.001] * 3)


@dataclass(frozen=True)
class LoadReport:
    """What a map took.

    Attributes:
        keyframes, loops, rejected, compared: their numbers.
        seconds: processor time of the map, all of it.
        median_ms, p99_ms, slowest_ms: processor time of a keyframe.
        most_waiting: keyframes that would have waited at once for one core that does nothing else.
        memory_mb: resident memory at the end, of which `before_mb` was there at the start.
        error_before, error_after: RMS of the positions, metres, before and after closing.
    """

    keyframes: int
    loops: int
    rejected: int
    compared: int
    seconds: float
    median_ms: float
    p99_ms: float
    slowest_ms: float
    most_waiting: int
    memory_mb: float
    before_mb: float
    error_before: float
    error_after: float


def measure(keyframes: int, rate: float, per_round: int = _ROUND) -> LoadReport:
    """Feed so many keyframes to a map and report what it took, at a rate of keyframes a second."""
    process = psutil.Process()
    before_mb = process.memory_info().rss / 1e6
    mapper = Mapper(MappingConfig(spacing=SpacingConfig(distance=0.0)))
    costs, true, told = [], [], []
    # When the one core that maps is free, seconds since the first keyframe, and how many waited at most.
    free, waiting = 0.0, 0
    for number, (frame, place) in enumerate(frames(keyframes, per_round)):
        begin = time.process_time()
        mapper.add(frame)
        costs.append(time.process_time() - begin)
        free = max(free, number / rate) + costs[-1]
        waiting = max(waiting, int(np.ceil((free - number / rate) * rate)))
        true.append(place)
        told.append(frame.pose[:3, 3])
    begin = time.process_time()
    mapper.finish()
    costs.append(time.process_time() - begin)
    graph = mapper.graph()
    truth = np.array(true)
    return LoadReport(
        keyframes=len(mapper),
        loops=len(graph.loops),
        rejected=len(graph.rejected),
        compared=mapper.compared,
        seconds=sum(costs),
        median_ms=1e3 * float(np.median(costs)),
        p99_ms=1e3 * float(np.percentile(costs, 99)),
        slowest_ms=1e3 * max(costs),
        most_waiting=waiting,
        memory_mb=process.memory_info().rss / 1e6,
        before_mb=before_mb,
        error_before=_rms(np.array(told) - truth),
        error_after=_rms(mapper.path().poses[:, :3, 3] - truth),
    )


def _rms(errors: Array) -> float:
    return float(np.sqrt((errors**2).sum(axis=1).mean()))


def frames(count: int, per_round: int) -> Iterator[tuple[TrackedFrame, Array]]:
    """Yield frames of a camera that goes round and round, and where each truly is."""
    random = np.random.default_rng(0)
    angles, heights = random.uniform(0, 2 * np.pi, _POINTS), random.uniform(-8, 8, _POINTS)
    reach = random.uniform(_RADIUS - 30, _RADIUS + 40, _POINTS)
    points = np.column_stack([reach * np.cos(angles), heights, reach * np.sin(angles)])
    descriptors = random.normal(size=(_POINTS, _CHANNELS)).astype(np.float32)
    descriptors /= np.linalg.norm(descriptors, axis=1, keepdims=True)
    told: Array = np.eye(4)
    last: Array | None = None
    covariance = np.diag(_STEP_NOISE**2)
    for number in range(count):
        turn = 2 * np.pi * number / per_round
        pose = np.eye(4)
        pose[:3, :3] = rotation_matrix(np.array([0.0, -turn, 0.0]))
        pose[:3, 3] = _RADIUS * np.cos(turn), 0.0, _RADIUS * np.sin(turn)
        step = None
        if last is None:
            told = pose.copy()
        else:
            noise = _STEP_NOISE * random.normal(size=6)
            motion = invert(last) @ pose
            motion[:3, 3] += noise[:3]
            motion[:3, :3] = rotation_matrix(noise[3:]) @ motion[:3, :3]
            told = told @ motion
            step = UncertainPose(motion, covariance)
        seen = (points - pose[:3, 3]) @ pose[:3, :3]
        rays = seen[:, :2] / np.maximum(seen[:, 2:], 1e-9)
        inside = (seen[:, 2] > 2.0) & (seen[:, 2] < 60.0) & (np.abs(rays) < [0.69, 0.52]).all(axis=1)
        rows = random.permutation(np.flatnonzero(inside))[:1000]
        pixels = _FOCAL * rays[rows] + _CENTRE + random.normal(0, 0.5, (len(rows), 2))
        fresh = descriptors[rows] + 0.05 * random.normal(size=(len(rows), _CHANNELS)).astype(np.float32)
        fresh /= np.linalg.norm(fresh, axis=1, keepdims=True)
        depths = seen[rows, 2] * (1.0 + random.normal(0, 0.02, len(rows)))
        known = random.random(len(rows)) < 0.4
        yield (
            TrackedFrame(
                1 + number,
                0,
                told.copy(),
                reference_stamp_ns=number if number else None,
                step=step,
                points=FramePoints(
                    pixels.astype(np.float32),
                    (pixels - _CENTRE) / _FOCAL,
                    rows.astype(np.uint32),
                    fresh,
                    np.where(known, depths, np.nan),
                    np.where(known, 0.02 * depths, np.nan),
                ),
            ),
            pose[:3, 3],
        )
        last = pose
