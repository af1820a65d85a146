# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Working resolution and number of keypoints that keep a frame's latency within a budget."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

# Steps of about one and a half in the number of pixels; below the last, too little is left to match.
SCALES = (1.0, 0.8, 0.64, 0.5, 0.4)
# Shorter side below which an image is not made smaller, pixels.
SMALLEST_SIDE = 120
# A level is chosen when it is expected to take this part of the budget; a better one only when it would take
# the lesser part, for so many frames: between both lies what keeps the level from going to and fro.
_ROOM, _AMPLE_ROOM = 0.85, 0.7
_RECENT, _CALM = 5, 30
_FEWEST_KEYPOINTS = 8


@dataclass(frozen=True)
class Measured:
    """What a frame took at start-up.

    Attributes:
        pixels: of the image at scale 1.
        costs_ms: wall time of a frame, by the index of `SCALES`.
    """

    pixels: int
    costs_ms: tuple[float, ...]


def keypoints_at(scale: float, most: int) -> int:
    """Return how many keypoints an image made smaller by `scale` has where the full one has `most`."""
    return max(_FEWEST_KEYPOINTS, round(scale * most))


class Budget:
    """Chooses one of `SCALES` so that frames take no longer than they may; each method from any thread.

    Args:
        limit_ms: longest time from taking a frame up to its result.
        measured: at start-up.
    """

    def __init__(self, limit_ms: float, measured: Measured) -> None:
        self.limit_ms = limit_ms
        self._measured = measured
        self._size: tuple[int, int] | None = None
        self._costs: Sequence[float] = measured.costs_ms
        self._last = len(SCALES) - 1
        self._level = 0
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self._calm = 0
        self._note = ""
        self._lock = threading.Lock()

    def scale(self, size: tuple[int, int]) -> float:
        """Return the scale for the next image, whose (width, height) at full scale is `size`."""
        with self._lock:
            if size != self._size:
                self._expect(size)
            return SCALES[self._level]

    def add(self, scale: float, took_ms: float) -> None:
        """Note what a frame took at a scale; one from before the last change tells nothing."""
        with self._lock:
            if scale == SCALES[self._level]:
                self._note_time(took_ms)

    def take_note(self) -> str:
        """Return what has changed since the last call, in a line, or an empty text."""
        with self._lock:
            note, self._note = self._note, ""
            return note

    def problem(self) -> str:
        """Return why the budget is not kept, or an empty text."""
        with self._lock:
            full = len(self._recent) == _RECENT and self._level == self._last
            usual = median(self._recent) if full else 0.0
        if usual <= self.limit_ms:
            return ""
        return (
            f"frames take {usual:.0f} ms at {SCALES[self._level]:g} of the image's size, "
            f"max_latency_ms is {self.limit_ms:g}; choose a faster matcher or a larger budget"
        )

    def _note_time(self, took_ms: float) -> None:
        self._recent.append(took_ms)
        if len(self._recent) < _RECENT:
            return
        usual = median(self._recent)
        load = usual / self._costs[self._level]
        if usual > self.limit_ms:
            self._calm = 0
            lower = min(self._level + 1, self._last)
            self._go_to(max(lower, self._fitting(load)), f"frames took {usual:.0f} ms")
        elif self._level > 0 and load * self._costs[self._level - 1] <= _AMPLE_ROOM * self.limit_ms:
            self._calm += 1
            if self._calm >= _CALM:
                self._go_to(self._level - 1, f"frames took {usual:.0f} ms")
        else:
            self._calm = 0

    def _expect(self, size: tuple[int, int]) -> None:
        """Begin anew with images of another size."""
        self._size = size
        width, height = size
        sides = [index for index, scale in enumerate(SCALES) if min(size) * scale >= SMALLEST_SIDE]
        self._last = max(sides, default=0)
        part = width * height / self._measured.pixels
        self._costs = [part * cost for cost in self._measured.costs_ms]
        self._go_to(self._fitting(1.0), f"{self._costs[0]:.0f} ms were measured for all of it")

    def _fitting(self, load: float) -> int:
        """Return the best level that is expected to fit, or the last one."""
        fitting = (i for i in range(self._last) if load * self._costs[i] <= _ROOM * self.limit_ms)
        return next(fitting, self._last)

    def _go_to(self, level: int, why: str) -> None:
        if level != self._level:
            size = f"{SCALES[level]:g} of the image's size"
            self._note = f"working at {size}: {why}, max_latency_ms is {self.limit_ms:g}"
            self._recent.clear()
        self._calm = 0
        self._level = level
