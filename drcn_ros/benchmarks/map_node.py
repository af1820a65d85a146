# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What `map_node` costs: made-up frames as the messages of a `vo_node`, over DDS, to the real process."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Path as PathMessage
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile
from sensor_msgs.msg import PointCloud2

from drcn_ros.benchmarks.map_load import frames
from drcn_ros.errors import DrcnError
from drcn_ros.mapping import FramePoints, TrackedFrame
from drcn_ros.odometry.map_points import MapPoints
from drcn_ros.ros.messages import clouds, convert
from drcn_ros.ros.session.domain import private_domain
from drcn_ros.ros.session.node_process import NodeProcess

_MODULE, _NAME = "drcn_ros.ros.mapping.map_node", "map_node"
_KINDS: dict[str, Any] = {
    "status": DiagnosticStatus,
    "pose": PoseWithCovarianceStamped,
    "relative_pose": PoseWithCovarianceStamped,
    "keypoints": PointCloud2,
    "points": PointCloud2,
}
_FIRST_NS = 1_750_000_000 * 10**9
# How long the node may take to start, and to map what waits.
_PATIENCE_S = 120.0
_PARAMETERS = {"spacing.distance": 0.0, "queue_size": 1000, "patience": 30.0}


@dataclass(frozen=True)
class NodeLoadReport:
    """What the node took, of the whole process.

    Attributes:
        keyframes: that it told in the end.
        dropped: frames that found its queue full.
        most_waiting: frames that waited at once, as it told once a second.
        seconds: processor time from the first frame on, all threads.
        wall_s: from the first frame until all were mapped.
        memory_mb: resident memory at the end, of which `before_mb` was there at the start.
    """

    keyframes: int
    dropped: int
    most_waiting: int
    seconds: float
    wall_s: float
    memory_mb: float
    before_mb: float


def measure_node(keyframes: int, rate: float, per_round: int = 250) -> NodeLoadReport:
    """Send so many keyframes to a `map_node` of its own at a rate, with a listener to its path.

    Raises:
        DrcnError: the node ended, or did not map them.
    """
    with ExitStack() as stack:
        domain_id = stack.enter_context(private_domain())
        log = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "map.log"
        process = stack.enter_context(NodeProcess(domain_id, _PARAMETERS, log, module=_MODULE, name=_NAME))
        context = Context()
        rclpy.init(context=context, domain_id=domain_id)
        stack.callback(rclpy.shutdown, context=context)
        camera = rclpy.create_node("vo_node", context=context)
        stack.callback(camera.destroy_node)
        quality = QoSProfile(depth=100)  # type: ignore[no-untyped-call]
        publishers = {
            name: camera.create_publisher(kind, f"~/{name}", quality) for name, kind in _KINDS.items()
        }
        told: list[dict[str, str]] = []

        def on_status(status: Any) -> None:
            told.append({entry.key: entry.value for entry in status.values})

        camera.create_subscription(DiagnosticStatus, f"/{_NAME}/status", on_status, quality)
        camera.create_subscription(PathMessage, f"/{_NAME}/path", lambda _: None, quality)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(camera)
        stack.callback(executor.shutdown)

        def until(done: Any, seconds: float) -> None:
            end = time.monotonic() + seconds
            while not done():
                process.check()
                if time.monotonic() > end:
                    msg = (
                        f"map_node is not ready after {seconds:.0f} s; its log ends: {log.read_text()[-500:]}"
                    )
                    raise DrcnError(msg)
                executor.spin_once(timeout_sec=0.02)

        until(lambda: told and all(p.get_subscription_count() for p in publishers.values()), _PATIENCE_S)
        watched = psutil.Process(process.pid)
        before_mb, spent = watched.memory_info().rss / 1e6, sum(watched.cpu_times()[:2])
        begin = time.monotonic()
        for number, messages in enumerate(_messages(keyframes, per_round)):
            while time.monotonic() < begin + number / rate:
                executor.spin_once(timeout_sec=0.005)
            for name, message in messages.items():
                publishers[name].publish(message)
        until(lambda: told[-1]["keyframes"] == str(keyframes), _PATIENCE_S)
        return NodeLoadReport(
            keyframes=int(told[-1]["keyframes"]),
            dropped=int(told[-1]["dropped"]),
            most_waiting=max(int(values["waiting"]) for values in told),
            seconds=sum(watched.cpu_times()[:2]) - spent,
            wall_s=time.monotonic() - begin,
            memory_mb=watched.memory_info().rss / 1e6,
            before_mb=before_mb,
        )


def _messages(keyframes: int, per_round: int) -> Iterator[dict[str, Any]]:
    """Yield the messages of each frame by the name of their topic."""
    for number, (frame, _) in enumerate(itertools.islice(frames(keyframes, per_round), keyframes)):
        stamp = _FIRST_NS + number * 10**8
        head, in_odom = convert.header(stamp, "camera"), convert.header(stamp, "odom")
        assert frame.points is not None
        sent = {
            "keypoints": clouds.serialised_cloud(_keypoints(frame.points), head),
            "points": clouds.serialised_cloud(clouds.point_rows(_landmarks(frame)), in_odom),
            "pose": convert.pose_with_covariance(frame.pose, np.eye(6), in_odom),
            "status": _status(stamp, None if frame.step is None else stamp - 10**8, frame),
        }
        if frame.step is not None:
            unit = frame.step.matrix.copy()
            unit[:3, 3] /= np.linalg.norm(unit[:3, 3])
            sent["relative_pose"] = convert.pose_with_covariance(unit, frame.step.covariance, head)
        yield sent


def _keypoints(points: FramePoints) -> Any:
    kind = np.dtype([*clouds.KEYPOINT_FIELDS.descr, ("descriptor", "<f4", points.descriptors.shape[1:])])
    rows = np.zeros(len(points), kind)
    rows["x"], rows["y"], rows["z"] = points.rays[:, 0], points.rays[:, 1], 1.0
    rows["u"], rows["v"] = points.pixels[:, 0], points.pixels[:, 1]
    rows["id"], rows["descriptor"] = points.ids, points.descriptors
    return rows


def _landmarks(frame: TrackedFrame) -> MapPoints:
    points = frame.points
    assert points is not None
    known = np.flatnonzero(np.isfinite(points.depths))
    rays = np.column_stack([points.rays[known], np.ones(len(known))])
    places = (rays * points.depths[known, None]) @ frame.pose[:3, :3].T + frame.pose[:3, 3]
    return MapPoints(
        places, points.deviations[known] ** 2, points.ids[known], np.full(len(known), 5, np.uint32)
    )


def _status(stamp_ns: int, reference_ns: int | None, frame: TrackedFrame) -> DiagnosticStatus:
    told = {
        "state": "INITIALIZING" if frame.step is None else "TRACKING",
        "stamp": convert.stamp_text(stamp_ns),
        "reference_stamp": "" if reference_ns is None else convert.stamp_text(reference_ns),
        "segment": "0",
        "metric": "false",
    }
    if frame.step is not None:
        told["step_length"] = f"{np.linalg.norm(frame.step.matrix[:3, 3]):.9g}"
    values = [KeyValue(key=key, value=value) for key, value in told.items()]
    return DiagnosticStatus(name="/vo_node", hardware_id="camera", values=values)
