# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Tracks in the layouts that VINS-Mono and VINS-Fusion read, serialised: an object per point is slow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from std_msgs.msg import Header

from drcn_ros.geometry.types import Array
from drcn_ros.odometry.types import Result
from drcn_ros.ros.messages import cdr

# The readers restart their own estimation after a gap of this length, so they have to be told.
_LONGEST_GAP_NS = 1_000_000_000
# Ids travel as float32, which holds integers exactly up to here.
_ID_MASK = 2**24 - 1

_MONO = ("id", "u", "v", "vx", "vy")
# VINS-Fusion takes three more channels for a ground-truth point as soon as there are more than five.
_FUSION = ("id", "camera", "u", "v", "vx", "vy", "gx", "gy", "gz")


@dataclass(frozen=True)
class _Seen:
    stamp_ns: int
    segment: int
    ids: NDArray[np.uint32]
    rays: NDArray[np.float64]


class VinsTracks:
    """Makes the feature messages; remembers the frame before for the velocities."""

    def __init__(self) -> None:
        self._last: _Seen | None = None

    def add(self, result: Result, rays: Array, layout: str, head: Header) -> tuple[bytes | None, bool]:
        """Return the `PointCloud` of this frame, serialised, and whether the reader must restart before it.

        Args:
            result: of the frame.
            rays: (N, 2) of its keypoints, NaN where there is none.
            layout: mono or fusion.
            head: header of the message.

        Without calibration there is no message. The first frame after a start or a restart gives none either:
        the readers drop it, or take its missing velocities for real.
        """
        last = self._last
        self._last = _Seen(result.stamp_ns, result.segment, result.tracks.ids, rays)
        if last is None:
            return None, False
        gap_ns = result.stamp_ns - last.stamp_ns
        if gap_ns <= 0 or gap_ns > _LONGEST_GAP_NS or result.segment != last.segment:
            return None, True
        if np.isnan(rays).all():
            return None, False
        _, now, then = np.intersect1d(result.tracks.ids, last.ids, return_indices=True)
        usable = np.isfinite(rays[now]).all(axis=1) & np.isfinite(last.rays[then]).all(axis=1)
        now, then = now[usable], then[usable]
        velocities = (rays[now] - last.rays[then]) / (1e-9 * gap_ns)
        pixels = result.keypoints.points[now]
        columns = {
            "id": result.tracks.ids[now] & _ID_MASK,
            "u": pixels[:, 0],
            "v": pixels[:, 1],
            "vx": velocities[:, 0],
            "vy": velocities[:, 1],
        }
        names = _FUSION if layout == "fusion" else _MONO
        count, zeros = cdr.integer(len(now)), np.zeros(len(now))
        parts = [cdr.LITTLE_ENDIAN, cdr.header(head), count, _floats(np.insert(rays[now], 2, 1.0, axis=1))]
        parts.append(cdr.integer(len(names)))
        for name in names:
            parts += [cdr.text(name), count, _floats(columns.get(name, zeros))]
        return b"".join(parts), False


def _floats(values: NDArray[Any]) -> bytes:
    return values.astype("<f4").tobytes()
