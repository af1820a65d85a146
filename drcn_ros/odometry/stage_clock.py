# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""How long the stages of one frame take."""

from __future__ import annotations

import time

from drcn_ros.odometry.types import Latency


class StageClock:
    """Wall time of the stages of one frame, without what lay between its preparation and its placing.

    It starts with the placing.

    Args:
        extraction: what the preparation took, seconds.
    """

    def __init__(self, extraction: float) -> None:
        self._begin = time.perf_counter()
        self._extraction = extraction
        self._matching = 0.0

    def matched(self, since: float) -> None:
        """Count what has passed since a moment of `time.perf_counter` as matching."""
        self._matching += time.perf_counter() - since

    def latency(self) -> Latency:
        """Return the durations up to now."""
        placing = time.perf_counter() - self._begin
        return Latency(
            extract_ms=1e3 * self._extraction,
            match_ms=1e3 * self._matching,
            geometry_ms=1e3 * (placing - self._matching),
            total_ms=1e3 * (self._extraction + placing),
        )
