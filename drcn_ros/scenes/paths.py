# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Camera paths: functions from a time in seconds to T_world_camera (4, 4), optical frame, world z up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from drcn_ros.geometry.types import Array

Path = Callable[[float], Array]

_STEP = 1e-3
# Of the drift along x, y, z and of the three angles, hertz; without a common period.
_HOVER_RATES = np.array([0.31, 0.23, 0.41, 0.37, 0.29, 0.19])


def looking(position: Sequence[float] | Array, yaw: float, pitch: float = 0.0, roll: float = 0.0) -> Array:
    """Return T_world_camera of a camera that looks along `yaw`.

    Args:
        position: (3,) metres, world.
        yaw: heading about the world's z axis, radians; 0 looks along x.
        pitch: upwards, radians.
        roll: clockwise about the viewing direction, radians.
    """
    forward = np.array([np.cos(yaw) * np.cos(pitch), np.sin(yaw) * np.cos(pitch), np.sin(pitch)])
    right = np.array([np.sin(yaw), -np.cos(yaw), 0.0])
    down = np.cross(forward, right)
    pose = np.eye(4)
    pose[:3, 0] = np.cos(roll) * right + np.sin(roll) * down
    pose[:3, 1] = np.cos(roll) * down - np.sin(roll) * right
    pose[:3, 2] = forward
    pose[:3, 3] = position
    return pose


def drive(
    start: Sequence[float],
    yaw: float,
    legs: Sequence[tuple[float, float, float]],
    *,
    sway: float = 0.0,
    smoothing: float = 0.4,
) -> Path:
    """Return the path of a camera carried by something that drives.

    Args:
        start: (3,) position at time 0, metres, world.
        yaw: heading at time 0, radians.
        legs: (duration in seconds, speed in m/s, turn rate in rad/s) one after another; the last one
            goes on for ever.
        sway: how much the carrier shakes the camera, 0 none, 1 as a walking person; in proportion to
            the speed, so that a stop is a stop.
        smoothing: time over which one leg passes into the next, seconds.
    """
    times = np.arange(0.0, sum(leg[0] for leg in legs) + 60.0, _STEP)
    ends = np.cumsum([leg[0] for leg in legs])
    leg = np.minimum(np.searchsorted(ends, times, side="right"), len(legs) - 1)
    speed, rate = (_smooth(np.array([leg[part] for leg in legs])[leg], smoothing) for part in (1, 2))
    heading = yaw + _integral(rate)
    east, north = _integral(speed * np.cos(heading)), _integral(speed * np.sin(heading))

    def path(time: float) -> Array:
        x, y, angle, pace = (np.interp(time, times, values) for values in (east, north, heading, speed))
        shake = sway * pace
        offset = np.array([x, y, 0.02 * shake * np.sin(2 * np.pi * 1.7 * time)])
        return looking(
            np.asarray(start) + offset,
            float(angle + 0.008 * shake * np.sin(2 * np.pi * 0.9 * time)),
            float(0.012 * shake * np.sin(2 * np.pi * 1.3 * time + 1.0)),
            float(0.015 * shake * np.sin(2 * np.pi * 0.8 * time + 2.0)),
        )

    return path


def orbit(centre: Sequence[float], radius: float, height: float, rate: float, start: float = 0.0) -> Path:
    """Return a circle around `centre` (x, y, z), looking at it; rate in rad/s, start angle in radians."""

    def path(time: float) -> Array:
        angle = start + rate * time
        position = np.array([centre[0], centre[1], 0.0])
        position += [radius * np.cos(angle), radius * np.sin(angle), height]
        pitch = np.arctan2(centre[2] - height, radius)
        return looking(position, angle + np.pi, float(pitch))

    return path


def hover(position: Sequence[float], yaw: float, amplitude: float) -> Path:
    """Return the drift of a craft that holds its place: amplitude in metres, and a tenth of it in radians."""

    def path(time: float) -> Array:
        waves = np.sin((2 * np.pi * time + 5.0) * _HOVER_RATES)
        offset = amplitude * waves[:3]
        tilt = 0.1 * amplitude * waves[3:]
        return looking(np.asarray(position) + offset, yaw + tilt[0], tilt[1], tilt[2])

    return path


def turn(position: Sequence[float], yaw: float, rate: float) -> Path:
    """Return a pure rotation about the vertical axis through the camera's centre; rate in rad/s."""
    return lambda time: looking(position, yaw + rate * time)


def slide(position: Sequence[float], yaw: float, velocity: Sequence[float], pitch: float = 0.0) -> Path:
    """Return a motion along a straight line without rotation; velocity (3,) in m/s, world."""
    return lambda time: looking(np.asarray(position) + np.asarray(velocity) * time, yaw, pitch)


def still(position: Sequence[float], yaw: float) -> Path:
    """Return a camera that does not move."""
    return lambda time: looking(position, yaw)


def _smooth(values: Array, duration: float) -> Array:
    width = max(1, round(duration / _STEP))
    padded = np.concatenate([np.full(width, values[0]), values, np.full(width, values[-1])])
    sums = np.cumsum(padded)
    smoothed: Array = (sums[width:] - sums[:-width]) / width
    return smoothed[width // 2 : width // 2 + len(values)]


def _integral(rate: Array) -> Array:
    result: Array = np.concatenate([[0.0], np.cumsum(0.5 * (rate[1:] + rate[:-1])) * _STEP])
    return result
