# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from drcn_ros.evaluation.metrics.alignment import align_similarity
from drcn_ros.geometry.rotation import rotation_matrix, rotation_vector
from drcn_ros.geometry.similarity import Similarity
from drcn_ros.geometry.uncertain_pose import invert
from drcn_ros.mapping import FramePoints, Loop, Mapper, TrackedFrame
from drcn_ros.mapping.config import LoopConfig
from drcn_ros.mapping.nearest import mutual_nearest
from drcn_ros.mapping.pose_graph import PoseGraph
from drcn_ros.mapping.verification import matched_by_descriptors, verified

Frames = Callable[..., list[TrackedFrame]]
Circle = Callable[..., np.ndarray]


def drifted(poses: np.ndarray, turn: float, growth: float) -> tuple[np.ndarray, np.ndarray]:
    """Return poses whose steps turn by so much too far and grow by a factor until the end, and the unit."""
    scales = growth ** np.linspace(0.0, 1.0, len(poses))
    told = [poses[0]]
    for index in range(1, len(poses)):
        step = invert(poses[index - 1]) @ poses[index]
        step[:3, :3] = rotation_matrix(np.array([0.0, turn / len(poses), 0.0])) @ step[:3, :3]
        step[:3, 3] *= scales[index]
        told.append(told[-1] @ step)
    return np.array(told), scales


def path_error(found: np.ndarray, true: np.ndarray) -> float:
    fit = align_similarity(found[:, :3, 3], true[:, :3, 3])
    assert fit is not None
    return float(np.sqrt(((fit.apply(found[:, :3, 3]) - true[:, :3, 3]) ** 2).sum(axis=1).mean()))


def test_a_loop_takes_drift_of_scale_and_heading_back(world: Frames, circle: Circle) -> None:
    true = circle(90, turns=1.35)
    told, scales = drifted(true, 0.2, 1.25)
    mapper = Mapper()
    for frame in world(true, told, scales):
        mapper.add(frame)
    mapper.finish()
    assert len(mapper.graph().loops) >= 3
    assert len(mapper.graph().rejected) == 0
    assert path_error(mapper.path().poses, true) < 0.25 * path_error(told, true)
    assert mapper.graph().scales[-1] == pytest.approx(1 / 1.25, rel=0.03)


def test_a_place_that_looks_the_same_elsewhere_is_no_loop(world: Frames, circle: Circle) -> None:
    true = circle(90, turns=1.35)
    told = true.copy()
    # The second round is driven around another block that looks exactly alike.
    told[67:, 0, 3] += np.linspace(0.0, 30.0, 23)
    mapper = Mapper()
    for frame in world(true, told):
        mapper.add(frame)
    mapper.finish()
    graph = mapper.graph()
    assert mapper.compared > 20
    assert len(graph.loops) == 0 or graph.loops[:, 1].max() < np.searchsorted(
        mapper.keyframe_path().stamps_ns, mapper.path().stamps_ns[72]
    )


def test_segments_are_joined_by_a_loop(world: Frames, circle: Circle) -> None:
    true, mapper = circle(60, turns=1.0), Mapper()
    again = 0.5 * (invert(true[0]) @ true)
    again[:, :3, :3], again[:, 3, 3] = (invert(true[0]) @ true)[:, :3, :3], 1.0
    moved = np.eye(4)
    for frame in world(true):
        mapper.add(frame)
    for frame in world(
        true[15:50], np.array([invert(again[15]) @ pose for pose in again[15:50]]), np.full(35, 0.5), 1
    ):
        mapper.add(frame)
        moved = mapper.map_from_odom
    mapper.finish()
    path = mapper.path()
    assert np.abs(path.poses[-1] - true[49]).max() < 0.3
    assert not np.allclose(moved, np.eye(4))
    assert mapper.graph().scales[-1] == pytest.approx(2.0, rel=0.03)


@pytest.mark.parametrize(("lost_s", "joined"), [(1, False), (1000, True)])
def test_no_loop_leads_across_a_restart_to_where_the_camera_cannot_have_gone(
    world: Frames, circle: Circle, lost_s: int, joined: bool
) -> None:
    """The camera is lost for so long at the end of a round, and begins anew where all looks like half-way."""
    true, mapper = circle(61, turns=1.0), Mapper()
    first = world(true)
    after = world(true[25:55], segment=1)
    shift = first[-1].stamp_ns + lost_s * 10**9 - after[0].stamp_ns
    for frame in first:
        mapper.add(frame)
    for frame in after:
        reference = frame.reference_stamp_ns
        moved = None if reference is None else reference + shift
        mapper.add(replace(frame, stamp_ns=frame.stamp_ns + shift, reference_stamp_ns=moved))
    mapper.finish()
    segment = mapper.keyframe_path().segments
    across = [loop for loop in mapper.loops() if segment[loop.first] != segment[loop.second]]
    assert (len(across) > 0) == joined


@pytest.mark.parametrize(("lost_s", "joined"), [(0.2, False), (1000.0, True)])
def test_the_same_holds_across_two_restarts_with_a_frame_between(
    world: Frames, circle: Circle, lost_s: float, joined: bool
) -> None:
    """Nothing joins the one in the middle to either side."""
    true, mapper = circle(61, turns=1.0), Mapper()
    parts = [
        world(true),
        [replace(frame, points=unknown(frame.points)) for frame in world(true[60:61], segment=1)],
        world(true[25:55], segment=2),
    ]
    begin = 0
    for frames in parts:
        shift = begin - frames[0].stamp_ns
        for frame in frames:
            reference = frame.reference_stamp_ns
            moved = None if reference is None else reference + shift
            mapper.add(replace(frame, stamp_ns=frame.stamp_ns + shift, reference_stamp_ns=moved))
        begin = frames[-1].stamp_ns + shift + round(1e9 * lost_s)
    mapper.finish()
    segment = mapper.keyframe_path().segments
    assert set(segment) == {0, 1, 2}
    across = [loop for loop in mapper.loops() if segment[loop.first] != segment[loop.second]]
    assert (len(across) > 0) == joined


def unknown(points: FramePoints | None) -> FramePoints:
    """Return points whose descriptors have been seen nowhere else."""
    assert points is not None
    made = np.random.default_rng(9).normal(size=points.descriptors.shape).astype(np.float32)
    return replace(points, descriptors=made / np.linalg.norm(made, axis=1, keepdims=True))


def test_contradictory_loops_are_left_out() -> None:
    graph, step = (
        PoseGraph(),
        Similarity(rotation_matrix(np.array([0.0, 2 * np.pi / 40, 0.0])), np.array([0, 0, 1.0])),
    )
    graph.begin(Similarity.identity())
    for _ in range(59):
        graph.follow(step, np.diag([1e-4] * 3 + [1e-6] * 3 + [1e-5]))
    spread = 1e-3 * np.eye(7)
    for first in (0, 4, 8, 12):
        graph.close(Loop(first, first + 40, Similarity.identity(), spread, 50))
    for first, second in ((2, 27), (10, 35)):
        graph.close(Loop(first, second, Similarity(np.eye(3), np.array([0.2, 0.0, 0.1])), spread, 50))
    graph.optimise()
    assert graph.holds == [True] * 4 + [False] * 2
    assert np.abs(graph.estimates[40].translation).max() < 0.1


def test_a_loop_is_measured_as_it_is(world: Frames, circle: Circle) -> None:
    true = circle(2)
    other = true[0].copy()
    other[:3, 3] += [0.8, 0.1, 1.5]
    other[:3, :3] = rotation_matrix(np.array([0.02, 0.1, 0.0])) @ other[:3, :3]
    first, second = (frame.points for frame in world(np.array([true[0], other]), scales=np.array([1.0, 1.5])))
    assert first is not None
    assert second is not None
    config = LoopConfig()
    pairs = matched_by_descriptors(first, second, config)
    loop = verified((0, 20), first, second, pairs, config)
    assert loop is not None
    expected = invert(true[0]) @ other
    assert loop.similarity.translation == pytest.approx(expected[:3, 3], abs=0.1)
    assert np.linalg.norm(rotation_vector(loop.similarity.rotation.T @ expected[:3, :3])) < 0.005
    assert loop.similarity.scale == pytest.approx(1 / 1.5, rel=0.01)
    deviations = np.sqrt(np.diag(loop.covariance))
    assert np.abs(loop.similarity.translation - expected[:3, 3]).max() < 4 * deviations[:3].max()


def test_random_matches_make_no_loop(world: Frames, circle: Circle) -> None:
    random = np.random.default_rng(0)
    first, second = (frame.points for frame in world(circle(60)[[0, 30]]))
    assert first is not None
    assert second is not None
    for _ in range(20):
        size = min(len(first), len(second))
        mixed = replace(
            second.take(random.permutation(len(second))[:size]), descriptors=first.descriptors[:size]
        )
        pairs = matched_by_descriptors(first.take(np.arange(size)), mixed, LoopConfig())
        assert len(pairs) > 100
        assert verified((0, 30), first, mixed, pairs, LoopConfig()) is None


def test_nearest_descriptors_are_mutual_and_clear() -> None:
    one = np.eye(4, dtype=np.float32)
    two = np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0.71, 0.70], [0, 0, 0.70, 0.71]], np.float32)
    rows, columns = mutual_nearest(one, two, 0.8)
    assert sorted(zip(rows.tolist(), columns.tolist(), strict=True)) == [(0, 1), (1, 0)]
    assert all(len(part) == 0 for part in mutual_nearest(one, np.zeros((4, 0), np.float32), 0.8))
