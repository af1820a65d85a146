# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A new keyframe is linked with earlier ones: landmarks observed, begun, and carried on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.types import Array
from drcn_ros.matching.types import Matches
from drcn_ros.odometry.map_data import Keyframe, MapData
from drcn_ros.odometry.map_places import LARGEST_APART_PX, NOISE_PX, apart, places, relative_noise
from drcn_ros.odometry.outlier_history import earlier_outliers

# A place farther from the keypoint found there tells no depth. And how far a keypoint is moved to carry a
# landmark. Pixels.
_FARTHEST_PX, _CARRIED_PX = 2.0, 1.0
# Distance to the epipolar line, and to a well-known landmark's projection, that an observation may have.
_LINE_PX, _LANDMARK_PX, _WELL_KNOWN = 2.0, 4.0, 0.2


def link(data: MapData, other: Keyframe, keyframe: Keyframe, matches: Matches, camera: Camera) -> None:
    """Observe the landmarks of another keyframe in a new one, and make new ones of what both see.

    Args:
        data: that holds both.
        other, keyframe: the earlier and the new one.
        matches: of both.
        camera: of both.
    """
    if not len(other.rays):
        other.rays = camera.normalise(other.view.points.astype(np.float64))
    marks = data.landmarks
    usable = (matches.reference_index >= 0) & (matches.current_index >= 0)
    usable &= ~earlier_outliers(other.view, matches)
    pixel = keyframe.view.features.pixel
    usable &= apart(matches) < LARGEST_APART_PX * pixel
    row, column = matches.reference_index[usable], matches.current_index[usable]
    place = places(matches)[usable].astype(np.float64)
    noise = NOISE_PX * pixel * relative_noise(matches, keyframe.view)[usable]
    near = np.hypot(*(place - keyframe.view.points[column]).T) < _FARTHEST_PX * pixel
    row, column, place, noise = row[near], column[near], place[near], noise[near]
    relative = np.linalg.inv(keyframe.pose) @ other.pose
    inverse, variance, distance = _inverse_depths(
        other.rays[row], camera.normalise(place), relative, noise / camera.mean_focal
    )
    fits = distance * camera.mean_focal < _LINE_PX * pixel
    fits &= np.isfinite(inverse) & (inverse > -2.0 * np.sqrt(variance))
    row, column, place, noise = row[fits], column[fits], place[fits], noise[fits]
    inverse, variance = inverse[fits], variance[fits]
    ids = other.landmark[row]
    old = np.flatnonzero(ids >= 0)
    old = old[marks.good[ids[old]]]
    # One observation of a landmark in a keyframe, and no other landmark at its keypoint.
    old = old[~np.isin(ids[old], marks.of[marks.by == keyframe.serial])]
    old = old[(keyframe.landmark[column[old]] < 0) | (keyframe.landmark[column[old]] == ids[old])]
    old = old[np.unique(ids[old], return_index=True)[1]]
    seen = place[old]
    rays = camera.normalise(seen)
    point = (data.points(ids[old]) - keyframe.pose[:3, 3]) @ keyframe.pose[:3, :3]
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.hypot(*((point[:, :2] / point[:, 2:] - rays) * camera.mean_focal).T)
    agrees = (point[:, 2] > 0.0) & ((data.relative(ids[old]) > _WELL_KNOWN) | (off < _LANDMARK_PX * pixel))
    old, seen, rays = old[agrees], seen[agrees], rays[agrees]
    marks.observe(ids[old], keyframe.serial, rays, noise[old])
    _hand_on(keyframe, ids[old], column[old], seen)
    new = np.flatnonzero((ids < 0) & (keyframe.landmark[column] < 0))
    new = new[np.unique(row[new], return_index=True)[1]]
    if not len(new):
        return
    floor = 1e-3 * float(np.median(np.abs(inverse)))
    added = marks.add(
        other.serial, other.rays[row[new]], np.maximum(inverse[new], max(floor, 1e-6)), variance[new]
    )
    other.landmark[row[new]] = added
    marks.observe(added, keyframe.serial, camera.normalise(place[new]), noise[new])
    _hand_on(keyframe, added, column[new], place[new])


def _hand_on(keyframe: Keyframe, ids: NDArray[np.int64], column: NDArray[np.int64], seen: Array) -> None:
    """Let keypoints of a new keyframe carry landmarks, each moved to where its landmark is seen."""
    beside = np.hypot(*(seen - keyframe.view.points[column]).T)
    free = (keyframe.landmark[column] < 0) & (beside < _CARRIED_PX * keyframe.view.features.pixel)
    rows = np.flatnonzero(free)
    rows = rows[np.unique(column[rows], return_index=True)[1]]
    keyframe.landmark[column[rows]] = ids[rows]
    keyframe.place[column[rows]] = seen[rows]


def _inverse_depths(first: Array, second: Array, relative: Array, noise: Array) -> tuple[Array, Array, Array]:
    """Return inverse depths in the first view, their variances, and distances from the epipolar lines.

    Args:
        first, second: (N, 2) normalised coordinates.
        relative: (4, 4) T_second_first.
        noise: (N,) of a coordinate, normalised.
    """
    ray = np.column_stack([first, np.ones(len(first))])
    turned, shift = ray @ relative[:3, :3].T, relative[:3, 3]
    needed = second * turned[:, 2:] - turned[:, :2]
    given = shift[:2] - second * shift[2]
    squared = np.maximum((given**2).sum(axis=1), 1e-18)
    inverse = (needed * given).sum(axis=1) / squared
    variance = noise**2 * turned[:, 2] ** 2 / squared
    across = needed[:, 0] * given[:, 1] - needed[:, 1] * given[:, 0]
    distance = np.abs(across) / np.sqrt(squared) / np.maximum(np.abs(turned[:, 2]), 1e-6)
    return inverse, variance, distance / np.sqrt(2.0)
