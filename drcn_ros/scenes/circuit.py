# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A closed street with right angles: its legs, its lanes, and how fast a car drives along one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from drcn_ros.geometry.types import Array

_STEP = 0.05
# A lane's bend is an arc of this radius whose ends are smoothed over this length, metres.
_RADIUS = 7.0
_SMOOTHING = 4.0


@dataclass(frozen=True)
class Leg:
    """A straight stretch between two corners.

    Attributes:
        start: (2,) its first corner, metres, world.
        along: (2,) unit vector to the next corner.
        length: metres.
        turns: +1 left or -1 right, at its first corner and at its last.
    """

    start: Array
    along: Array
    length: float
    turns: tuple[int, int]

    def point(self, ahead: float, left: float) -> Array:
        """Return the place (2,) so many metres along the leg and left of its axis."""
        side = np.array([-self.along[1], self.along[0]])
        place: Array = self.start + ahead * self.along + left * side
        return place

    @property
    def yaw(self) -> float:
        """Heading, radians."""
        return float(np.arctan2(self.along[1], self.along[0]))


def legs(corners: Sequence[tuple[float, float]]) -> list[Leg]:
    """Return the legs of a closed street from its corners (x, y)."""
    points = np.array(corners, np.float64)
    steps = np.roll(points, -1, axis=0) - points
    lengths = np.linalg.norm(steps, axis=1)
    along = steps / lengths[:, None]
    before = np.roll(along, 1, axis=0)
    turns = np.sign(before[:, 0] * along[:, 1] - before[:, 1] * along[:, 0]).astype(int)
    after = np.roll(turns, -1)
    return [
        Leg(points[row], along[row], float(lengths[row]), (int(turns[row]), int(after[row])))
        for row in range(len(points))
    ]


class Lane:
    """A closed smooth line beside the axis of a closed street.

    Args:
        corners: of the street, (x, y), metres, world.
        left: distance of the lane from the axis to the left of the order of the corners; negative is right.
        backwards: driven against the order of the corners.

    Attributes:
        length: of one round, metres.
    """

    def __init__(
        self, corners: Sequence[tuple[float, float]], left: float, *, backwards: bool = False
    ) -> None:
        points = _rounded(legs(corners), left)
        if backwards:
            points = points[::-1]
        points = _evenly(points)
        width = max(1, round(_SMOOTHING / _STEP))
        points = _evenly(_mean_around(points, width))
        steps = np.roll(points, -1, axis=0) - points
        lengths = np.linalg.norm(steps, axis=1)
        self.length = float(lengths.sum())
        self._along = np.concatenate([[0.0], np.cumsum(lengths)])
        self._points = np.vstack([points, points[:1]])
        heading = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
        round_turn = 2 * np.pi * np.rint((heading[-1] - heading[0]) / (2 * np.pi))
        self._heading = np.append(heading, heading[0] + round_turn)

    def at(self, along: float) -> tuple[Array, float]:
        """Return the place (2,) and the heading, radians, so many metres along the lane."""
        rest = along % self.length
        x, y = (np.interp(rest, self._along, self._points[:, axis]) for axis in (0, 1))
        return np.array([x, y]), float(np.interp(rest, self._along, self._heading))

    def curvature(self) -> tuple[Array, Array]:
        """Return places along the lane (N,), metres, and the curvature there, radians per metre."""
        return self._along[:-1], np.abs(np.diff(self._heading)) / np.diff(self._along)


class Drive:
    """A car on a lane: slow in bends, fast in between, gentle on its brakes.

    Args:
        lane: driven along, round after round.
        slow, fast: speeds in bends and on straight stretches, m/s.
        acceleration: and deceleration, m/s^2.
    """

    def __init__(self, lane: Lane, slow: float, fast: float, acceleration: float = 2.0) -> None:
        along, curvature = lane.curvature()
        bend = curvature > 0.2 / _RADIUS
        squares = np.where(bend, slow, fast) ** 2
        steps = np.diff(np.append(along, lane.length))
        # Twice around in both directions, so that the limit holds across the start of the round.
        for order in (np.arange(len(along)), np.arange(len(along))[::-1]):
            for _ in range(2):
                reach = squares[order[-1]]
                for row in order:
                    reach = min(squares[row], reach + 2 * acceleration * steps[row])
                    squares[row] = reach
        self._lane = lane
        self._along = np.append(along, lane.length)
        self._times = np.concatenate([[0.0], np.cumsum(steps / np.sqrt(squares))])

    def along(self, time: float) -> float:
        """Return how far along the lane the car is, metres, at a time in seconds."""
        period = self._times[-1]
        rounds, rest = np.divmod(time, period)
        return float(rounds * self._lane.length + np.interp(rest, self._times, self._along))

    def speed(self, time: float) -> float:
        """Return the speed at a time, m/s."""
        return (self.along(time + 0.05) - self.along(time - 0.05)) / 0.1


def _rounded(stretches: Sequence[Leg], left: float) -> Array:
    """Return the corners (M, 2) of a line beside the street, its bends as arcs."""
    points = []
    # The bend at the first corner comes first.
    for leg in (stretches[-1], *stretches[:-1]):
        turn = leg.turns[1]
        # The lane's own corner, from where both of its tangents begin.
        ahead = leg.length - turn * left
        centre = leg.point(ahead - _RADIUS, left + turn * _RADIUS)
        for angle in np.linspace(0.0, np.pi / 2, 24):
            direction = leg.yaw - turn * (np.pi / 2 - angle)
            points.append(centre + _RADIUS * np.array([np.cos(direction), np.sin(direction)]))
    return np.array(points)


def _evenly(points: Array) -> Array:
    """Return points (N, 2) at equal distances along a closed line."""
    closed = np.vstack([points, points[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    places = np.linspace(0.0, along[-1], max(8, round(along[-1] / _STEP)), endpoint=False)
    return np.stack([np.interp(places, along, closed[:, axis]) for axis in (0, 1)], axis=1)


def _mean_around(points: Array, width: int) -> Array:
    """Return the mean of each point (N, 2) of a closed line and its neighbours."""
    half = width // 2
    padded = np.vstack([points[-half:], points, points[:half]])
    sums = np.vstack([np.zeros((1, 2)), np.cumsum(padded, axis=0)])
    mean: Array = (sums[2 * half + 1 :] - sums[: -2 * half - 1]) / (2 * half + 1)
    return mean
