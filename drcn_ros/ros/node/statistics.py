# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Counts, rates and latencies over the life of a node, for its diagnostics."""

from __future__ import annotations

import time
from collections import deque

import numpy as np
import torch

from drcn_ros.odometry import Reason
from drcn_ros.ros.node.failures import GIVEN_UP
from drcn_ros.ros.node.processor import Processed
from drcn_ros.ros.node.worker import Counts

NOTHING = Counts(0, 0, 0, 0)
# Rates and percentiles are those of this many last frames.
_WINDOW = 200


class Rate:
    """Events per second over the last ones."""

    def __init__(self, start: float) -> None:
        self._start = start
        self._times: deque[float] = deque(maxlen=_WINDOW)

    def add(self, now: float) -> None:
        """Note an event; `now` is in seconds of a clock that never goes back."""
        self._times.append(now)

    def hertz(self, now: float, span: float = 5.0) -> float:
        """Return the rate over the last `span` seconds, or over the events that are still known."""
        times = [moment for moment in self._times.copy() if now - moment <= span]
        if not times:
            return 0.0
        covered = now - times[0] if len(times) == _WINDOW else min(span, now - self._start)
        return len(times) / max(covered, 1e-3)


class Percentiles:
    """Percentiles of the last values."""

    def __init__(self) -> None:
        self._values: deque[float] = deque(maxlen=_WINDOW)

    def add(self, value: float) -> None:
        """Note a value."""
        self._values.append(value)

    def at(self, percent: float) -> float | None:
        """Return a percentile, or None before the first value."""
        values = list(self._values.copy())
        return float(np.percentile(values, percent)) if values else None


class NodeStatistics:
    """Keeps count; each method is called by one thread only."""

    def __init__(self) -> None:
        start = time.monotonic()
        self._received, self._processed = Rate(start), Rate(start)
        self._total_ms, self._age_ms = Percentiles(), Percentiles()
        self._ended = NOTHING
        self._rejected = self._clock_jumps = self._late = self._restarts = 0
        self._frames = 0
        self.last: Processed | None = None

    def receive(self, now: float) -> None:
        """Note that a frame came."""
        self._received.add(now)

    @property
    def next_number(self) -> int:
        """Number of the frame that is noted next, counted from 1 over the life of the node."""
        return self._frames + 1

    def process(self, processed: Processed, arrived: float) -> None:
        """Note what became of a frame, and that its messages are out."""
        result = processed.result
        self._frames += 1
        if result.reason in GIVEN_UP:
            self._rejected += 1
        if result.reason is Reason.LATE_FRAME:
            self._late += 1
        if result.reason is Reason.CLOCK_JUMP:
            self._clock_jumps += 1
        if self.last is not None and result.segment != self.last.result.segment:
            self._restarts += 1
        self.last = processed
        now = time.monotonic()
        self._processed.add(now)
        self._total_ms.add(result.latency.total_ms + processed.decode_ms)
        self._age_ms.add(1e3 * (now - arrived))

    def end(self, counts: Counts) -> None:
        """Note the final counts of a worker that has ended."""
        self._ended = _sum(self._ended, counts)

    def values(self, counts: Counts) -> dict[str, object]:
        """Return all values for the diagnostics, with the counts of the worker that runs now."""
        now = time.monotonic()
        total = _sum(self._ended, counts)
        result = None if self.last is None else self.last.result
        return {
            "state": "" if result is None else result.state.value,
            "reason": "" if result is None else result.reason.name,
            "received": total.received,
            "processed": total.processed,
            "dropped": total.dropped,
            "waiting": total.waiting,
            "rejected": self._rejected,
            "restarts": self._restarts,
            "clock_jumps": self._clock_jumps,
            "late_frames": self._late,
            "received_hz": self._received.hertz(now),
            "processed_hz": self._processed.hertz(now),
            "latency_ms_p50": self._total_ms.at(50.0),
            "latency_ms_p95": self._total_ms.at(95.0),
            "age_ms_p50": self._age_ms.at(50.0),
            "age_ms_p95": self._age_ms.at(95.0),
            "working_scale": 1.0 if self.last is None else self.last.working_scale,
            "device_memory_mb": _device_memory_mb(),
        }


def _sum(one: Counts, other: Counts) -> Counts:
    return Counts(
        one.received + other.received,
        one.processed + other.processed,
        one.dropped + other.dropped,
        other.waiting,
    )


def _device_memory_mb() -> float | None:
    if not torch.cuda.is_initialized():
        return None
    return float(torch.cuda.memory_allocated()) / 2**20
