# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Finds places that are seen again: candidates, their verification, and what the odometry lets be true."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.rotation import rotation_vector
from drcn_ros.geometry.similarity import Similarity
from drcn_ros.geometry.types import Array
from drcn_ros.mapping.config import LoopConfig
from drcn_ros.mapping.keyframes import Keyframe, scene_depth
from drcn_ros.mapping.places import Places, pooled
from drcn_ros.mapping.types import FramePoints, Loop
from drcn_ros.mapping.verification import Correspondence, matched_by_descriptors, verified

# Candidates for their appearance lie so many keyframes from each other, those for their place likewise.
_SPACING = 3
# How near a keyframe's place must be, in depths of the scene, and how far it may look elsewhere, radians.
_NEAR, _LOOKING = 1.0, 0.8
_NEAR_CANDIDATES = 2
# Loops of one keyframe that are kept.
_MOST = 2
# What the odometry may be off by without any way: depths of the scene, radians, and a part of the scale.
_FREE_DEPTHS, _FREE_ANGLE, _FREE_SCALE = 0.5, 0.2, 0.2
# Over how many keyframes before a restart the speed is taken, and how much faster the camera may have gone
# while it was lost.
_SPEED_OVER, _FASTER = 5, 3.0
# By how much the scale of a run may be too small that nothing joins to the others.
_STRETCHED = 2.0
# Many inliers speak for themselves; other loops need a second one near by that agrees.
_STRONG = 3.0
_NEIGHBOURS = 12
_AGREE_DEPTHS, _AGREE_ANGLE, _AGREE_SCALE = 0.15, 0.08, 0.15

Match = Callable[[int, int], Correspondence]


@dataclass(frozen=True)
class Ways:
    """How far the camera has gone.

    Attributes:
        lengths: (K,) of the way from the first keyframe to each, in units of the map, without restarts.
        runs: (K,) number of the run that each belongs to; between runs nothing joins the keyframes.
    """

    lengths: Array
    runs: NDArray[np.int64]

    def between(self, first: int, second: int) -> float:
        """Return the length of the way between two keyframes, infinite where nothing joins them."""
        if self.runs[first] != self.runs[second]:
            return float("inf")
        return abs(float(self.lengths[second] - self.lengths[first]))


class LoopFinder:
    """Keeps what is needed to find loops.

    Args:
        config: of loops.
        match: gives the matches of two keyframes by their numbers; None takes their descriptors.
    """

    def __init__(self, config: LoopConfig, match: Match | None = None) -> None:
        self._config = config
        self._match = match
        self._places = Places()
        self._waiting: list[Loop] = []
        self.compared = 0

    def add(self, points: FramePoints) -> None:
        """Take the next keyframe, without a search."""
        self._places.add(pooled(points.descriptors))

    def find(self, keyframes: Sequence[Keyframe], places: Sequence[Similarity], ways: Ways) -> list[Loop]:
        """Return the loops that the newest keyframe closes, and those of earlier ones that it confirms.

        Args:
            keyframes: all.
            places: S_map_keyframe of each, as far as it is known.
            ways: of the camera to each of them.
        """
        number = len(keyframes) - 1
        if self._config.candidates == 0 or keyframes[number].points.descriptors.shape[1] == 0:
            return []
        found = []
        for candidate in self._candidates(keyframes, places, number):
            loop = self._verify(keyframes, candidate, number)
            if loop is not None and _plausible(loop, keyframes, places, ways, self._config.max_drift):
                found.append(loop)
        found = sorted(found, key=lambda loop: -loop.inliers)[:_MOST]
        return self._supported(found, keyframes, places, ways)

    def _candidates(
        self, keyframes: Sequence[Keyframe], places: Sequence[Similarity], number: int
    ) -> list[int]:
        before = number - self._config.apart
        alike = self._places.most_alike(number, before, self._config.candidates, _SPACING)
        if before <= 0:
            return alike
        place = places[number]
        depth = place.scale * scene_depth(keyframes[number])
        positions = np.array([other.translation for other in places[:before]])
        axes = np.array([other.rotation[:, 2] for other in places[:before]])
        distances = np.linalg.norm(positions - place.translation, axis=1)
        near = (distances < _NEAR * depth) & (axes @ place.rotation[:, 2] > np.cos(_LOOKING))
        rows = np.flatnonzero(near)
        chosen = list(alike)
        for row in rows[np.argsort(distances[rows], kind="stable")]:
            if all(abs(int(row) - other) >= _SPACING for other in chosen):
                chosen.append(int(row))
            if len(chosen) == len(alike) + _NEAR_CANDIDATES:
                break
        return chosen

    def _verify(self, keyframes: Sequence[Keyframe], first: int, second: int) -> Loop | None:
        one, two = keyframes[first].points, keyframes[second].points
        if one.descriptors.shape[1] != two.descriptors.shape[1]:
            return None
        self.compared += 1
        pairs = (
            matched_by_descriptors(one, two, self._config)
            if self._match is None
            else self._match(first, second)
        )
        return verified((first, second), one, two, pairs, self._config)

    def _supported(
        self,
        found: list[Loop],
        keyframes: Sequence[Keyframe],
        places: Sequence[Similarity],
        ways: Ways,
    ) -> list[Loop]:
        """Return the loops that stand: strong ones, and those that another keyframe's loop agrees with."""
        newest = len(keyframes) - 1
        self._waiting = [loop for loop in self._waiting if newest - loop.second <= _NEIGHBOURS]
        accepted: list[Loop] = []
        for loop in found:
            joined = np.isfinite(ways.between(loop.first, loop.second))
            if joined and loop.inliers >= _STRONG * self._config.min_inliers:
                accepted.append(loop)
                continue
            friends = [other for other in self._waiting if _agree(loop, other, keyframes, places)]
            if friends:
                accepted += [*friends, loop]
                self._waiting = [other for other in self._waiting if other not in friends]
            else:
                self._waiting.append(loop)
        return accepted


def _plausible(
    loop: Loop,
    keyframes: Sequence[Keyframe],
    places: Sequence[Similarity],
    ways: Ways,
    drift: float,
) -> bool:
    """Return whether drift, or the way of a camera that was lost, can explain what a loop tells."""
    way = ways.between(loop.first, loop.second)
    if not np.isfinite(way):
        return _reachable(loop, keyframes, places, ways, drift)
    first = places[loop.first]
    told = first.inverse() @ places[loop.second]
    apart, angle, scale = _difference(loop.similarity, told)
    depth = scene_depth(keyframes[loop.first])
    return bool(
        apart <= drift * way / first.scale + _FREE_DEPTHS * depth
        and angle <= _FREE_ANGLE + drift
        and scale <= _FREE_SCALE + 2.0 * drift
    )


def _reachable(
    loop: Loop,
    keyframes: Sequence[Keyframe],
    places: Sequence[Similarity],
    ways: Ways,
    drift: float,
) -> bool:
    """Return whether the camera, while it was lost, can have gone to where a loop says that it was then.

    Runs between those of both ends have a length but, as nothing joins them, no direction.
    """
    end = int(np.searchsorted(ways.runs, ways.runs[loop.first], side="right")) - 1
    start = int(np.searchsorted(ways.runs, ways.runs[loop.second]))
    told = places[loop.first] @ loop.similarity @ places[loop.second].inverse() @ places[start]
    jump = float(np.linalg.norm(told.translation - places[end].translation))
    gone = sum(
        _gone_while_lost(number, keyframes, places)
        for number in range(end, start)
        if ways.runs[number] != ways.runs[number + 1]
    )
    between = _STRETCHED * float(ways.lengths[start] - ways.lengths[end])
    way_after = ways.between(start, loop.second) * told.scale / places[start].scale
    free = _FREE_DEPTHS * places[end].scale * scene_depth(keyframes[end])
    return gone + between + drift * (ways.between(loop.first, end) + way_after) + free >= jump


def _gone_while_lost(last: int, keyframes: Sequence[Keyframe], places: Sequence[Similarity]) -> float:
    """Return how far the camera can have gone, in the map, between a keyframe and the next run's first."""
    lost_s = 1e-9 * abs(keyframes[last + 1].stamp_ns - keyframes[last].stamp_ns)
    speed = 0.0
    for one in range(max(last - _SPEED_OVER, 0), last):
        seconds = 1e-9 * (keyframes[one + 1].stamp_ns - keyframes[one].stamp_ns)
        if keyframes[one].segment == keyframes[last].segment and seconds > 0.0:
            apart = np.linalg.norm(places[one + 1].translation - places[one].translation)
            speed = max(speed, float(apart) / seconds)
    return _FASTER * speed * lost_s


def _agree(one: Loop, two: Loop, keyframes: Sequence[Keyframe], places: Sequence[Similarity]) -> bool:
    """Return whether two loops of different keyframes tell the same, given the odometry at both ends."""
    if one.second == two.second or abs(one.first - two.first) > _NEIGHBOURS:
        return False
    here = places[one.second].inverse() @ places[two.second]
    there = places[one.first].inverse() @ places[two.first]
    around = one.similarity @ here @ two.similarity.inverse()
    apart, angle, scale = _difference(around, there)
    depth = scene_depth(keyframes[one.first])
    return apart <= _AGREE_DEPTHS * depth and angle <= _AGREE_ANGLE and scale <= _AGREE_SCALE


def _difference(one: Similarity, two: Similarity) -> tuple[float, float, float]:
    """Return how far two similarities are apart: distance, radians, logarithm of the scales' ratio."""
    return (
        float(np.linalg.norm(one.translation - two.translation)),
        float(np.linalg.norm(rotation_vector(one.rotation.T @ two.rotation))),
        abs(float(np.log(one.scale / two.scale))),
    )
