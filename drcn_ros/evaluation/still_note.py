# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Follows a run for what it left out of the images because it stood still, and tells it in a line."""

from __future__ import annotations

from drcn_ros.evaluation.estimates import FrameEstimate


class StillNote:
    """Takes the frames of a run in order."""

    def __init__(self) -> None:
        self._frames = 0
        self._first: int | None = None
        self._largest = 0.0

    def add(self, estimate: FrameEstimate) -> None:
        """Take one frame."""
        if estimate.still_part > 0.0 and self._first is None:
            self._first = self._frames
        self._largest = max(self._largest, estimate.still_part)
        self._frames += 1

    def lines(self) -> list[str]:
        """Return the line, or nothing where all of the image moved with the world."""
        if self._first is None:
            return []
        return [
            f"up to {100.0 * self._largest:.0f} % of the image stood still while the camera moved, and was "
            f"left out from frame {self._first} on (a bonnet, an arm, a housing, a text?); "
            "leave it out from the start with --set mask=FILE.png"
        ]
