# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What is published of results, by a real life-cycle node to a subscriber, both in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import rclpy
from geometry_msgs.msg import PoseWithCovarianceStamped, TransformStamped, TwistWithCovarianceStamped
from nav_msgs.msg import Odometry
from nav_msgs.msg import Path as PathMessage
from rclpy.context import Context
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import PointCloud, PointCloud2
from std_msgs.msg import Bool

from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.geometry.types import RelativePose
from drcn_ros.odometry import State
from drcn_ros.odometry.map_points import MapPoints
from drcn_ros.ros.config import NodeConfig
from drcn_ros.ros.messages import clouds, convert
from drcn_ros.ros.node.drawing import MatchPainter
from drcn_ros.ros.node.outputs import Outputs
from drcn_ros.ros.node.processor import Processed
from drcn_ros.ros.session.domain import private_domain
from drcn_ros.ros.session.recorder import cloud_rows

pytestmark = pytest.mark.dds

CAMERA = Camera(640, 480, fx=500.0, fy=500.0, cx=320.0, cy=240.0)


@pytest.fixture
def graph(kit: Any) -> Iterator[tuple[Callable[..., Outputs], Any]]:
    """Makes outputs of an active node, and a listener on the same domain."""
    with private_domain() as domain_id:
        context = Context()
        rclpy.init(context=context, domain_id=domain_id)
        node = LifecycleNode("vo_node", context=context)
        node.trigger_configure()
        listener = kit.Listener(domain_id, answers=False)
        made = []

        def make(**changes: Any) -> Outputs:
            made.append(Outputs(node, "/vo_node", NodeConfig(**changes)))
            node.trigger_activate()
            return made[-1]

        yield make, listener
        for outputs in made:
            outputs.close()
        listener.close()
        node.destroy_node()
        rclpy.shutdown(context=context)


def walk(kit: Any, count: int, metric: bool = True) -> list[Processed]:
    """Return frames of a camera that goes 0.5 m ahead and turns 0.1 rad to the right, ten times a second."""
    rotation = rotation_matrix(np.array([0.0, 0.1, 0.0]))
    step = np.eye(4)
    step[:3, :3], step[:3, 3] = rotation, [0.0, 0.0, 0.5]
    relative = RelativePose(rotation, np.array([0.0, 0.0, 1.0]), 1e-4 * np.eye(6))
    pose, frames = np.eye(4), []
    for index in range(count):
        start = {"state": State.INITIALIZING, "relative_pose": None, "reference_stamp_ns": None}
        known = {} if index else start
        result = kit.result(
            **{
                "stamp_ns": 10**9 + index * 10**8,
                "reference_stamp_ns": 10**9 + (index - 1) * 10**8,
                "relative_pose": relative,
                "pose": pose,
                "metric": metric,
                **known,
            }
        )
        frames.append(Processed("eye", np.zeros((480, 640), np.uint8), CAMERA, result, 0.1, 1.0))
        pose = pose @ step
    return frames


def publish(outputs: Outputs, frames: list[Processed]) -> None:
    for frame in frames:
        outputs.publish(frame, {})


def test_a_metric_motion_gives_odometry_and_velocity_in_the_moving_frame(graph: Any, kit: Any) -> None:
    make, listener = graph
    outputs = make()
    listener.listen("/vo_node/odometry", Odometry)
    listener.listen("/vo_node/twist", TwistWithCovarianceStamped)
    publish(outputs, walk(kit, 3))
    last = listener.wait_for("/vo_node/odometry", lambda m: m.header.stamp.nanosec == 200_000_000)
    assert (last.header.frame_id, last.child_frame_id) == ("odom", "eye")
    assert last.pose.pose.position.z == pytest.approx(0.5 + 0.5 * np.cos(0.1))
    ahead = rotation_matrix(np.array([0.0, 0.1, 0.0])).T @ [0.0, 0.0, 5.0]
    linear = last.twist.twist.linear
    assert [linear.x, linear.y, linear.z] == pytest.approx(ahead)
    twist = listener.wait_for("/vo_node/twist", lambda m: m.header.stamp.nanosec == 200_000_000)
    assert twist.header.frame_id == "eye"
    assert twist.twist.twist.angular.y == pytest.approx(1.0)


def test_a_motion_without_scale_gives_no_odometry_but_the_turning(graph: Any, kit: Any) -> None:
    make, listener = graph
    outputs = make()
    listener.listen("/vo_node/odometry", Odometry)
    listener.listen("/vo_node/twist", TwistWithCovarianceStamped)
    publish(outputs, walk(kit, 3, metric=False))
    twist = listener.wait_for("/vo_node/twist", lambda m: m.header.stamp.nanosec == 200_000_000)
    assert twist.twist.twist.angular.y == pytest.approx(1.0)
    assert twist.twist.twist.linear.z == 0.0
    assert twist.twist.covariance[0] >= 1e6
    assert listener.messages("/vo_node/odometry") == []


def test_poses_have_covariances_that_are_never_zero(graph: Any, kit: Any) -> None:
    make, listener = graph
    outputs = make()
    listener.listen("/vo_node/pose", PoseWithCovarianceStamped)
    publish(outputs, walk(kit, 3))
    listener.wait_for("/vo_node/pose", lambda m: m.header.stamp.nanosec == 200_000_000)
    for message in listener.messages("/vo_node/pose"):
        variances = np.array(message.pose.covariance).reshape(6, 6).diagonal()
        assert (variances > 0.0).all()
        assert (variances < 9999.0).all(), "a reader takes such a variance for a reset"


def test_the_path_is_bounded_and_starts_anew_with_a_segment(graph: Any, kit: Any) -> None:
    make, listener = graph
    outputs = make(path_length=4)
    listener.listen("/vo_node/path", PathMessage)
    publish(outputs, walk(kit, 6))
    outputs.publish_path()
    path = listener.wait_for("/vo_node/path")
    assert [pose.header.stamp.nanosec // 10**8 for pose in path.poses] == [2, 3, 4, 5]
    assert (path.header.frame_id, path.header.stamp.nanosec) == ("odom", 500_000_000)
    again = walk(kit, 1)[0]
    result = kit.result(**{**vars(again.result), "segment": 1})
    outputs.publish(Processed("eye", again.image, CAMERA, result, 0.1, 1.0), {})
    outputs.publish_path()
    assert len(listener.wait_for("/vo_node/path", lambda m: len(m.poses) != 4).poses) == 1


def test_points_lie_where_both_rays_meet(graph: Any, kit: Any) -> None:
    from drcn_ros.matching.types import Matches

    make, listener = graph
    outputs = make()
    listener.listen("/vo_node/points", PointCloud2)
    frame = walk(kit, 2)[-1]
    relative = frame.result.relative_pose
    truth = np.array([[0.5, 0.3, 4.0], [-1.0, 0.2, 6.0], [0.4, -0.8, 5.0], [1e4, 0.0, 1e5]])
    current = (truth - relative.translation) @ relative.rotation
    pixels = [CAMERA.project(points[:, :2] / points[:, 2:]).astype(np.float32) for points in (truth, current)]
    matches = Matches(*pixels, np.full(4, 0.9, np.float32), np.arange(4), np.arange(4))
    inliers = np.array([True, False, True, True])
    result = kit.result(**{**vars(frame.result), "matches": matches, "inliers": inliers, "step_length": 2.0})
    outputs.publish(Processed("eye", None, CAMERA, result, 0.1, 1.0), {})
    cloud = listener.wait_for("/vo_node/points")
    rows = cloud_rows(cloud)
    # The outlier and the point that is too far to be told are left out. The step is two units long, and the
    # points are given in the axes in which the path began.
    found = np.column_stack([rows["x"], rows["y"], rows["z"]])
    inside = (2.0 * truth[[0, 2]] - 2.0 * relative.translation) @ relative.rotation
    expected = inside @ result.pose[:3, :3].T + result.pose[:3, 3]
    assert found == pytest.approx(expected, rel=1e-3)
    assert rows["id"].tolist() == [7, 2**22]
    assert rows["observations"].tolist() == [2, 2]
    assert (cloud.header.frame_id, convert.nanoseconds(cloud.header.stamp)) == ("odom", result.stamp_ns)
    # An angle of 0.7 pixels, at the angle at which both rays meet.
    rays = 2.0 * truth[[0, 2]], 2.0 * (truth[[0, 2]] - relative.translation)
    angle = [np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b)) for a, b in zip(*rays, strict=True)]
    sigma = np.linalg.norm(rays[0], axis=1) * 0.7 / 500.0 / np.sin(angle)
    assert np.sqrt(rows["variance"]) == pytest.approx(sigma, rel=0.02)


def test_landmarks_are_published_in_the_frame_of_the_odometry(graph: Any, kit: Any, tf2: Any) -> None:
    make, listener = graph
    outputs = make(base_frame="base_link", odom_frame="world")
    listener.listen("/vo_node/points", PointCloud2)
    count = np.arange(1, 4, dtype=np.uint32)
    known = MapPoints(
        np.array([[0.0, 0.0, 4.0], [1.0, 0.0, 6.0], [0.0, 2.0, 5.0]]), 0.1 * count, count, count
    )
    start, frame = walk(kit, 2)
    outputs.publish(frame, {}, lambda: known)
    # The camera looks ahead along x of the base, 2 m before its origin.
    mounted = TransformStamped()
    mounted.transform.translation.x = 2.0
    turn = mounted.transform.rotation
    turn.x, turn.y, turn.z, turn.w = -0.5, 0.5, -0.5, 0.5
    tf2.transforms["base_link", "eye"] = mounted
    outputs.publish(start, {}, lambda: known)
    outputs.publish(frame, {}, lambda: known)
    cloud = listener.wait_for("/vo_node/points")
    assert convert.nanoseconds(cloud.header.stamp) == frame.result.stamp_ns
    assert cloud.header.frame_id == "world"
    rows = cloud_rows(cloud)
    found = np.column_stack([rows["x"], rows["y"], rows["z"]])
    assert found == pytest.approx(np.array([[6.0, 0.0, 0.0], [8.0, -1.0, 0.0], [7.0, 0.0, -2.0]]), abs=1e-6)
    assert rows["variance"] == pytest.approx([0.1, 0.2, 0.3])
    # Neither before TF told where the base is nor of a frame that was not placed beside others.
    assert len(listener.messages("/vo_node/points")) == 1


def test_vins_topics_follow_their_switch(graph: Any, kit: Any) -> None:
    make, listener = graph
    outputs = make(vins_layout="fusion")
    listener.listen("/vo_node/feature", PointCloud)
    listener.listen("/vo_node/restart", Bool)
    frames = walk(kit, 3)
    publish(outputs, frames)
    kit.wait_until(lambda: len(listener.messages("/vo_node/feature")) == 2)
    assert len(listener.messages("/vo_node/feature")[0].channels) == 9
    outputs.publish(frames[0], {})
    assert listener.wait_for("/vo_node/restart").data
    outputs.update(NodeConfig(vins_layout="none"))
    publish(outputs, frames)
    assert len(listener.messages("/vo_node/feature")) == 2


def test_nothing_is_built_for_topics_that_nobody_listens_to(
    graph: Any, kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, listener = graph
    outputs = make()
    built = set()

    def watch(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def note(*arguments: Any) -> Any:
            built.add(name)
            return original(*arguments)

        monkeypatch.setattr(owner, name, note)

    for name in ("serialised_cloud", "keypoint_rows", "match_rows", "point_rows", "pair_points"):
        watch(clouds, name)
    for name in ("pose_with_covariance", "frame_status", "twist_stamped"):
        watch(convert, name)
    watch(MatchPainter, "paint")
    for frame in walk(kit, 3):
        outputs.publish(frame, {}, lambda: built.add("landmarks"))
    assert built == set()
    listener.listen("/vo_node/keypoints", PointCloud2)
    publish(outputs, walk(kit, 3))
    assert built == {"serialised_cloud", "keypoint_rows"}


def test_poses_and_velocities_of_the_base_follow_from_its_transform(graph: Any, kit: Any, tf2: Any) -> None:
    make, listener = graph
    outputs = make(base_frame="base_link", publish_tf=True)
    listener.listen("/vo_node/odometry", Odometry)
    publish(outputs, walk(kit, 2))
    assert "no transform from eye to base_link" in outputs.problem
    # The camera looks ahead along x of the base, 2 m before its origin.
    mounted = TransformStamped()
    mounted.transform.translation.x = 2.0
    turn = mounted.transform.rotation
    turn.x, turn.y, turn.z, turn.w = -0.5, 0.5, -0.5, 0.5
    tf2.transforms["base_link", "eye"] = mounted
    publish(outputs, walk(kit, 2))
    assert outputs.problem == ""
    last = listener.wait_for("/vo_node/odometry", lambda m: m.header.stamp.nanosec == 100_000_000)
    assert last.child_frame_id == "base_link"
    # The camera turns about its y, which is -z of the base, and drags the base's origin around.
    position = last.pose.pose.position
    expected = [2.0 + 0.5 - 2.0 * np.cos(0.1), 2.0 * np.sin(0.1), 0.0]
    assert [position.x, position.y, position.z] == pytest.approx(expected)
    assert last.pose.pose.orientation.z == pytest.approx(-np.sin(0.05))
    sent = tf2.sent[-1]
    assert (sent.header.frame_id, sent.child_frame_id) == ("odom", "base_link")
    assert sent.transform.translation.x == pytest.approx(expected[0])


def test_no_transform_is_sent_without_a_metric_scale(graph: Any, kit: Any, tf2: Any) -> None:
    make, _ = graph
    publish(make(publish_tf=True), walk(kit, 3, metric=False))
    assert tf2.sent == []
