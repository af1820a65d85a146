# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Places frames among the landmarks of the last keyframes.

What a new keyframe asks for, its matches with the keyframes before it and the adjustment of all of them, is
done in a thread of its own after the frame was placed. The next frame waits for it, so that the result does
not depend on how fast either is.

Bounds in pixels are those of the image that was matched, which may be smaller than the one received.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.rotation import rotation_vector
from drcn_ros.geometry.selection import Model
from drcn_ros.geometry.two_view import TwoView
from drcn_ros.geometry.types import Array
from drcn_ros.matching.types import Matches
from drcn_ros.odometry.config import KeyframeConfig
from drcn_ros.odometry.landmark_search import search_landmarks
from drcn_ros.odometry.map_adjustment import adjust_newest
from drcn_ros.odometry.map_data import Keyframe, MapData
from drcn_ros.odometry.map_linking import link
from drcn_ros.odometry.map_places import NOISE_PX, places, relative_noise
from drcn_ros.odometry.map_points import MapPoints
from drcn_ros.odometry.map_pose import TRIAL_STEPS, SeenLandmarks, pose_from_landmarks, pose_matrix
from drcn_ros.odometry.motion_so_far import MotionSoFar
from drcn_ros.odometry.outlier_history import earlier_outliers
from drcn_ros.odometry.view import PointDepths, View

# Keyframes that a new one is matched with, and that are kept.
_LINKED, _KEPT = 4, 20
# Bounds of the noise measured in a frame, pixels.
_NOISE_RANGE = 0.2, 1.0
# With fewer landmarks seen through the last keyframe those of the ones before are matched too; with fewer
# than plenty, those without a match are looked for.
_ENOUGH, _PLENTY = 40, 150
_FEWEST, _LEAST_PART = 8, 0.25
# Where less than this part agrees, two views and the motion so far must agree with the place as well: turns,
# and directions where the parallax is this large, pixels; and distances within a factor.
_SURE_PART, _TURN_DEG, _DIRECTION_DEG, _CLEAR_PX, _FACTOR = 0.5, 3.0, 20.0, 3.0, 2.0
# Two views that the landmarks contradict are believed if so many inliers, and so large a part, agree with
# them, and they with the motion so far within a turn and a direction, degrees. The first bounds are for
# pairs that leave no doubt.
_ALONE = ((60, 0.75, 15.0, 45.0), (20, 0.6, 10.0, 25.0))
# Parallax of the first pair with a depth, radians.
_FIRST_PARALLAX = 0.005
# What the baseline of that pair may be at most, in units, where frames before it have fixed the unit.
_LONGEST_FIRST = 2.0
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
        alone: whether the two views alone have it, since the landmarks contradict them: the map begins anew.
    """

    pose: Array
    length: float
    deviation: float
    landmarks: int
    alone: bool = False


class LocalMap:
    """Places frames among the landmarks of the last keyframes, and adjusts both.

    Poses are in units of the map: the baseline of its first two keyframes, unless a speed is given.

    Args:
        speed: units per second that the first baseline is taken to have, or None.
    """

    def __init__(self, speed: float | None = None) -> None:
        self._speed = speed
        self._data = MapData()
        self._started = False
        # The last two frames that were placed, the newest last.
        self._placed: list[tuple[View, Array]] = []
        # A frame half-way to the end of the last keyframe: view, pose, that keyframe; and frames since.
        self._successor: tuple[View, Array, Keyframe] | None = None
        self._frames_since = 0
        self._motion = MotionSoFar()
        self._work: Future[None] | None = None
        # The keyframe that the newest frame was placed from, and its pose then.
        self._anchor: tuple[Keyframe, Array] | None = None

    @property
    def newest(self) -> Array:
        """(4, 4) T_start_frame of the frame that was placed last, after all adjustments."""
        self.settle()
        return self._placed[-1][1] if self._placed else np.eye(4)

    def settle(self) -> None:
        """Wait until the last keyframe is linked and adjusted.

        Raises:
            Exception: what that work ended with.
        """
        work, self._work = self._work, None
        if work is None:
            return
        work.result()
        if self._placed and self._anchor is not None:
            view, pose = self._placed[-1]
            keyframe = self._data.of(view)
            anchor, before = self._anchor
            moved = anchor.pose @ np.linalg.inv(before) @ pose if keyframe is None else keyframe.pose.copy()
            self._placed[-1] = view, moved
            self._motion.correct(moved)
        self._anchor = None

    def abandon(self) -> None:
        """Wait until the last keyframe is done with, whatever its end, since the map is needed no more."""
        work, self._work = self._work, None
        if work is not None:
            wait([work])

    def begin(self, view: View) -> None:
        """Start with a first keyframe at the identity."""
        self._data.insert(view, np.eye(4))
        self._motion.add(view.stamp_ns, np.eye(4))

    def expect(self, reference: View, view: View) -> tuple[Array, Array] | None:
        """Return (R, t), |t| = 1, of T_reference_view if the last motion goes on, or None."""
        self.settle()
        keyframe = self._data.of(reference)
        known = [pose for placed, pose in self._placed if placed is reference]
        known += [] if keyframe is None else [keyframe.pose]
        ahead = self._motion.ahead(view.stamp_ns)
        if ahead is None or not known:
            return None
        relative = np.linalg.inv(known[-1]) @ ahead
        length = float(np.linalg.norm(relative[:3, 3]))
        return None if length < 1e-9 else (relative[:3, :3], relative[:3, 3] / length)

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
        self.settle()
        keyframe = self._data.of(reference)
        if keyframe is None and self._started and self._placed and self._placed[-1][0] is reference:
            self.add_keyframe(reference, self._placed[-1][1], camera, match)
            self.settle()
            keyframe = self._data.of(reference)
        if keyframe is None:
            return None
        if two_view.model is Model.IDENTITY:
            return Placed(keyframe.pose.copy(), 0.0, 0.0, 0)
        if not self._started:
            return self._first_step(keyframe, view, two_view, camera)
        seen, ids = self._seen(keyframe, view, matches, camera, match)
        rotation = keyframe.pose[:3, :3] @ two_view.rotation
        origin = keyframe.pose[:3, 3]
        unit = self._usual_step()
        if len(seen) < _FEWEST:
            if two_view.pose is None:
                return Placed(pose_matrix(rotation, origin), 0.0, 0.0, 0)
            length = unit
            direction = keyframe.pose[:3, :3] @ two_view.pose.translation
            return Placed(pose_matrix(rotation, origin + length * direction), length, np.inf, 0)
        pixel = view.features.pixel
        noise = pixel * float(np.clip((two_view.noise_px or NOISE_PX * pixel) / pixel, *_NOISE_RANGE))
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
        if len(ids) < _PLENTY and best.agree >= max(_FEWEST, _LEAST_PART * len(seen)):
            more = search_landmarks(self._data, pose_matrix(best.rotation, best.position), view, camera, ids)
            if more is not None:
                seen = seen.joined(self._seen_at(more.ids, camera.normalise(more.places), more.noise * noise))
                best = pose_from_landmarks((best.rotation, best.position), seen, camera.mean_focal, turned)
        found = pose_matrix(best.rotation, best.position)
        sure = best.agree >= max(_FEWEST, _SURE_PART * len(seen))
        if not sure and (
            best.agree < max(_FEWEST, _LEAST_PART * len(seen))
            or not self._expected(found, keyframe, view, two_view)
        ):
            if two_view.pose is not None:
                return self._alone(keyframe, view, two_view)
            # A turn is told by all matches; what contradicts it is a depth that was never measured well.
            return Placed(pose_matrix(rotation, origin), 0.0, 0.0, 0)
        step = best.position - origin
        length = float(np.linalg.norm(step))
        along = best.rotation.T @ step / max(length, 1e-12)
        deviation = float(np.sqrt(max(along @ best.covariance[3:, 3:] @ along, 0.0)))
        return Placed(found, length, deviation, best.agree)

    def advance(
        self,
        reference: View,
        view: View,
        placed: Placed,
        two_view: TwoView,
        camera: Camera,
        config: KeyframeConfig,
        match: Match,
    ) -> View | None:
        """Note a placed frame; if there is a new keyframe, return the view to match the next frames with.

        In slow motion not the newest frame becomes one but the one that was seen half-way to its end, so that
        the parallax never starts again from zero.
        """
        self._motion.add(view.stamp_ns, placed.pose)
        if placed.alone:
            self._begin_again(view, placed.pose)
            return view
        keyframe = self._data.of(reference)
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
            self.add_keyframe(view, placed.pose, camera, match)
            # The first one goes on as the reference: so short a baseline would begin again from zero.
            return reference
        if general and placed.landmarks < _ENOUGH:
            return self.add_keyframe(view, placed.pose, camera, match)
        if worn >= 1.0:
            following = self._successor
            if following is None or following[2] is not keyframe or self._frames_since < _SLOW:
                return self.add_keyframe(view, placed.pose, camera, match)
            self._anchor = keyframe, keyframe.pose
            return self.add_keyframe(following[0], following[1], camera, match)
        if worn < _HALF:
            self._successor = None
        elif self._successor is None:
            self._successor, self._frames_since = (view, placed.pose, keyframe), 0
        self._frames_since += 1
        return None

    def add_keyframe(self, view: View, pose: Array, camera: Camera, match: Match) -> View:
        """Make a placed frame a keyframe, and begin to link it with the last ones and to adjust them.

        Args:
            view: the frame, which is returned.
            pose: (4, 4) of it in the map.
            camera: of all.
            match: finds the matches of two views; called in another thread until the map is settled.
        """
        self.settle()
        self._successor = None
        linked = self._data.last(_LINKED)
        keyframe = self._data.insert(view, pose, camera)
        if self._anchor is None:
            self._anchor = keyframe, keyframe.pose

        def work() -> None:
            for other in linked:
                link(self._data, other, keyframe, match(other.view, view), camera)
            keyframe.carry(camera)
            if len(self._data.keyframes) >= 3:
                adjust_newest(self._data, camera)
            self._data.forget(_KEPT)

        self._work = _worker().submit(work)
        return view

    def depths(self, reference: View, view: View, matches: Matches) -> PointDepths:
        """Return the depths of the newest frame's keypoints that match landmarks of a keyframe.

        Args:
            reference: the keyframe.
            view: the frame.
            matches: of both.
        """
        pose = self.newest
        found = PointDepths.unknown(len(view.points))
        keyframe = self._data.of(reference)
        if keyframe is None:
            return found
        rows, ids = self._known(keyframe, matches)
        depth = ((self._data.points(ids) - pose[:3, 3]) @ pose[:3, :3])[:, 2]
        column = matches.current_index[rows]
        seen = (depth > 1e-6) & (column >= 0)
        found.inverse[column[seen]] = 1.0 / depth[seen]
        found.deviation[column[seen]] = self._data.relative(ids[seen]) / depth[seen]
        return found

    def _first_step(self, keyframe: Keyframe, view: View, two_view: TwoView, camera: Camera) -> Placed:
        """Return a step whose length tells only how the parallax compares with that of the first baseline."""
        assert two_view.rotation is not None
        rotation, origin = keyframe.pose[:3, :3] @ two_view.rotation, keyframe.pose[:3, 3]
        if two_view.pose is None:
            return Placed(pose_matrix(rotation, origin), 0.0, 0.0, 0)
        part = (two_view.parallax_px or 0.0) / (_FIRST_PARALLAX * camera.mean_focal)
        # Steps told before the map has begun fix the unit; without any, the first baseline does.
        told = bool(self._placed) and bool((self._placed[-1][1][:3, 3] != origin).any())
        length = min(part, _LONGEST_FIRST if told else 1.0)
        seconds = 1e-9 * (view.stamp_ns - keyframe.view.stamp_ns)
        if self._speed is not None and self._speed > 0.0 and seconds > 0.0:
            length = self._speed * seconds
        direction = keyframe.pose[:3, :3] @ two_view.pose.translation
        return Placed(pose_matrix(rotation, origin + length * direction), length, np.inf, 0)

    def _expected(self, pose: Array, keyframe: Keyframe, view: View, two_view: TwoView) -> bool:
        """Return whether a place is where the two views and the motion so far let expect it."""
        moved = two_view.pose is not None and (two_view.parallax_px or 0.0) > _CLEAR_PX * view.features.pixel
        relative = np.linalg.inv(keyframe.pose) @ pose
        assert two_view.rotation is not None
        if _turn_between(relative, two_view.rotation) > _TURN_DEG:
            return False
        if moved:
            assert two_view.pose is not None
            if _angle_between(relative[:3, 3], two_view.pose.translation) > _DIRECTION_DEG:
                return False
        last, speed = self._motion.last, self._motion.speed
        if last is None or speed is None:
            return True
        expected = speed * self._motion.seconds_since(view.stamp_ns)
        distance = float(np.linalg.norm(pose[:3, 3] - last[:3, 3]))
        return distance <= _FACTOR * expected and (not moved or distance >= expected / _FACTOR)

    def _alone(self, keyframe: Keyframe, view: View, two_view: TwoView) -> Placed | None:
        """Return the place that two views have with the speed so far, or None if they are not believed."""
        assert two_view.pose is not None
        ahead, speed = self._motion.ahead(view.stamp_ns), self._motion.speed
        inliers, part = int(two_view.inliers.sum()), float(two_view.inliers.mean())
        if ahead is None or speed is None:
            return None
        relative = np.linalg.inv(keyframe.pose) @ ahead
        turn = _turn_between(relative, two_view.pose.rotation)
        direction = _angle_between(relative[:3, 3], two_view.pose.translation)
        if not any(
            inliers >= fewest and part >= least and turn < most_turn and direction < most_direction
            for fewest, least, most_turn, most_direction in _ALONE
        ):
            return None
        length = float(np.linalg.norm(relative[:3, 3]))
        pose = keyframe.pose @ pose_matrix(two_view.pose.rotation, length * two_view.pose.translation)
        return Placed(pose, length, np.inf, 0, alone=True)

    def _begin_again(self, view: View, pose: Array) -> None:
        """Begin the map anew at a placed frame, in the same axes and with the speed so far."""
        self._speed = self._motion.speed
        self._data = MapData()
        self._data.insert(view, pose)
        self._started = False
        self._placed = [(view, pose)]
        self._successor = None

    def landmarks(self) -> MapPoints:
        """Return the landmarks whose distance is known to better than itself, in axes and unit of the map."""
        self.settle()
        return self._data.told()

    def _known(self, keyframe: Keyframe, matches: Matches) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the matches of keypoints that carry a landmark: their rows, and the landmarks."""
        index = matches.reference_index
        ids = np.where(index >= 0, keyframe.landmark[index], -1)
        rows = np.flatnonzero((ids >= 0) & ~earlier_outliers(keyframe.view, matches))
        rows = rows[self._data.landmarks.good[ids[rows]]]
        return rows, ids[rows]

    def _seen(
        self, keyframe: Keyframe, view: View, matches: Matches, camera: Camera, match: Match
    ) -> tuple[SeenLandmarks, NDArray[np.int64]]:
        rows, ids = self._known(keyframe, matches)
        seen_at, noise = places(matches)[rows], relative_noise(matches, view)[rows]
        for other in reversed(self._data.last(_LINKED)):
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
            seen_at = np.concatenate([seen_at, places(more)[rows]])
            noise = np.append(noise, relative_noise(more, view)[rows])
        rays = camera.normalise(seen_at.astype(np.float64))
        finite = np.isfinite(rays).all(axis=1)
        ids, rays, noise = ids[finite], rays[finite], noise[finite]
        return self._seen_at(ids, rays, noise), ids

    def _seen_at(self, ids: NDArray[np.int64], rays: Array, noise: Array) -> SeenLandmarks:
        data = self._data
        return SeenLandmarks(data.points(ids), data.origins(ids), data.relative(ids), rays, noise)

    def _usual_step(self) -> float:
        positions = np.array([found.pose[:3, 3] for found in self._data.last(6)])
        steps = np.linalg.norm(np.diff(positions, axis=0), axis=1)
        steps = steps[steps > 0.0]
        return float(np.median(steps)) if len(steps) else 1.0

    def _starts(
        self, keyframe: Keyframe, rotation: Array, two_view: TwoView, seen: SeenLandmarks, unit: float
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


@cache
def _worker() -> ThreadPoolExecutor:
    """Return the one thread of all maps of this process."""
    return ThreadPoolExecutor(1, "map")


def _turn_between(pose: Array, rotation: Array) -> float:
    """Return the angle between the rotation of a pose (4, 4) and another one, degrees."""
    return float(np.degrees(np.linalg.norm(rotation_vector(pose[:3, :3].T @ rotation))))


def _angle_between(a: Array, b: Array) -> float:
    """Return the angle between two vectors, degrees; none has no direction and lies beside all others."""
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.degrees(np.arccos(np.clip(a @ b / max(lengths, 1e-12), -1.0, 1.0)))) if lengths else 90.0


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
