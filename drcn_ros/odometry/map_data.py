# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a local map holds: keyframes, and the landmarks that they share.

A landmark is a point of its host keyframe with an inverse depth. It is observed at the places where narrow
patches find it. A keypoint of a later keyframe that takes it on is moved to its place, if that is near: one
beside it shows another point of the scene, and not at random (docs/geometry.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.types import Array
from drcn_ros.odometry.map_points import MapPoints
from drcn_ros.odometry.view import View

# A depth's deviation over the depth is told up to here.
_LARGEST_RELATIVE = 1e3
_LEAST_INVERSE = 1e-6
# Frames may be matched with so many of the newest keyframes: the map and the way back from a loss need fewer.
_MATCHED = 8


@dataclass(eq=False)
class Keyframe:
    """A view in the map.

    Attributes:
        serial: its number, in the order of insertion.
        view: the frame.
        pose: (4, 4) T_start_keyframe in units of the map.
        rays: (N, 2) normalised coordinates of the keypoints, or (0, 2) while they are not known.
        landmark: (N,) that each keypoint carries, a row of `Landmarks`, or -1.
        place: (N, 2) where its landmark is seen, pixels; the keypoint itself where it carries none.
        most_inliers: of all frames that were matched with it.
    """

    serial: int
    view: View
    pose: Array
    rays: Array
    landmark: NDArray[np.int64]
    place: Array
    most_inliers: int = 0

    def carry(self, camera: Camera) -> None:
        """Move the keypoints to where their landmarks are seen."""
        points = self.place.astype(np.float32)
        rows = np.flatnonzero((points != self.view.points).any(axis=1))
        if len(rows):
            self.view.features = self.view.features.moved(rows, points[rows])
            self.view.points = points
        self.rays = camera.normalise(self.place)


@dataclass(eq=False)
class Landmarks:
    """All landmarks, one row each; rows are given anew when old ones are dropped."""

    host: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    ray: Array = field(default_factory=lambda: np.zeros((0, 3)))
    inverse: Array = field(default_factory=lambda: np.zeros(0))
    variance: Array = field(default_factory=lambda: np.zeros(0))
    good: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    # Observations: landmark, serial of the keyframe, ray, standard deviation in pixels.
    of: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    by: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    at: Array = field(default_factory=lambda: np.zeros((0, 2)))
    noise: Array = field(default_factory=lambda: np.zeros(0))

    def add(self, host: int, rays: Array, inverse: Array, variance: Array) -> NDArray[np.int64]:
        """Begin landmarks of a host at rays (N, 2) with inverse depths (N,); return their rows."""
        rows = np.arange(len(self.host), len(self.host) + len(rays))
        self.host = np.append(self.host, np.full(len(rays), host))
        self.ray = np.concatenate([self.ray, np.column_stack([rays, np.ones(len(rays))])])
        self.inverse, self.variance = np.append(self.inverse, inverse), np.append(self.variance, variance)
        self.good = np.append(self.good, np.ones(len(rays), bool))
        return rows

    def observe(self, rows: NDArray[np.int64], serial: int, rays: Array, noise: Array) -> None:
        """Note that a keyframe sees landmarks at rays (N, 2), deviations (N,) in pixels."""
        self.of = np.append(self.of, rows)
        self.by = np.append(self.by, np.full(len(rows), serial))
        self.at = np.concatenate([self.at, rays])
        self.noise = np.append(self.noise, noise)

    def keep_observations(self, kept: NDArray[np.bool_]) -> None:
        """Drop the other observations."""
        for name in ("of", "by", "at", "noise"):
            setattr(self, name, getattr(self, name)[kept])

    def keep(self, kept: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Drop landmarks; return the new row of each old one, -1 for the dropped."""
        new = np.full(len(kept) + 1, -1)
        new[:-1][kept] = np.arange(int(kept.sum()))
        for name in ("host", "ray", "inverse", "variance", "good"):
            setattr(self, name, getattr(self, name)[kept])
        seen = kept[self.of]
        self.keep_observations(seen)
        self.of = new[self.of]
        return new


class MapData:
    """Keyframes by their serial numbers, oldest first, and landmarks, with what both are to each other."""

    def __init__(self) -> None:
        self.keyframes: dict[int, Keyframe] = {}
        self.landmarks = Landmarks()
        self._serial = 0

    def insert(self, view: View, pose: Array, camera: Camera | None = None) -> Keyframe:
        """Add a keyframe at a pose (4, 4) that carries no landmarks yet."""
        points = view.points.astype(np.float64)
        rays = np.zeros((0, 2)) if camera is None else camera.normalise(points)
        nothing = np.full(len(points), -1)
        keyframe = Keyframe(self._serial, view, pose.copy(), rays, nothing, points)
        self.keyframes[self._serial] = keyframe
        self._serial += 1
        return keyframe

    def last(self, count: int) -> list[Keyframe]:
        """Return the newest keyframes, oldest first."""
        return list(self.keyframes.values())[-count:]

    def of(self, view: View) -> Keyframe | None:
        """Return the keyframe that a view is, if it is one."""
        return next((found for found in self.keyframes.values() if found.view is view), None)

    def hosted(self, keyframe: Keyframe) -> NDArray[np.int64]:
        """Return the keypoints (rows) of a keyframe whose landmarks it hosts itself."""
        carries = np.flatnonzero(keyframe.landmark >= 0)
        own: NDArray[np.bool_] = self.landmarks.host[keyframe.landmark[carries]] == keyframe.serial
        return np.asarray(carries[own], np.int64)

    def points(self, ids: NDArray[np.int64]) -> Array:
        """Return landmarks (N, 3) in the axes of the start."""
        if not len(ids):
            return np.zeros((0, 3))
        marks = self.landmarks
        poses = np.array([self.keyframes[host].pose for host in marks.host[ids]])
        depths = 1.0 / np.maximum(marks.inverse[ids], _LEAST_INVERSE)
        points: Array = np.einsum("nij,nj->ni", poses[:, :3, :3], marks.ray[ids] * depths[:, None])
        points += poses[:, :3, 3]
        return points

    def origins(self, ids: NDArray[np.int64]) -> Array:
        """Return the cameras (N, 3) that the depths of landmarks are measured from."""
        origins = [self.keyframes[host].pose[:3, 3] for host in self.landmarks.host[ids]]
        return np.array(origins).reshape(-1, 3)

    def relative(self, ids: NDArray[np.int64]) -> Array:
        """Return the standard deviations (N,) of landmarks' depths, over the depths."""
        marks = self.landmarks
        relative: Array = np.sqrt(marks.variance[ids]) / np.maximum(marks.inverse[ids], _LEAST_INVERSE)
        return np.minimum(relative, _LARGEST_RELATIVE)

    def told(self) -> MapPoints:
        """Return the landmarks whose distance is known to better than itself, in axes and unit of the map."""
        marks = self.landmarks
        rows, tracks = [np.zeros(0, np.int64)], [np.zeros(0, np.uint32)]
        # The newest host first: of landmarks with the same track only its one is told.
        for keyframe in reversed(self.keyframes.values()):
            hosted = self.hosted(keyframe)
            rows.append(keyframe.landmark[hosted])
            tracks.append(keyframe.view.tracks.ids[hosted])
        ids, first = np.unique(np.concatenate(tracks), return_index=True)
        row = np.concatenate(rows)[first]
        known = marks.good[row] & (marks.inverse[row] > _LEAST_INVERSE) & (self.relative(row) < 1.0)
        row = row[known]
        seen = 1 + np.bincount(marks.of, minlength=len(marks.host))[row]
        away = np.linalg.norm(marks.ray[row], axis=1) / marks.inverse[row]
        variance = (self.relative(row) * away) ** 2
        return MapPoints(self.points(row), variance, ids[known], seen.astype(np.uint32))

    def drop(self, rows: NDArray[np.int64]) -> None:
        """Drop observations, the landmarks that they leave without one, and the links to both."""
        marks = self.landmarks
        for serial in np.unique(marks.by[rows]):
            keyframe = self.keyframes.get(int(serial))
            if keyframe is not None:
                ids = marks.of[rows[marks.by[rows] == serial]]
                keyframe.landmark[np.isin(keyframe.landmark, ids)] = -1
        touched = np.unique(marks.of[rows])
        kept = np.ones(len(marks.of), bool)
        kept[rows] = False
        marks.keep_observations(kept)
        bad = touched[~np.isin(touched, marks.of)]
        marks.good[bad] = False
        for keyframe in self.keyframes.values():
            keyframe.landmark[np.isin(keyframe.landmark, bad)] = -1

    def forget(self, kept_keyframes: int) -> None:
        """Let the oldest keyframes go beyond so many, and all landmarks that they host.

        Of those that are not matched any more only what the search for landmarks needs is kept.
        """
        marks = self.landmarks
        for keyframe in list(self.keyframes.values())[:-_MATCHED]:
            if keyframe.view.features.matchable:
                keyframe.view.features = keyframe.view.features.for_search()
        while len(self.keyframes) > kept_keyframes:
            del self.keyframes[next(iter(self.keyframes))]
        oldest = next(iter(self.keyframes))
        new = marks.keep(marks.good & (marks.host >= oldest))
        kept = marks.by >= oldest
        marks.keep_observations(kept)
        for keyframe in self.keyframes.values():
            keyframe.landmark = new[keyframe.landmark]
