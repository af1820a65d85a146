# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What happens when in one frame: its stages, and the operators of torch and of the device within them."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.profiler import ProfilerActivity, profile, record_function

from drcn_ros.benchmarks.roofline import synchronise
from drcn_ros.geometry.camera import Camera
from drcn_ros.matching.base import Matcher
from drcn_ros.matching.types import Matches
from drcn_ros.odometry.config import OdometryConfig
from drcn_ros.odometry.types import Frame
from drcn_ros.odometry.visual_odometry import VisualOdometry

_FRAME, _EXTRACT, _MATCH = "frame", "extract", "match"
_MARKS = (_FRAME, _EXTRACT, _MATCH)
# What torch calls a recorded graph, whose operators are of interest rather than itself.
_AROUND_OPERATORS = (*_MARKS, "forward")


@dataclass(frozen=True)
class Span:
    """Something that lasted, milliseconds since the frame began."""

    name: str
    start: float
    stop: float

    @property
    def duration(self) -> float:
        """Milliseconds."""
        return self.stop - self.start


@dataclass(frozen=True)
class FrameProfile:
    """One frame of the steady state.

    Attributes:
        duration: of the frame without the profiler, milliseconds, the median of those before it.
        stages: extraction, matching and the rest, which is geometry.
        operators: of torch on the host, those that another called left out.
        kernels: on the GPU, none on the CPU.
    """

    duration: float
    stages: tuple[Span, ...]
    operators: tuple[Span, ...]
    kernels: tuple[Span, ...]

    def heaviest(self, count: int) -> list[tuple[str, float]]:
        """Return the names of operators that took longest in all, and their milliseconds."""
        return _longest(self.operators, count)

    def heaviest_kernels(self, count: int) -> list[tuple[str, float]]:
        """Return the same of the kernels."""
        return _longest(self.kernels, count)


def _longest(spans: Sequence[Span], count: int) -> list[tuple[str, float]]:
    total: dict[str, float] = defaultdict(float)
    for span in spans:
        total[span.name] += span.duration
    return sorted(total.items(), key=lambda item: -item[1])[:count]


class _Marked(Matcher[Any]):
    """A matcher whose calls show in the profile."""

    def __init__(self, matcher: Matcher[Any]) -> None:
        super().__init__(matcher.config)
        self._matcher = matcher

    @property
    def name(self) -> str:
        return self._matcher.name

    def extract(self, image: NDArray[np.uint8], kept: NDArray[np.bool_] | None = None) -> Any:
        with record_function(_EXTRACT):
            return self._matcher.extract(image, kept)

    def match(self, reference: Any, current: Any) -> Matches:
        with record_function(_MATCH):
            return self._matcher.match(reference, current)


def profile_frame(
    matcher: Matcher[Any], frames: Sequence[Frame], camera: Camera, device: torch.device
) -> FrameProfile:
    """Run the odometry over frames and profile the last one.

    Args:
        matcher: what finds the correspondences.
        frames: at least two, of one size.
        camera: their calibration.
        device: where the matcher's network runs.
    """
    odometry = VisualOdometry(OdometryConfig(matcher=matcher.config), camera, _Marked(matcher))
    durations = []
    for frame in frames[:-1]:
        start = time.perf_counter()
        odometry.process(frame)
        synchronise(device)
        durations.append(1e3 * (time.perf_counter() - start))
    activities = [ProfilerActivity.CPU]
    if device.type == "cuda":
        activities.append(ProfilerActivity.CUDA)
    with profile(activities=activities) as recorded, record_function(_FRAME):
        odometry.process(frames[-1])
        synchronise(device)
    events = list(recorded.events() or ())
    (whole,) = (event for event in events if event.name == _FRAME and event.device_type.name == "CPU")
    begin = whole.time_range.start

    def span(event: Any) -> Span:
        return Span(event.name, (event.time_range.start - begin) / 1e3, (event.time_range.end - begin) / 1e3)

    on_host = [event for event in events if event.device_type.name == "CPU"]
    marks = [span(event) for event in on_host if event.name in (_EXTRACT, _MATCH)]
    operators = [
        span(event)
        for event in on_host
        if event.name not in _AROUND_OPERATORS
        and (event.cpu_parent is None or event.cpu_parent.name in _AROUND_OPERATORS)
    ]
    kernels = [
        span(event) for event in events if event.device_type.name == "CUDA" and event.name not in _MARKS
    ]
    stages = _with_geometry(sorted(marks, key=lambda mark: mark.start), span(whole).stop)
    return FrameProfile(float(np.median(durations)), stages, tuple(operators), tuple(kernels))


def _with_geometry(marks: list[Span], end: float) -> tuple[Span, ...]:
    """Return the marked stages and, between and after them, the geometry."""
    stages: list[Span] = []
    reached = 0.0
    for mark in [*marks, Span("", end, end)]:
        if mark.start > reached and stages:
            stages.append(Span("geometry", reached, mark.start))
        if mark.name:
            stages.append(mark)
        reached = max(reached, mark.stop)
    return tuple(stages)
