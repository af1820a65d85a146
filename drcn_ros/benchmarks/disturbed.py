# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A sequence as it comes from a camera in bad conditions: images lost, blurred, or badly exposed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from drcn_ros.benchmarks.accuracy.corruptions import CORRUPTIONS, Image, corrupt
from drcn_ros.sequences import ImageSequence
from drcn_ros.sequences.base import Shot

# Every second image lost, or ten in a row of every fifty; or what is done to each image.
DISTURBANCES = ("halved", "gaps", *CORRUPTIONS)

_GAP, _PERIOD, _FIRST_GAP = 10, 50, 20


class DisturbedSequence(ImageSequence):
    """A copy of a sequence; calibration and ground truth are the same.

    Args:
        sequence: as it was recorded or rendered.
        kind: one of `DISTURBANCES`.
    """

    def __init__(self, sequence: ImageSequence, kind: str) -> None:
        super().__init__(f"{sequence.name} {kind}", sequence.kind)
        self.camera, self.ground_truth = sequence.camera, sequence.ground_truth
        self.rectified, self.notes = sequence.rectified, sequence.notes
        self._sequence = sequence
        self._kind = kind

    def __len__(self) -> int:
        return sum(self._comes(index) for index in range(len(self._sequence)))

    def shots(self) -> Iterator[Shot]:
        """Yield the images that come, disturbed when they are read."""
        for index, shot in enumerate(self._sequence.shots()):
            if self._comes(index):
                yield Shot(shot.stamp_ns, partial(self._load, index, shot))

    def _comes(self, index: int) -> bool:
        if self._kind == "halved":
            return index % 2 == 0
        if self._kind == "gaps":
            return index < _FIRST_GAP or (index - _FIRST_GAP) % _PERIOD >= _GAP
        return True

    def _load(self, index: int, shot: Shot) -> Image | None:
        image = shot.load()
        return image if image is None or self._kind not in CORRUPTIONS else corrupt(image, self._kind, index)
