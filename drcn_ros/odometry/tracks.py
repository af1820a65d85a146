# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Identities of keypoints that persist from frame to frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drcn_ros.odometry.types import Tracks

# Ids travel as float32 in some layouts, exact up to 2^24; with 1000 new points a frame an id comes back
# after 4000 frames at the earliest.
ID_LIMIT = 2**22


class TrackIds:
    """Hands out track ids, carries them along matches and counts ages.

    Ids start at 1 and are used again after `ID_LIMIT`, except those that a held frame still carries.
    """

    def __init__(self) -> None:
        self._ages = np.zeros(ID_LIMIT + 1, np.uint32)
        self._next = 1

    def start(self, count: int, held: tuple[Tracks, ...] = ()) -> Tracks:
        """Return `count` new tracks, with ids that no track in `held` has."""
        return self.follow(count, None, np.zeros(0, np.int64), np.zeros(0, np.int64), held)

    def follow(
        self,
        count: int,
        reference: Tracks | None,
        reference_index: NDArray[np.int64],
        current_index: NDArray[np.int64],
        held: tuple[Tracks, ...] = (),
    ) -> Tracks:
        """Return the tracks of `count` keypoints of the current frame.

        Args:
            count: keypoints of the current frame.
            reference: tracks of the reference frame.
            reference_index, current_index: (M,) rows of both frames' keypoints that match, or -1.
                Where several matches share a row, the first of them counts.
            held: tracks of all frames that may serve as a reference later; their ids are not handed out.
        """
        ids = np.zeros(count, np.uint32)
        if reference is not None and len(reference_index):
            usable = (reference_index >= 0) & (current_index >= 0)
            rows, columns = reference_index[usable], current_index[usable]
            _, first = np.unique(rows, return_index=True)
            first.sort()
            rows, columns = rows[first], columns[first]
            # Written backwards, so that of several matches the first one stays.
            ids[columns[::-1]] = reference.ids[rows[::-1]]
        new = np.flatnonzero(ids == 0)
        fresh = self._take(len(new), held)
        ids[new] = fresh
        self._ages[fresh] = 0
        self._ages[ids] += 1
        return Tracks(ids, self._ages[ids])

    def _take(self, count: int, held: tuple[Tracks, ...]) -> NDArray[np.uint32]:
        busy = np.concatenate([tracks.ids for tracks in held]) if held else np.zeros(0, np.uint32)
        candidates = (self._next - 1 + np.arange(count + len(busy))) % ID_LIMIT + 1
        if len(busy):
            candidates = candidates[~np.isin(candidates, busy)]
        taken = candidates[:count].astype(np.uint32)
        if count:
            self._next = int(taken[-1]) % ID_LIMIT + 1
        return taken
