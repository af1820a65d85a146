# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A local map: the last keyframes and the landmarks that they share.

A landmark is a point of its host keyframe with an inverse depth. It is observed at the places where narrow
patches find it. A keypoint of a later keyframe that takes it on is moved to its place, if that is near: one
beside it shows another point of the scene, and not at random (docs/geometry.md).

Bounds in pixels are those of the image that was matched, which may be smaller than the one received.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.selection import Model
from drcn_ros.geometry.two_view import TwoView
from drcn_ros.geometry.types import Array
from drcn_ros.matching.types import Matches
from drcn_ros.odometry.bundle_adjustment import Bundle, Observations, adjust
from drcn_ros.odometry.config import KeyframeConfig
from drcn_ros.odometry.map_points import MapPoints
from drcn_ros.odometry.map_pose import TRIAL_STEPS, SeenLandmarks, pose_from_landmarks
from drcn_ros.odometry.outlier_history import earlier_outliers
from drcn_ros.odometry.view import PointDepths, View

# Keyframes that a new one is matched with, that are adjusted together, of these held fixed, and kept at all.
_LINKED, _WINDOW, _FIXED, _KEPT = 4, 7, 2, 20
# Standard deviation of a match, pixels, and bounds of the one measured in a frame.
_NOISE_PX, _NOISE_RANGE = 0.5, (0.2, 1.0)
# How far apart wide and narrow patches place a match whose variance is twice the least, and usually, pixels.
_APART_PX, _USUALLY_APART_PX = 0.15, 0.2
# Patches that disagree more, or a place farther from the keypoint found there, tell no depth: they rarely
# follow what was detected. And how far a keypoint is moved to carry a landmark. Pixels.
_LARGEST_APART_PX, _FARTHEST_PX, _CARRIED_PX = 1.0, 2.0, 1.0
# Distance to the epipolar line, and to a well-known landmark's projection, that an observation may have.
_LINE_PX, _LANDMARK_PX, _WELL_KNOWN = 2.0, 4.0, 0.2
# With fewer landmarks seen through the last keyframe those of the ones before are matched too.
_ENOUGH = 40
_FEWEST, _LEAST_PART = 8, 0.25
# Parallax of the first pair with a depth, radians.
_FIRST_PARALLAX = 0.005
# How far an adjustment may move a keyframe by itself, as a part of its step.
_HOLD = 0.3
# Half-way to its end a keyframe gets a successor, if the other half takes so many frames.
_HALF, _SLOW = 0.5, 3

Match = Callable[[View, View], Matches]


@dataclass(frozen=True)
class Placed:
    """A frame's place in the map.

    Attributes:
        pose: (4, 4) T_start_frame in units of the map.
        length: of the step since the reference in units of the map.
        deviation: its standard deviation; infinite where the length is a guess.
        landmarks: how many landmarks agree.
    """

    pose: Array
    length: float
    deviation: float
    landmarks: int


@dataclass(frozen=True)
class Advance:
    """A new keyframe.

    Attributes:
        keyframe: the view to match the next frames with.
        pose: (4, 4) T_start_frame of the newest frame, after the adjustment.
    """

    keyframe: View
    pose: Array


@dataclass(eq=False)
class _Keyframe:
    """A view in the map: its pose, and the landmark (or -1) and its offset in pixels of each keypoint."""

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
class _Landmarks:
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
        rows = np.arange(len(self.host), len(self.host) + len(rays))
        self.host = np.append(self.host, np.full(len(rays), host))
        self.ray = np.concatenate([self.ray, np.column_stack([rays, np.ones(len(rays))])])
        self.inverse, self.variance = np.append(self.inverse, inverse), np.append(self.variance, variance)
        self.good = np.append(self.good, np.ones(len(rays), bool))
        return rows

    def observe(self, rows: NDArray[np.int64], serial: int, rays: Array, noise: Array) -> None:
        self.of = np.append(self.of, rows)
        self.by = np.append(self.by, np.full(len(rows), serial))
        self.at = np.concatenate([self.at, rays])
        self.noise = np.append(self.noise, noise)

    def keep_observations(self, kept: NDArray[np.bool_]) -> None:
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


class LocalMap:
    """Places frames among the landmarks of the last keyframes, and adjusts both.

    Poses are in units of the map: the baseline of its first two keyframes, unless a speed is given.

    Args:
        speed: units per second that the first baseline is taken to have, or None.
    """

    def __init__(self, speed: float | None = None) -> None:
        self._speed = speed
        self._keyframes: dict[int, _Keyframe] = {}
        self._serial = 0
        self._landmarks = _Landmarks()
        self._started = False
        # The last two frames that were placed, the newest last.
        self._placed: list[tuple[View, Array]] = []
        # A frame half-way to the end of the last keyframe: view, pose, that keyframe; and frames since.
        self._successor: tuple[View, Array, _Keyframe] | None = None
        self._frames_since = 0

    def begin(self, view: View) -> None:
        """Start with a first keyframe at the identity."""
        self._insert(view, np.eye(4))

    def place(
        self, reference: View, view: View, two_view: TwoView, matches: Matches, camera: Camera, match: Match
    ) -> Placed | None:
        """Return the place of a frame, or None where map and pair do not agree.

        Args:
            reference: that `view` was matched with; if it is the last frame and no keyframe it becomes one.
            view: with tracks; its pose is not changed.
            two_view: with a rotation.
            matches: that it was made of.
            camera: of both.
            match: finds the matches of two views.
        """
        assert two_view.rotation is not None
        keyframe = self._of(reference)
        if keyframe is None and self._started and self._placed and self._placed[-1][0] is reference:
            self.add_keyframe(reference, self._placed[-1][1], camera, match)
            keyframe = self._of(reference)
        if keyframe is None:
            return None
        if two_view.model is Model.IDENTITY:
            return Placed(keyframe.pose.copy(), 0.0, 0.0, 0)
        if not self._started:
            return self._first_step(keyframe, view, two_view, camera)
        seen = self._seen(keyframe, view, matches, camera, match)
        rotation = keyframe.pose[:3, :3] @ two_view.rotation
        origin = keyframe.pose[:3, 3]
        unit = self._usual_step()
        if len(seen) < _FEWEST:
            if two_view.pose is None:
                return Placed(_pose(rotation, origin), 0.0, 0.0, 0)
            length = unit
            direction = keyframe.pose[:3, :3] @ two_view.pose.translation
            return Placed(_pose(rotation, origin + length * direction), length, np.inf, 0)
        pixel = view.features.pixel
        noise = pixel * float(np.clip((two_view.noise_px or _NOISE_PX * pixel) / pixel, *_NOISE_RANGE))
        seen = replace(seen, noise=seen.noise * noise)
        turned = None
        covariance = two_view.rotation_covariance
        if covariance is not None and np.isfinite(covariance).all():
            # What the landmarks do not tell already; the covariance is about the reference's axes.
            share = max(1.0 - len(seen) / max(int(two_view.inliers.sum()), 1), 0.0)
            own = two_view.rotation.T @ np.linalg.pinv(covariance) @ two_view.rotation
            turned = (rotation, share * own)
        tried = [
            pose_from_landmarks(start, seen, camera.mean_focal, turned, TRIAL_STEPS)
            for start in self._starts(keyframe, rotation, two_view, seen, unit)
        ]
        nearest = min(tried, key=lambda found: found.cost)
        best = pose_from_landmarks((nearest.rotation, nearest.position), seen, camera.mean_focal, turned)
        if best.agree < max(_FEWEST, _LEAST_PART * len(seen)):
            # A turn is told by all matches; what contradicts it is a depth that was never measured well.
            return None if two_view.pose is not None else Placed(_pose(rotation, origin), 0.0, 0.0, 0)
        step = best.position - origin
        length = float(np.linalg.norm(step))
        along = best.rotation.T @ step / max(length, 1e-12)
        deviation = float(np.sqrt(max(along @ best.covariance[3:, 3:] @ along, 0.0)))
        return Placed(_pose(best.rotation, best.position), length, deviation, best.agree)

    def advance(
        self,
        reference: View,
        view: View,
        placed: Placed,
        two_view: TwoView,
        camera: Camera,
        config: KeyframeConfig,
        match: Match,
    ) -> Advance | None:
        """Note a placed frame; return what changed if there is a new keyframe, else None.

        In slow motion not the newest frame becomes one but the one that was seen half-way to its end, so that
        the parallax never starts again from zero.
        """
        keyframe = self._of(reference)
        assert keyframe is not None
        inliers = int(two_view.inliers.sum())
        keyframe.most_inliers = max(keyframe.most_inliers, inliers)
        self._placed = [*self._placed[-1:], (view, placed.pose)]
        general = two_view.model is Model.GENERAL
        parallax = (two_view.parallax_px or 0.0) / camera.mean_focal if general else 0.0
        worn = max(
            parallax / config.max_parallax,
            (1.0 - inliers / max(keyframe.most_inliers, 1)) / (1.0 - config.min_overlap),
        )
        if not self._started:
            if not general or parallax < _FIRST_PARALLAX:
                return None
            self._started = True
            change = self.add_keyframe(view, placed.pose, camera, match)
            # The first one goes on as the reference: so short a baseline would begin again from zero.
            return Advance(reference, change.pose)
        if general and placed.landmarks < _ENOUGH:
            return self.add_keyframe(view, placed.pose, camera, match)
        if worn >= 1.0:
            following = self._successor
            if following is None or following[2] is not keyframe or self._frames_since < _SLOW:
                return self.add_keyframe(view, placed.pose, camera, match)
            before = keyframe.pose
            self.add_keyframe(following[0], following[1], camera, match)
            pose = keyframe.pose @ np.linalg.inv(before) @ placed.pose
            self._placed[-1] = (view, pose)
            return Advance(following[0], pose)
        if worn < _HALF:
            self._successor = None
        elif self._successor is None:
            self._successor, self._frames_since = (view, placed.pose, keyframe), 0
        self._frames_since += 1
        return None

    def add_keyframe(self, view: View, pose: Array, camera: Camera, match: Match) -> Advance:
        """Make a placed frame a keyframe, and adjust the last ones."""
        self._successor = None
        linked = list(self._keyframes.values())[-_LINKED:]
        keyframe = self._insert(view, pose, camera)
        for other in linked:
            self._link(other, keyframe, match(other.view, view), camera)
        keyframe.carry(camera)
        if len(self._keyframes) >= 3:
            self._adjust(camera)
        self._forget()
        if self._placed and self._placed[-1][0] is view:
            self._placed[-1] = (view, keyframe.pose.copy())
        return Advance(view, keyframe.pose.copy())

    def depths(self, reference: View, view: View, pose: Array, matches: Matches) -> PointDepths:
        """Return the depths of a view's keypoints that match landmarks of a keyframe.

        Args:
            reference: the keyframe.
            view: the frame.
            pose: (4, 4) of the frame in the map.
            matches: of both.
        """
        found = PointDepths.unknown(len(view.points))
        keyframe = self._of(reference)
        if keyframe is None:
            return found
        rows, ids = self._known(keyframe, matches)
        depth = ((self._points(ids) - pose[:3, 3]) @ pose[:3, :3])[:, 2]
        column = matches.current_index[rows]
        seen = (depth > 1e-6) & (column >= 0)
        found.inverse[column[seen]] = 1.0 / depth[seen]
        found.deviation[column[seen]] = self._relative(ids[seen]) / depth[seen]
        return found

    def landmarks(self) -> MapPoints:
        """Return the landmarks whose distance is known to better than itself, in axes and unit of the map."""
        marks = self._landmarks
        rows, tracks = [np.zeros(0, np.int64)], [np.zeros(0, np.uint32)]
        # The newest host first: of landmarks with the same track only its one is told.
        for keyframe in reversed(self._keyframes.values()):
            carries = np.flatnonzero(keyframe.landmark >= 0)
            hosted = carries[marks.host[keyframe.landmark[carries]] == keyframe.serial]
            rows.append(keyframe.landmark[hosted])
            tracks.append(keyframe.view.tracks.ids[hosted])
        ids, first = np.unique(np.concatenate(tracks), return_index=True)
        row = np.concatenate(rows)[first]
        known = marks.good[row] & (marks.inverse[row] > 1e-6) & (self._relative(row) < 1.0)
        row = row[known]
        seen = 1 + np.bincount(marks.of, minlength=len(marks.host))[row]
        away = np.linalg.norm(marks.ray[row], axis=1) / marks.inverse[row]
        variance = (self._relative(row) * away) ** 2
        return MapPoints(self._points(row), variance, ids[known], seen.astype(np.uint32))

    def _of(self, view: View) -> _Keyframe | None:
        return next((found for found in self._keyframes.values() if found.view is view), None)

    def _insert(self, view: View, pose: Array, camera: Camera | None = None) -> _Keyframe:
        points = view.points.astype(np.float64)
        rays = np.zeros((0, 2)) if camera is None else camera.normalise(points)
        keyframe = _Keyframe(
            self._serial,
            view,
            pose.copy(),
            rays,
            np.full(len(points), -1),
            points,
        )
        self._keyframes[self._serial] = keyframe
        self._serial += 1
        return keyframe

    def _first_step(self, keyframe: _Keyframe, view: View, two_view: TwoView, camera: Camera) -> Placed:
        """Return a step whose length tells only how the parallax compares with that of the first baseline."""
        assert two_view.rotation is not None
        rotation, origin = keyframe.pose[:3, :3] @ two_view.rotation, keyframe.pose[:3, 3]
        if two_view.pose is None:
            return Placed(_pose(rotation, origin), 0.0, 0.0, 0)
        part = (two_view.parallax_px or 0.0) / (_FIRST_PARALLAX * camera.mean_focal)
        length = min(part, 1.0)
        seconds = 1e-9 * (view.stamp_ns - keyframe.view.stamp_ns)
        if self._speed is not None and self._speed > 0.0 and seconds > 0.0:
            length = self._speed * seconds
        direction = keyframe.pose[:3, :3] @ two_view.pose.translation
        return Placed(_pose(rotation, origin + length * direction), length, np.inf, 0)

    def _known(self, keyframe: _Keyframe, matches: Matches) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the matches of keypoints that carry a landmark: their rows, and the landmarks."""
        index = matches.reference_index
        ids = np.where(index >= 0, keyframe.landmark[index], -1)
        rows = np.flatnonzero((ids >= 0) & ~earlier_outliers(keyframe.view, matches))
        rows = rows[self._landmarks.good[ids[rows]]]
        return rows, ids[rows]

    def _seen(
        self, keyframe: _Keyframe, view: View, matches: Matches, camera: Camera, match: Match
    ) -> SeenLandmarks:
        rows, ids = self._known(keyframe, matches)
        places, noise = _places(matches)[rows], _relative_noise(matches, view)[rows]
        for other in list(self._keyframes.values())[: -_LINKED - 1 : -1]:
            if len(ids) >= _ENOUGH:
                break
            if other is keyframe:
                continue
            more = match(other.view, view)
            rows, others = self._known(other, more)
            others, first = np.unique(others, return_index=True)
            rows = rows[first]
            new = ~np.isin(others, ids)
            rows = rows[new]
            ids = np.append(ids, others[new])
            places = np.concatenate([places, _places(more)[rows]])
            noise = np.append(noise, _relative_noise(more, view)[rows])
        rays = camera.normalise(places.astype(np.float64))
        finite = np.isfinite(rays).all(axis=1)
        ids, rays, noise = ids[finite], rays[finite], noise[finite]
        origins = np.array([self._keyframes[host].pose[:3, 3] for host in self._landmarks.host[ids]])
        return SeenLandmarks(self._points(ids), origins.reshape(-1, 3), self._relative(ids), rays, noise)

    def _points(self, ids: NDArray[np.int64]) -> Array:
        """Return landmarks (N, 3) in the axes of the start."""
        if not len(ids):
            return np.zeros((0, 3))
        marks = self._landmarks
        poses = np.array([self._keyframes[host].pose for host in marks.host[ids]])
        depths = 1.0 / np.maximum(marks.inverse[ids], 1e-6)
        points: Array = np.einsum("nij,nj->ni", poses[:, :3, :3], marks.ray[ids] * depths[:, None])
        points += poses[:, :3, 3]
        return points

    def _relative(self, ids: NDArray[np.int64]) -> Array:
        marks = self._landmarks
        relative: Array = np.sqrt(marks.variance[ids]) / np.maximum(marks.inverse[ids], 1e-6)
        return np.minimum(relative, 1e3)

    def _usual_step(self) -> float:
        positions = np.array([found.pose[:3, 3] for found in list(self._keyframes.values())[-6:]])
        steps = np.linalg.norm(np.diff(positions, axis=0), axis=1)
        steps = steps[steps > 0.0]
        return float(np.median(steps)) if len(steps) else 1.0

    def _starts(
        self, keyframe: _Keyframe, rotation: Array, two_view: TwoView, seen: SeenLandmarks, unit: float
    ) -> list[tuple[Array, Array]]:
        origin = keyframe.pose[:3, 3]
        starts = [(rotation, origin)]
        if two_view.pose is not None:
            direction = keyframe.pose[:3, :3] @ two_view.pose.translation
            length = _length_along(direction, rotation, origin, seen)
            starts = [(rotation, origin + length * direction), (rotation, origin + 0.3 * unit * direction)]
        if len(self._placed) == 2:
            before, last = self._placed[0][1], self._placed[1][1]
            ahead = last @ np.linalg.inv(before) @ last
            starts.append((ahead[:3, :3], ahead[:3, 3]))
        return starts

    def _link(
        self,
        other: _Keyframe,
        keyframe: _Keyframe,
        matches: Matches,
        camera: Camera,
    ) -> None:
        """Observe the landmarks of another keyframe in a new one, and make new ones of what both see."""
        if not len(other.rays):
            other.rays = camera.normalise(other.view.points.astype(np.float64))
        marks = self._landmarks
        usable = (matches.reference_index >= 0) & (matches.current_index >= 0)
        usable &= ~earlier_outliers(other.view, matches)
        pixel = keyframe.view.features.pixel
        usable &= _apart(matches) < _LARGEST_APART_PX * pixel
        row, column = matches.reference_index[usable], matches.current_index[usable]
        place = _places(matches)[usable].astype(np.float64)
        noise = _NOISE_PX * pixel * _relative_noise(matches, keyframe.view)[usable]
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
        point = (self._points(ids[old]) - keyframe.pose[:3, 3]) @ keyframe.pose[:3, :3]
        with np.errstate(divide="ignore", invalid="ignore"):
            off = np.hypot(*((point[:, :2] / point[:, 2:] - rays) * camera.mean_focal).T)
        agrees = (point[:, 2] > 0.0) & (
            (self._relative(ids[old]) > _WELL_KNOWN) | (off < _LANDMARK_PX * pixel)
        )
        old, seen, rays = old[agrees], seen[agrees], rays[agrees]
        marks.observe(ids[old], keyframe.serial, rays, noise[old])
        self._hand_on(keyframe, ids[old], column[old], seen)
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
        self._hand_on(keyframe, added, column[new], place[new])

    def _hand_on(
        self, keyframe: _Keyframe, ids: NDArray[np.int64], column: NDArray[np.int64], seen: Array
    ) -> None:
        """Let keypoints of a new keyframe carry landmarks, each moved to where its landmark is seen."""
        beside = np.hypot(*(seen - keyframe.view.points[column]).T)
        free = (keyframe.landmark[column] < 0) & (beside < _CARRIED_PX * keyframe.view.features.pixel)
        rows = np.flatnonzero(free)
        rows = rows[np.unique(column[rows], return_index=True)[1]]
        keyframe.landmark[column[rows]] = ids[rows]
        keyframe.place[column[rows]] = seen[rows]

    def _adjust(self, camera: Camera) -> None:
        marks, keyframes = self._landmarks, self._keyframes
        window = list(keyframes)[-_WINDOW:]
        free = window[min(_FIXED, len(window) - 1) :]
        seen = np.flatnonzero(np.isin(marks.by, window) & marks.good[marks.of])
        if not len(seen):
            return
        ids, landmark = np.unique(marks.of[seen], return_inverse=True)
        serials = np.unique(np.concatenate([marks.host[ids], marks.by[seen], free]))
        place = {int(serial): row for row, serial in enumerate(serials)}
        poses = np.array([keyframes[int(serial)].pose for serial in serials])
        bundle = Bundle(
            poses[:, :3, :3].copy(),
            poses[:, :3, 3].copy(),
            np.searchsorted(serials, marks.host[ids]),
            marks.ray[ids],
            marks.inverse[ids],
        )
        observations = Observations(
            landmark,
            np.searchsorted(serials, marks.by[seen]),
            marks.at[seen],
            marks.noise[seen] / camera.mean_focal,
        )
        before = window[min(_FIXED, len(window) - 1) - 1 : -1]
        steps = [
            max(float(np.linalg.norm(keyframes[b].pose[:3, 3] - keyframes[a].pose[:3, 3])), 1e-6)
            for a, b in zip(before, free, strict=True)
        ]
        found = adjust(
            bundle,
            observations,
            np.array([place[serial] for serial in free]),
            _HOLD * np.array(steps),
        )
        if found is None:
            return
        for serial in free:
            row = place[serial]
            keyframes[serial].pose = _pose(found.bundle.rotations[row], found.bundle.positions[row])
        marks.inverse[ids] = found.bundle.inverse
        marks.variance[ids] = np.minimum(found.variance, 1e12)
        self._drop(seen[found.disagrees])

    def _drop(self, rows: NDArray[np.int64]) -> None:
        """Drop observations, the landmarks that they leave without one, and the links to both."""
        marks = self._landmarks
        for serial in np.unique(marks.by[rows]):
            keyframe = self._keyframes.get(int(serial))
            if keyframe is not None:
                ids = marks.of[rows[marks.by[rows] == serial]]
                keyframe.landmark[np.isin(keyframe.landmark, ids)] = -1
        touched = np.unique(marks.of[rows])
        kept = np.ones(len(marks.of), bool)
        kept[rows] = False
        marks.keep_observations(kept)
        bad = touched[~np.isin(touched, marks.of)]
        marks.good[bad] = False
        for keyframe in self._keyframes.values():
            keyframe.landmark[np.isin(keyframe.landmark, bad)] = -1

    def _forget(self) -> None:
        """Let the oldest keyframe go, and all landmarks that it hosts."""
        marks = self._landmarks
        while len(self._keyframes) > _KEPT:
            del self._keyframes[next(iter(self._keyframes))]
        oldest = next(iter(self._keyframes))
        new = marks.keep(marks.good & (marks.host >= oldest))
        kept = marks.by >= oldest
        marks.keep_observations(kept)
        for keyframe in self._keyframes.values():
            keyframe.landmark = new[keyframe.landmark]


def _places(matches: Matches) -> NDArray[np.float32]:
    """Return where the current image shows the reference points themselves, (M, 2) pixels."""
    return matches.current_points if matches.narrow_points is None else matches.narrow_points


def _apart(matches: Matches) -> NDArray[np.float32]:
    """Return how far wide and narrow patches place the matches apart, (M,) pixels."""
    apart: NDArray[np.float32] = np.hypot(*(_places(matches) - matches.current_points).T)
    return apart


def _relative_noise(matches: Matches, view: View) -> Array:
    """Return the standard deviations of places (M,) in a view over that of the usual one."""
    if matches.narrow_points is None:
        return np.ones(len(matches))
    apart = _apart(matches) / view.features.pixel
    noise: Array = np.sqrt((1.0 + apart / _APART_PX) / (1.0 + _USUALLY_APART_PX / _APART_PX))
    return noise


def _pose(rotation: Array, position: Array) -> Array:
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, position
    return pose


def _length_along(direction: Array, rotation: Array, origin: Array, seen: SeenLandmarks) -> float:
    """Return the length of a step along a direction that most landmarks support: a weighted median."""
    point = (seen.points - origin) @ rotation
    step = rotation.T @ direction
    needed = point[:, :2] - seen.rays * point[:, 2:]
    given = step[:2] - seen.rays * step[2]
    squared = (given**2).sum(axis=1)
    lengths = (needed * given).sum(axis=1) / np.maximum(squared, 1e-12)
    weights = np.sqrt(squared) / np.maximum(point[:, 2], 1e-6)
    order = np.argsort(lengths)
    total = np.cumsum(weights[order])
    return float(lengths[order][int(np.searchsorted(total, 0.5 * total[-1]))])


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
