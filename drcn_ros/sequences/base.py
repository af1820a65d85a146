# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What every input is to the rest: a sequence of stamped images, its camera, its ground truth."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from drcn_ros.conversion.calibration import Calibration
from drcn_ros.errors import InputError
from drcn_ros.geometry.camera import Camera
from drcn_ros.odometry.types import Frame
from drcn_ros.sequences.trajectories.trajectory import Trajectory

Image = NDArray[np.uint8]

_SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class Shot:
    """One image of a sequence, read from its file only when it is wanted.

    Attributes:
        stamp_ns: time of exposure, nanoseconds.
        load: returns the (H, W) grey or (H, W, 3) RGB image, or None where the image is damaged and the
            sequence goes on without it.
    """

    stamp_ns: int
    load: Callable[[], Image | None]


@dataclass(frozen=True)
class Selection:
    """Which frames of a sequence are wanted.

    Attributes:
        step: every `step`-th frame.
        start_s: begin this many seconds after the first frame.
        duration_s: end this many seconds later, or never.
        limit: at most this many frames, or all.

    Raises:
        InputError: a value is negative, or the step is below 1.
    """

    step: int = 1
    start_s: float = 0.0
    duration_s: float | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.step < 1:
            msg = f"step {self.step}: take every first, second, ... frame, so at least 1"
            raise InputError(msg)
        for name, value in (("start", self.start_s), ("duration", self.duration_s), ("limit", self.limit)):
            if value is not None and not 0 <= value < math.inf:
                msg = f"{name} {value}: must be a number and not negative"
                raise InputError(msg)


ALL = Selection()


@dataclass
class Notes:
    """What a person should know about a sequence that is read to its end all the same."""

    lines: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        """Add a line, once."""
        if line not in self.lines:
            self.lines.append(line)

    def put(self, line: str, instead_of: str) -> None:
        """Add a line in the place of an earlier one, if that is there."""
        if instead_of in self.lines:
            self.lines[self.lines.index(instead_of)] = line
        else:
            self.add(line)


class LeftOut:
    """Counts in one pass over a sequence what was of no use, and notes how many there were.

    Args:
        notes: told.
        what: several of them, as in "images".
    """

    def __init__(self, notes: Notes, what: str) -> None:
        self._notes = notes
        self._what = what
        self._count = 0
        self._first = ""

    def add(self, reason: object) -> None:
        """Count one; the reason of the first is told."""
        before = self._line()
        self._first = self._first or str(reason)
        self._count += 1
        self._notes.put(self._line(), before)

    def _line(self) -> str:
        return f"{self._count} {self._what} left out; the first: {self._first}"


class ImageSequence(ABC):
    """A recorded sequence, read in order as often as wanted.

    Attributes:
        name: what the user called it.
        kind: what it is, as in "TUM RGB-D folder".
        camera: calibration, or None.
        camera_names: what its camera is called, by topic or folder; chooses one of several calibrations.
        rectified: whether the images are rectified.
        ground_truth: poses of the camera's optical frame, or None.
        camera_source, truth_source: topic or file that they come from.
        truth_offset_s: that the user had added to their stamps.
        notes: filled while the sequence is read.
    """

    def __init__(self, name: str, kind: str) -> None:
        self.name = name
        self.kind = kind
        self.camera: Camera | None = None
        self.camera_names: tuple[str, ...] = ()
        self.rectified = False
        self.ground_truth: Trajectory | None = None
        self.camera_source = self.truth_source = ""
        self.truth_offset_s = 0.0
        self.notes = Notes()

    def calibrate(self, calibration: Calibration, source: str) -> None:
        """Take a calibration from a topic or file, and tell its remarks."""
        self.camera, self.camera_source = calibration.camera, source
        for remark in calibration.remarks:
            self.notes.add(remark)

    @abstractmethod
    def __len__(self) -> int:
        """Number of images that the sequence announces; fewer may come."""

    @abstractmethod
    def shots(self) -> Iterator[Shot]:
        """Yield the images in order of time."""

    def frames(self, selection: Selection = ALL) -> Iterator[Frame]:
        """Yield the selected frames; the others are not decoded.

        Raises:
            InputError: a file is missing or unreadable.
        """
        begin = None
        taken = 0
        for index, shot in enumerate(self._from(selection)):
            begin = shot.stamp_ns if begin is None else begin
            late = selection.duration_s is not None and (
                shot.stamp_ns - begin > round(selection.duration_s * _SECOND_NS)
            )
            if late or (selection.limit is not None and taken >= selection.limit):
                return
            if index % selection.step:
                continue
            image = shot.load()
            if image is not None:
                taken += 1
                yield Frame(shot.stamp_ns, image)

    def _from(self, selection: Selection) -> Iterator[Shot]:
        first = None
        for shot in self.shots():
            first = shot.stamp_ns if first is None else first
            if shot.stamp_ns - first >= round(selection.start_s * _SECOND_NS):
                yield shot

    def expected(self, selection: Selection) -> int:
        """Return about how many frames a selection has, for a progress bar."""
        count = -(-len(self) // selection.step)
        return count if selection.limit is None else min(count, selection.limit)
