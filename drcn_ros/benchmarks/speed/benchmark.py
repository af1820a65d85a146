# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""From image to pose: what a frame costs with each matcher, by stage, in the odometry that the node runs."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from drcn_ros.benchmarks.machine import peak_memory_mb
from drcn_ros.benchmarks.roofline import Ceilings, Work, count_work, measure_ceilings, synchronise
from drcn_ros.benchmarks.speed.frames import load_frames
from drcn_ros.matching import create_matcher
from drcn_ros.matching.config import CLASSICAL, MatcherConfig
from drcn_ros.matching.device import choose_device, choose_precision
from drcn_ros.odometry.config import OdometryConfig
from drcn_ros.odometry.types import Frame
from drcn_ros.odometry.visual_odometry import VisualOdometry
from drcn_ros.sequences.prefetch import prefetched

STAGES = ("extract", "match", "geometry", "frame")
# OpenCV's matchers get the number of points that is usual for them.
_CLASSICAL_KEYPOINTS = 2048


@dataclass(frozen=True)
class SpeedCase:
    """One matcher on the frames of one size.

    Attributes:
        matcher: its configuration.
        frames: file that `save_frames` wrote.
        warm_up: first frames, which do not count.
        threads: of torch and OpenCV.
    """

    matcher: MatcherConfig
    frames: Path
    warm_up: int
    threads: int


@dataclass(frozen=True)
class StageSpeed:
    """Durations of one stage over the frames, milliseconds by the clock.

    Attributes:
        work: what torch does in it, None where nothing of it runs in torch.
        least_ms: the shortest time that the device's ceilings allow for that.
    """

    median_ms: float
    p95_ms: float
    work: Work | None = None
    least_ms: float | None = None


@dataclass(frozen=True)
class SpeedOutcome:
    """What a case took.

    Attributes:
        matcher: its name.
        width, height: of the frames.
        device: cpu or the name of the GPU.
        precision: of the network, as torch calls it.
        threads: of torch.
        frames: number that count.
        stages: by the names of `STAGES`.
        overlapped_ms: time by the clock per frame when the features of a frame are extracted in a second
            thread while the one before is placed, as the node does with `pipeline`.
        cpu_ms: median of the processor time of all threads in a frame, milliseconds.
        memory_mb: largest resident memory of the process, interpreter and weights included.
        device_memory_mb: largest memory that torch took on the GPU, 0 on the CPU.
        keypoints, matches: medians.
        placed: share of the frames whose motion was found.
        ceilings: of the device.
    """

    matcher: str
    width: int
    height: int
    device: str
    precision: str
    threads: int
    frames: int
    stages: dict[str, StageSpeed]
    overlapped_ms: float
    cpu_ms: float
    memory_mb: float
    device_memory_mb: float
    keypoints: float
    matches: float
    placed: float
    ceilings: Ceilings


def matcher_config(name: str, **settings: Any) -> MatcherConfig:
    """Return a matcher's default configuration with some settings."""
    if name in CLASSICAL:
        settings = {"max_keypoints": _CLASSICAL_KEYPOINTS, **settings}
    return MatcherConfig(name=name, **settings)


def run_speed(case: SpeedCase) -> SpeedOutcome:
    """Run the odometry over a case's frames; in a process of its own where its memory is to count alone."""
    import cv2

    torch.set_num_threads(case.threads)
    cv2.setNumThreads(case.threads)
    frames, camera = load_frames(case.frames)
    device = choose_device(case.matcher.device)
    if device.type == "cuda":
        torch.cuda.init()  # type: ignore[no-untyped-call, unused-ignore]
        torch.cuda.reset_peak_memory_stats(device)
    matcher = create_matcher(case.matcher)
    odometry = VisualOdometry(OdometryConfig(matcher=case.matcher), camera, matcher)
    latencies, processor, counts, placed = [], [], [], []
    for number, frame in enumerate(frames):
        start = time.process_time()
        result = odometry.process(frame)
        synchronise(device)
        if number < case.warm_up:
            continue
        processor.append(1e3 * (time.process_time() - start))
        latencies.append(dataclasses.astuple(result.latency))
        counts.append((len(result.keypoints), len(result.matches)))
        placed.append(result.rotation is not None)
    overlapped = _overlapped_ms(VisualOdometry(odometry.config, camera, matcher), frames, case.warm_up)
    # Counting comes last: neither its time nor its memory may be taken for the matcher's.
    memory = peak_memory_mb()
    on_gpu = device.type == "cuda"
    device_memory = torch.cuda.max_memory_allocated(device) / 2**20 if on_gpu else 0.0
    precision = choose_precision(case.matcher.precision, device)
    ceilings = measure_ceilings(device, precision)
    work = _count(case, matcher, [frame.image for frame in frames[-2:]])
    keypoints, matches = np.median(counts, axis=0)
    return SpeedOutcome(
        matcher=case.matcher.name,
        width=camera.width,
        height=camera.height,
        device=torch.cuda.get_device_name(device) if on_gpu else "cpu",
        precision=str(precision).removeprefix("torch."),
        threads=case.threads,
        frames=len(latencies),
        stages=_stages(np.array(latencies), work, ceilings),
        overlapped_ms=overlapped,
        cpu_ms=float(np.median(processor)),
        memory_mb=memory,
        device_memory_mb=device_memory,
        keypoints=float(keypoints),
        matches=float(matches),
        placed=float(np.mean(placed)),
        ceilings=ceilings,
    )


def _overlapped_ms(odometry: VisualOdometry, frames: Sequence[Frame], warm_up: int) -> float:
    """Return the time by the clock per frame after the warm-up."""
    with prefetched((odometry.prepare(frame) for frame in frames), size=1) as prepared:
        start = time.perf_counter()
        for number, features in enumerate(prepared, start=1):
            odometry.place(features)
            if number == warm_up:
                start = time.perf_counter()
        return 1e3 * (time.perf_counter() - start) / (len(frames) - warm_up)


def _count(case: SpeedCase, matcher: Any, images: list[NDArray[np.uint8]]) -> dict[str, Work]:
    if case.matcher.name in CLASSICAL:
        return {}
    if case.matcher.compile != "off":
        # A recorded or compiled graph would show what operators call inside, or nothing.
        matcher = create_matcher(dataclasses.replace(case.matcher, compile="off"))
    reference, current = (matcher.extract(image) for image in images)
    return {
        "extract": count_work(lambda: matcher.extract(images[1])),
        "match": count_work(lambda: matcher.match(reference, current)),
    }


def _stages(
    latencies: NDArray[np.float64], work: dict[str, Work], ceilings: Ceilings
) -> dict[str, StageSpeed]:
    stages = {}
    for name, column in zip(STAGES, latencies.T, strict=True):
        done = work.get(name)
        stages[name] = StageSpeed(
            float(np.median(column)),
            float(np.percentile(column, 95)),
            done,
            None if done is None else ceilings.least_ms(done),
        )
    return stages
