# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Metres per unit of the run, from a velocity, an odometry, or the camera's height above the ground."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from drcn_ros.geometry.types import Array
from drcn_ros.odometry.config import ScaleConfig

# Samples of the sources that are kept, and ratios that a factor is made from at least.
_SAMPLES = 4000
_FEWEST = 5
# Below this distance, metres, a ratio says more of the source's noise than of the scale.
_LEAST_DISTANCE = 0.01
# A factor less certain than this, as a part of itself, is none.
_LARGEST_DEVIATION = 0.25


@dataclass(frozen=True)
class Factor:
    """Metres per unit of the run.

    Attributes:
        value, deviation: metres per unit.
        fresh: whether its source still delivers.
    """

    value: float
    deviation: float
    fresh: bool


class MetricScale:
    """Compares lengths of the run with those of a metric source over a window of time.

    Sources may be fed from another thread than the one that processes frames.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._speeds: deque[tuple[int, float]] = deque(maxlen=_SAMPLES)
        self._positions: deque[tuple[int, Array]] = deque(maxlen=_SAMPLES)
        self._ratios: deque[tuple[int, float]] = deque()
        self._pending: deque[tuple[int, int, float]] = deque(maxlen=_SAMPLES)
        self._last_ground_ns: int | None = None
        self._last: Factor | None = None

    def clear(self) -> None:
        """Forget the comparisons: the unit of the run is another one from now on."""
        self._ratios.clear()
        self._pending.clear()
        self._last_ground_ns = None
        self._last = None

    def add_velocity(self, stamp_ns: int, linear: Array) -> None:
        """Take a velocity (3,), metres per second, in any axes; samples that are not newer are ignored."""
        speed = float(np.linalg.norm(linear))
        with self._lock:
            if np.isfinite(speed) and (not self._speeds or stamp_ns > self._speeds[-1][0]):
                self._speeds.append((stamp_ns, speed))

    def add_position(self, stamp_ns: int, position: Array) -> None:
        """Take a position (3,), metres, in a fixed frame; samples that are not newer are ignored."""
        with self._lock:
            if np.isfinite(position).all() and (not self._positions or stamp_ns > self._positions[-1][0]):
                self._positions.append((stamp_ns, np.asarray(position, np.float64)))

    def add_step(self, from_ns: int, to_ns: int, length: float) -> None:
        """Take a step of the run, `length` units between two stamps, to be compared with the source.

        Sources arrive later than the images of the same moment, so the comparison waits for them.
        """
        self._pending.append((from_ns, to_ns, length))

    def add_ground(self, stamp_ns: int, height: float, config: ScaleConfig) -> None:
        """Compare the height of the camera above the ground, `height` units, with the configured one."""
        self._last_ground_ns = stamp_ns
        self._add_ratio(stamp_ns, config.camera_height / height, config)

    def factor(self, stamp_ns: int, config: ScaleConfig) -> Factor | None:
        """Return the factor at a stamp, the median over the window; None until one was known.

        When too little is left in the window the last factor holds on, no longer fresh.
        """
        if config.source == "constant":
            return Factor(config.constant, 0.0, True)
        self._compare(config)
        self._forget(stamp_ns, config)
        found = self._median(stamp_ns, config)
        if found is not None:
            self._last = found
        elif self._last is not None:
            self._last = replace(self._last, fresh=False)
        return self._last

    def _median(self, stamp_ns: int, config: ScaleConfig) -> Factor | None:
        if len(self._ratios) < _FEWEST:
            return None
        logarithms = np.log([ratio for _, ratio in self._ratios])
        middle = float(np.median(logarithms))
        spread = 1.4826 * float(np.median(np.abs(logarithms - middle)))
        # Neighbouring steps share a reference, so they count for less than their number.
        deviation = spread / np.sqrt(len(logarithms) / _FEWEST)
        if deviation > _LARGEST_DEVIATION:
            return None
        value = float(np.exp(middle))
        return Factor(value, value * float(deviation), self._fresh(stamp_ns, config))

    def _add_ratio(self, stamp_ns: int, ratio: float, config: ScaleConfig) -> None:
        if np.isfinite(ratio) and ratio > 0.0:
            self._ratios.append((stamp_ns, ratio))
        self._forget(stamp_ns, config)

    def _forget(self, stamp_ns: int, config: ScaleConfig) -> None:
        while self._ratios and stamp_ns - self._ratios[0][0] > config.window * 1e9:
            self._ratios.popleft()

    def _compare(self, config: ScaleConfig) -> None:
        """Compare the steps that the source has caught up with."""
        with self._lock:
            speeds, positions = list(self._speeds), list(self._positions)
        samples = speeds if config.source == "twist_topic" else positions
        while self._pending and samples and self._pending[0][1] <= samples[-1][0]:
            from_ns, to_ns, length = self._pending.popleft()
            if config.source == "twist_topic":
                distance = _travelled(speeds, from_ns, to_ns, config.max_age)
            else:
                distance = _between(positions, from_ns, to_ns, config.max_age)
            if distance is not None and distance > _LEAST_DISTANCE and length > 0.0:
                self._add_ratio(to_ns, distance / length, config)

    def _fresh(self, stamp_ns: int, config: ScaleConfig) -> bool:
        with self._lock:
            last = {
                "twist_topic": self._speeds[-1][0] if self._speeds else None,
                "odometry_topic": self._positions[-1][0] if self._positions else None,
                "camera_height": self._last_ground_ns,
            }.get(config.source)
        return last is not None and stamp_ns - last <= config.max_age * 1e9


def _travelled(speeds: list[tuple[int, float]], from_ns: int, to_ns: int, max_age: float) -> float | None:
    """Return the integral of the speed, each sample held until the next one; None where samples lack."""
    stamps = [stamp for stamp, _ in speeds]
    first = bisect_left(stamps, from_ns + 1) - 1
    if first < 0:
        return None
    distance, now = 0.0, from_ns
    for index in range(first, len(speeds)):
        stamp, speed = speeds[index]
        end = min(to_ns, stamps[index + 1] if index + 1 < len(stamps) else to_ns)
        if (end - stamp) * 1e-9 > max_age:
            return None
        distance += speed * (end - now) * 1e-9
        now = end
        if now >= to_ns:
            break
    return distance


def _between(positions: list[tuple[int, Array]], from_ns: int, to_ns: int, max_age: float) -> float | None:
    """Return the distance between the positions at two stamps; None where samples lack."""
    first = _position_at(positions, from_ns, max_age)
    last = _position_at(positions, to_ns, max_age)
    return None if first is None or last is None else float(np.linalg.norm(last - first))


def _position_at(positions: list[tuple[int, Array]], stamp_ns: int, max_age: float) -> Array | None:
    """Return the position at a stamp, linear between samples, None where they are farther than `max_age`."""
    stamps = [stamp for stamp, _ in positions]
    after = bisect_left(stamps, stamp_ns)
    if after < len(stamps) and stamps[after] == stamp_ns:
        return positions[after][1]
    if after == 0 or after == len(stamps):
        return None
    (before_ns, before), (after_ns, behind) = positions[after - 1], positions[after]
    if (after_ns - before_ns) * 1e-9 > max_age:
        return None
    part = (stamp_ns - before_ns) / (after_ns - before_ns)
    return before + part * (behind - before)
