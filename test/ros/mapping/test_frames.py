# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of frames that come in any order, late, twice, damaged or not at all."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import PointCloud2

from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.geometry.types import RelativePose
from drcn_ros.odometry import State
from drcn_ros.odometry.map_points import MapPoints
from drcn_ros.odometry.motion import motion_of
from drcn_ros.ros.mapping.frames import TOPICS, FrameCollector
from drcn_ros.ros.messages import clouds, convert
from drcn_ros.ros.messages.rays import FrameRays

CAMERA = Camera(640, 480, fx=500.0, fy=500.0, cx=320.0, cy=240.0)
PATIENCE = 1.0
STEP_NS = 100_000_000


def result(kit: Any, index: int, **changes: Any) -> Any:
    """Return a frame of a camera that goes ahead by half a unit and turns."""
    rotation = rotation_matrix(np.array([0.0, 0.1, 0.0]))
    pose = np.eye(4)
    for _ in range(index):
        step = np.eye(4)
        step[:3, :3], step[:3, 3] = rotation, [0.0, 0.0, 0.5]
        pose = pose @ step
    covariance = np.diag([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) * 1e-4
    first = index == 0
    known = {
        "stamp_ns": 10**9 + index * STEP_NS,
        "state": State.INITIALIZING if first else State.TRACKING,
        "reference_stamp_ns": None if first else 10**9 + (index - 1) * STEP_NS,
        "relative_pose": None if first else RelativePose(rotation, np.array([0.0, 0.0, 1.0]), covariance),
        "pose": pose,
        "step_length": None if first else 0.5,
        "step_deviation": None if first else 0.0123456789,
        "segment": 3,
    }
    return kit.result(**{**known, **changes})


def messages(frame: Any, camera_frame: str = "eye") -> dict[str, Any]:
    """Return what the node publishes of a result, as its subscribers get it."""
    head = convert.header(frame.stamp_ns, camera_frame)
    in_odom = convert.header(frame.stamp_ns, "odom")
    rays = FrameRays(frame, CAMERA)

    def cloud(rows: Any, header: Any) -> PointCloud2:
        return deserialize_message(clouds.serialised_cloud(rows, header), PointCloud2)

    sent = {"status": convert.frame_status("/vo_node", camera_frame, frame, {})}
    sent["keypoints"] = cloud(clouds.keypoint_rows(frame, rays), head)
    if frame.state is State.LOST:
        return sent
    sent["pose"] = convert.pose_with_covariance(frame.pose, np.eye(6), in_odom)
    if frame.relative_pose is not None:
        relative = frame.relative_pose
        sent["relative_pose"] = convert.pose_with_covariance(relative.matrix(), relative.covariance, head)
    if frame.state is not State.INITIALIZING:
        # The first keypoint is seen at a depth of four.
        ray = np.append(CAMERA.normalise(frame.keypoints.points[:1].astype(float))[0], 1.0)
        place = frame.pose[:3, :3] @ (4.0 * ray) + frame.pose[:3, 3]
        known = MapPoints(place[None], np.array([0.04]), frame.tracks.ids[:1], np.array([2], np.uint32))
        sent["points"] = cloud(clouds.point_rows(known), in_odom)
    return sent


@pytest.fixture
def collector() -> FrameCollector:
    return FrameCollector(lambda _: np.eye(4), PATIENCE)


def add(collector: FrameCollector, sent: dict[str, Any], now: float = 0.0) -> None:
    for topic, message in sent.items():
        collector.add(topic, message, now)


def test_a_frame_is_put_together_from_its_messages(collector: FrameCollector, kit: Any) -> None:
    before, frame = result(kit, 0), result(kit, 1)
    add(collector, messages(before))
    add(collector, messages(frame))
    start, found = collector.take(0.0)
    assert (start.stamp_ns, found.stamp_ns) == (before.stamp_ns, frame.stamp_ns)
    assert (found.segment, found.metric, found.reference_stamp_ns) == (3, False, before.stamp_ns)
    assert found.pose == pytest.approx(frame.pose)
    assert start.step is None
    # The same motion and covariance as of the result itself, at the precision of the messages.
    expected = motion_of(frame)
    assert expected is not None
    assert found.step is not None
    assert found.step.matrix == pytest.approx(expected.matrix)
    assert found.step.covariance == pytest.approx(expected.covariance, rel=1e-7)
    assert found.points is not None
    assert np.array_equal(found.points.ids, frame.tracks.ids)
    assert found.points.pixels == pytest.approx(frame.keypoints.points)
    assert found.points.depths[0] == pytest.approx(4.0, rel=1e-5)
    assert found.points.deviations[0] == pytest.approx(0.2)
    assert np.isnan(found.points.depths[1:]).all()
    assert found.points.descriptors.shape == (4, 0)
    assert collector.odom_frame == "odom"


def test_the_order_of_the_messages_does_not_matter(kit: Any) -> None:
    sent = [(topic, message) for index in range(6) for topic, message in messages(result(kit, index)).items()]
    for seed in range(20):
        collector = FrameCollector(lambda _: np.eye(4), PATIENCE)
        random.Random(seed).shuffle(sent)
        taken = []
        for topic, message in sent:
            collector.add(topic, message, 0.0)
            taken += [frame.stamp_ns for frame in collector.take(0.0)]
        # Nothing waits for ever, and what is handed on is in order; a frame that is overtaken is late.
        assert taken == sorted(taken)
        assert len(taken) + collector.counts.late >= 6 - collector.counts.incomplete
        assert taken[-1] == result(kit, 5).stamp_ns


@pytest.mark.parametrize("missing", TOPICS)
def test_a_frame_waits_for_what_is_missing_and_then_goes_without(
    collector: FrameCollector, kit: Any, missing: str
) -> None:
    sent = messages(result(kit, 1))
    del sent[missing]
    add(collector, sent, now=5.0)
    add(collector, messages(result(kit, 2)), now=5.1)
    assert collector.take(5.9) == []
    found = collector.take(6.05)
    assert collector.counts.incomplete == 1
    # Without its state or its pose nothing is known of a frame.
    without = {"status", "pose"} & {missing}
    assert [frame.stamp_ns for frame in found] == [
        result(kit, index).stamp_ns for index in ((2,) if without else (1, 2))
    ]
    if missing == "keypoints":
        assert found[0].points is None
    if missing == "points":
        assert np.isnan(found[0].points.depths).all()  # type: ignore[union-attr]
    if missing == "relative_pose":
        assert found[0].step is None


def test_frames_that_come_late_or_twice_are_left_out(collector: FrameCollector, kit: Any) -> None:
    add(collector, messages(result(kit, 2)))
    add(collector, messages(result(kit, 2)))
    assert len(collector.take(0.0)) == 1
    add(collector, messages(result(kit, 2)))
    add(collector, messages(result(kit, 1)))
    assert collector.take(0.0) == []
    assert collector.counts.late == 3
    add(collector, messages(result(kit, 3)))
    assert len(collector.take(0.0)) == 1
    # For a new map older ones are taken again.
    collector.reset()
    add(collector, messages(result(kit, 1)))
    assert len(collector.take(0.0)) == 1


def test_lost_frames_have_no_place(collector: FrameCollector, kit: Any) -> None:
    lost = result(kit, 1, state=State.LOST, relative_pose=None)
    add(collector, messages(lost))
    add(collector, messages(result(kit, 2)))
    assert [frame.stamp_ns for frame in collector.take(0.0)] == [result(kit, 2).stamp_ns]
    assert collector.counts.lost == 1


def test_a_frame_that_turned_or_stood_has_the_motion_of_its_poses(
    collector: FrameCollector, kit: Any
) -> None:
    add(collector, messages(result(kit, 0)))
    turned = result(kit, 1, state=State.ROTATION_ONLY, relative_pose=None)
    add(collector, messages(turned))
    step = collector.take(0.0)[-1].step
    assert step is not None
    assert step.matrix == pytest.approx(turned.pose)
    assert np.diag(step.covariance)[3:].min() > 0.0


def test_damaged_messages_are_told_and_left_out(collector: FrameCollector, kit: Any) -> None:
    def spoil_status(sent: dict[str, Any]) -> None:
        sent["status"].values = []

    def spoil_state(sent: dict[str, Any]) -> None:
        next(entry for entry in sent["status"].values if entry.key == "state").value = "FLYING"

    def spoil_pose(sent: dict[str, Any]) -> None:
        sent["pose"].pose.pose.position.x = float("nan")

    def spoil_turn(sent: dict[str, Any]) -> None:
        sent["pose"].pose.pose.orientation.w = 3.0

    def spoil_covariance(sent: dict[str, Any]) -> None:
        sent["relative_pose"].pose.covariance[0] = float("inf")

    def spoil_size(sent: dict[str, Any]) -> None:
        sent["keypoints"].data = sent["keypoints"].data[:-3]

    def spoil_fields(sent: dict[str, Any]) -> None:
        sent["keypoints"].fields = sent["keypoints"].fields[:3]

    spoil = (spoil_status, spoil_state, spoil_pose, spoil_turn, spoil_covariance, spoil_size, spoil_fields)
    for index, damage in enumerate(spoil):
        sent = messages(result(kit, index + 1))
        damage(sent)
        add(collector, sent, now=float(10 * index))
        assert collector.take(10.0 * index + 2.0) == [], damage.__name__
        assert collector.counts.damaged == index + 1, damage.__name__
        assert collector.complaint
    add(collector, messages(result(kit, len(spoil) + 1)), now=200.0)
    assert len(collector.take(200.0)) == 1


def test_the_pose_of_a_base_becomes_that_of_the_camera(kit: Any) -> None:
    mounted = np.eye(4)
    mounted[:3, 3] = [2.0, 0.0, 0.5]
    known: dict[str, Any] = {}
    collector = FrameCollector(known.get, PATIENCE)
    add(collector, messages(result(kit, 0)))
    # Until TF tells where the camera sits, there is no pose of it.
    assert collector.take(0.0) == []
    known["eye"] = mounted
    frame = result(kit, 1)
    add(collector, messages(frame))
    (found,) = collector.take(0.0)
    assert found.pose == pytest.approx(frame.pose @ mounted)


def test_what_waits_is_bounded(collector: FrameCollector, kit: Any) -> None:
    status = messages(result(kit, 0))["status"]
    stamp = next(entry for entry in status.values if entry.key == "stamp")
    for index in range(1000):
        stamp.value = f"{index + 1}.000000000"
        collector.add("status", convert.diagnostic_status("", "", b"\0", "", _pairs(status)), 0.0)
        collector.take(0.0)
    assert len(collector) <= 201


def _pairs(status: Any) -> dict[str, str]:
    return {entry.key: entry.value for entry in status.values}
