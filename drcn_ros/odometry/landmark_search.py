# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Landmarks that no match leads to, looked for where a frame at a pose must show them.

A detector does not fire on every point again, and a matcher not on every pair: where little overlaps, most
landmarks in view are without a match. Their hosts' patches find many of them. They place the frame, but they
are no observations of a keyframe: found near where the map has them, they would confirm what it has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.types import Array
from drcn_ros.matching.search import find_points
from drcn_ros.odometry.map_data import MapData
from drcn_ros.odometry.map_places import LARGEST_APART_PX, noise_of
from drcn_ros.odometry.view import View

# How many are looked for, the newest first.
_MOST = 200
# Deviation of the depth over the depth, and what it makes of the projection in pixels, that one may have.
_RELATIVE, _SLIDE_PX = 0.5, 3.0
# Distance from the image's rim, pixels, and how much larger or smaller than in its host one may look.
_MARGIN_PX, _LARGEST_SCALE = 12.0, 2.0
_LEAST_CORRELATION = 0.9
_AHEAD = 1e-3


@dataclass(frozen=True)
class FoundLandmarks:
    """Landmarks that a frame shows.

    Attributes:
        ids: (N,) rows of `Landmarks`.
        places: (N, 2) where, pixels.
        noise: (N,) standard deviations of the places over that of the usual one.
    """

    ids: NDArray[np.int64]
    places: Array
    noise: Array


def search_landmarks(
    data: MapData, pose: Array, view: View, camera: Camera, known: NDArray[np.int64]
) -> FoundLandmarks | None:
    """Return landmarks that a frame shows where its pose lets expect them, or None where there are none.

    Args:
        data: of the map.
        pose: (4, 4) T_start_frame.
        view: the frame.
        camera: that took all views.
        known: rows of landmarks to leave out.
    """
    hosts, ids, rows = _candidates(data, known)
    points = (data.points(ids) - pose[:3, 3]) @ pose[:3, :3]
    ahead = points[:, 2] > _AHEAD
    hosts, ids, rows, points = hosts[ahead], ids[ahead], rows[ahead], points[ahead]
    if not len(ids):
        return None
    pixel = view.features.pixel
    places = camera.project(points[:, :2] / points[:, 2:])
    with np.errstate(invalid="ignore"):
        inside = (places > _MARGIN_PX * pixel).all(axis=1)
        inside &= (places < np.array([camera.width, camera.height]) - 1 - _MARGIN_PX * pixel).all(axis=1)
    project = np.zeros((len(points), 2, 3))
    project[:, 0, 0] = project[:, 1, 1] = 1.0 / points[:, 2]
    project[:, :, 2] = -points[:, :2] / points[:, 2:] ** 2
    arm = points - (data.origins(ids) - pose[:3, 3]) @ pose[:3, :3]
    slide = np.linalg.norm(np.einsum("nij,nj->ni", project, arm), axis=1) * data.relative(ids)
    inside &= slide * camera.mean_focal < _SLIDE_PX * pixel
    # How the surroundings change if they lie on a plane that faces the host.
    turned = np.array([pose[:3, :3].T @ data.keyframes[host].pose[:3, :3] for host in hosts])
    warps = (project @ turned[:, :, :2]) / data.landmarks.inverse[ids, None, None]
    scale = np.sqrt(np.abs(np.linalg.det(warps)))
    inside &= (scale > 1.0 / _LARGEST_SCALE) & (scale < _LARGEST_SCALE)
    chosen = np.flatnonzero(inside)[-_MOST:]
    if not len(chosen):
        return None
    hosts, ids, rows = hosts[chosen], ids[chosen], rows[chosen]
    groups = [(data.keyframes[host].view.features, rows[hosts == host]) for host in np.unique(hosts)]
    found = find_points(
        groups, view.features, places[chosen].astype(np.float32), warps[chosen].astype(np.float32)
    )
    if found is None:
        return None
    good = (found.correlation > _LEAST_CORRELATION) & (found.apart < LARGEST_APART_PX * pixel)
    if not good.any():
        return None
    return FoundLandmarks(
        ids[good], found.points[good].astype(np.float64), noise_of(found.apart[good] / pixel)
    )


def _candidates(
    data: MapData, known: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the serial numbers of hosts, ascending, their landmarks, and the keypoints that these are."""
    hosts, ids, rows = (list[NDArray[np.int64]]() for _ in range(3))
    for keyframe in data.keyframes.values():
        mine = data.hosted(keyframe)
        landmarks = keyframe.landmark[mine]
        usable = data.landmarks.good[landmarks] & ~(keyframe.view.outlier_parallax[mine] > 0.0)
        usable &= (data.relative(landmarks) < _RELATIVE) & ~np.isin(landmarks, known)
        hosts.append(np.full(int(usable.sum()), keyframe.serial))
        ids.append(landmarks[usable])
        rows.append(mine[usable])
    return np.concatenate(hosts), np.concatenate(ids), np.concatenate(rows)
