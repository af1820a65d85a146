# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What the node costs around the network: `python -m drcn_ros.benchmarks.node`.

Measures the conversion of 640x480 images in each encoding, the making and publishing of all messages of a
frame with 1000 keypoints and 1000 matches to a subscriber over DDS, and the first frames of a started node.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Path as PathMessage
from rclpy.context import Context
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node
from sensor_msgs.msg import Image, PointCloud2

from drcn_ros.conversion.encodings import LAYOUTS
from drcn_ros.conversion.images import image_from_message
from drcn_ros.geometry.camera import Camera, Distortion
from drcn_ros.geometry.types import RelativePose
from drcn_ros.matching.types import Keypoints, Matches
from drcn_ros.odometry import Frame, Latency, Reason, Result, State, Tracks
from drcn_ros.ros.config import NodeConfig
from drcn_ros.ros.messages.convert import byte_array
from drcn_ros.ros.node.outputs import Outputs
from drcn_ros.ros.node.processor import Processed
from drcn_ros.ros.session.domain import private_domain

_WIDTH, _HEIGHT, _POINTS = 640, 480, 1000
_RUNS = 300
_FIRST_FRAMES = 10
_TOPICS = {
    "keypoints": PointCloud2,
    "matches": PointCloud2,
    "relative_pose": PoseWithCovarianceStamped,
    "pose": PoseWithCovarianceStamped,
    "path": PathMessage,
    "status": DiagnosticStatus,
}


def conversions_ms() -> dict[str, dict[str, float]]:
    """Return the cost of making an array of an image message, by encoding."""
    costs = {}
    for encoding, layout in LAYOUTS.items():
        size = layout.pixel_bytes
        count = round(_WIDTH * _HEIGHT * size * layout.rows)
        pixels = np.random.default_rng(0).integers(0, 256, count, dtype=np.uint8)
        message = Image(
            width=_WIDTH, height=_HEIGHT, encoding=encoding, step=_WIDTH * size, data=byte_array(pixels)
        )
        costs[encoding] = _measured(lambda message=message: image_from_message(message))  # type: ignore[misc]
    return costs


def publishing_ms() -> dict[str, dict[str, float]]:
    """Return the cost of all messages of a frame, with a subscriber to each topic and with none."""
    with ExitStack() as stack:
        domain_id = stack.enter_context(private_domain())
        contexts = []
        for _ in range(2):
            contexts.append(Context())
            rclpy.init(context=contexts[-1], domain_id=domain_id)
            stack.callback(rclpy.shutdown, context=contexts[-1])
        node = LifecycleNode("vo_node", context=contexts[0])
        stack.callback(node.destroy_node)
        node.trigger_configure()
        outputs = Outputs(node, "/vo_node", NodeConfig())
        stack.callback(outputs.close)
        node.trigger_activate()
        frames = _frames()

        def publish() -> None:
            outputs.publish(next(frames), {"age_ms": 0.0})

        unheard = _measured(publish)
        listener = Node("listener", context=contexts[1])
        stack.callback(listener.destroy_node)
        for name, kind in _TOPICS.items():
            listener.create_subscription(kind, f"/vo_node/{name}", lambda _: None, 1)
        while not all(node.count_subscribers(f"/vo_node/{name}") for name in _TOPICS):
            time.sleep(0.05)
        time.sleep(0.5)
        heard = _measured(publish)
    return {"nobody listens": unheard, "all topics": heard}


def first_frames_ms(matcher: str) -> list[dict[str, float]]:
    """Return what the first frames of a node that was just started cost, by stage."""
    from drcn_ros.ros.session.live import live_session
    from drcn_ros.ros.share import fast_dds_profile

    coarse = np.random.default_rng(0).integers(0, 256, (_HEIGHT // 8, _WIDTH // 8 + 20), dtype=np.uint8)
    wide = np.kron(coarse, np.ones((8, 8), np.uint8))
    pictures = [
        Frame(10**9 + index * 10**8, np.ascontiguousarray(wide[:, 6 * index : 6 * index + _WIDTH]))
        for index in range(_FIRST_FRAMES)
    ]
    camera = Camera(_WIDTH, _HEIGHT, fx=500.0, fy=500.0, cx=319.5, cy=239.5)
    parameters = {"matcher.name": matcher, "processing": "every_frame"}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "node.log"
        with live_session(camera, parameters, log, fast_dds_profile()) as session:
            session.play_in_step(pictures, lambda: None)
            records = session.run(None).frames.values()
    return [
        {name: float(record.status[name]) for name in ("total_ms", "decode_ms", "publish_ms", "age_ms")}
        for record in records
    ]


def yardstick_ms() -> float:
    """Return the processor time of a million additions, to tell how fast the machine is while it measures."""
    begin, total = time.thread_time(), 0
    for number in range(10**6):
        total += number
    return 1e3 * (time.thread_time() - begin)


def _frames() -> Any:
    generator = np.random.default_rng(0)
    points = generator.uniform([0.0, 0.0], [_WIDTH, _HEIGHT], (_POINTS, 2)).astype(np.float32)
    scores = np.ones(_POINTS, np.float32)
    index = np.arange(_POINTS)
    beside = generator.uniform(-0.3, 0.3, (_POINTS, 2)).astype(np.float32)
    # Undistorting the points is part of the cost.
    coefficients = (0.1, -0.2, 0.001, 0.001, 0.05)
    camera = Camera(_WIDTH, _HEIGHT, 500.0, 500.0, 319.5, 239.5, Distortion.PLUMB_BOB, coefficients)
    for count in range(10**9):
        stamp = (count + 1) * 33_000_000
        result = Result(
            stamp_ns=stamp,
            state=State.TRACKING,
            reason=Reason.OK,
            detail="",
            keypoints=Keypoints(points, scores, scores),
            tracks=Tracks(index.astype(np.uint32), index.astype(np.uint32)),
            reference_stamp_ns=stamp - 33_000_000,
            matches=Matches(points + beside, points + beside, scores, index, index),
            inliers=np.ones(_POINTS, bool),
            relative_pose=RelativePose(np.eye(3), np.array([0.0, 0.0, 1.0]), 1e-4 * np.eye(6)),
            pose=np.eye(4),
            metric=False,
            segment=0,
            parallax_px=1.0,
            latency=Latency(),
        )
        yield Processed("camera", None, camera, result, 0.0, 1.0)


def _measured(work: Callable[[], Any]) -> dict[str, float]:
    """Return milliseconds: percentiles of the wall, and processor time per run.

    The fifth percentile is of runs that other programs hardly disturbed.
    """
    work()
    walls = []
    begin = time.thread_time()
    for _ in range(_RUNS):
        start = time.perf_counter()
        work()
        walls.append(1e3 * (time.perf_counter() - start))
    processor = 1e3 * (time.thread_time() - begin) / _RUNS
    return {
        "p5": float(np.percentile(walls, 5.0)),
        "median": float(np.median(walls)),
        "p95": float(np.percentile(walls, 95.0)),
        "processor": processor,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table, write JSON on demand."""
    parser = argparse.ArgumentParser(description="What the node costs around the network, at 640x480.")
    parser.add_argument("--matcher", default="drcn", help="of the started node (default %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there")
    parsed = parser.parse_args(arguments)
    result: dict[str, Any] = {
        "conversion_ms": conversions_ms(),
        "publishing_ms": publishing_ms(),
        "first_frames_ms": first_frames_ms(parsed.matcher),
        "yardstick_ms": yardstick_ms(),
    }
    lines = [f"{'':24}{'p5':>9}{'median':>9}{'p95':>9}{'processor':>11}  ms"]
    for part in ("conversion_ms", "publishing_ms"):
        for name, cost in result[part].items():
            walls = f"{cost['p5']:9.3f}{cost['median']:9.3f}{cost['p95']:9.3f}"
            lines.append(f"{name:24}{walls}{cost['processor']:11.3f}")
    lines.append(f"{'':24}{'odometry':>9}{'decode':>9}{'publish':>11}{'age':>9}  ms")
    for index, cost in enumerate(result["first_frames_ms"], start=1):
        values = f"{cost['total_ms']:9.1f}{cost['decode_ms']:9.2f}{cost['publish_ms']:11.2f}"
        lines.append(f"{f'frame {index}':24}{values}{cost['age_ms']:9.1f}")
    lines.append(f"a million additions: {result['yardstick_ms']:.0f} ms of processor time")
    sys.stdout.write("\n".join(lines) + "\n")
    if parsed.json is not None:
        parsed.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
