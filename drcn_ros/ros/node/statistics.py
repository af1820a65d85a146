# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Rates and latency percentiles over the last frames."""

from __future__ import annotations

from collections import deque

import numpy as np

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
