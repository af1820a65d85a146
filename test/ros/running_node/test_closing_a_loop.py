# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A camera that comes back to where it was, before odometry and map in a process each, over DDS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped, PoseWithCovarianceStamped, TransformStamped
from sensor_msgs.msg import CameraInfo
from std_srvs.srv import Trigger

from drcn_ros.geometry.camera import Camera
from drcn_ros.mapping import Mapper
from drcn_ros.ros.messages.convert import matrix_from_parts, nanoseconds
from drcn_ros.ros.session.node_process import NodeProcess
from drcn_ros.scenes.paths import looking
from drcn_ros.scenes.rooms import room
from drcn_ros.scenes.sequence import RenderedSequence, Sensor

pytest.importorskip("gtsam", reason="the map needs GTSAM")
pytestmark = pytest.mark.dds

# Frames of a round, of the stretch that is seen again after it, and of that after a reset.
ROUND, AGAIN, FROM, ANEW = 50, 8, 32, 9
WIDTH, HEIGHT, FOCAL = 320, 240, 250.0
# A focal length that is calibrated this much too short makes a full turn too large and the scale drift.
CALIBRATED = 0.996


def path(time: float) -> np.ndarray:
    angle = 2 * np.pi * time / ROUND
    return looking((3.5 + 1.2 * np.sin(angle), 3.0 - 1.2 * np.cos(angle), 1.3), angle)


@pytest.fixture
def running(tmp_path: Path, kit: Any) -> Iterator[SimpleNamespace]:
    setup = kit.Setup(
        tmp_path,
        publish_descriptors=True,
        matcher__name="drcn",
        matcher__compile="off",
        matcher__max_keypoints=300,
    )
    log, saved = tmp_path / "map.log", tmp_path / "saved"
    node = NodeProcess(
        setup.domain_id,
        {"map_folder": str(saved), "transform_tolerance": 0.0},
        log,
        profile=kit.PROFILE,
        module="drcn_ros.ros.mapping.map_node",
        name="map_node",
    )
    camera = Camera(WIDTH, HEIGHT, FOCAL, FOCAL, WIDTH / 2 - 0.5, HEIGHT / 2 - 0.5)
    film = RenderedSequence(room, path, ROUND + AGAIN, 1.0, camera, Sensor(noise=1.0))
    listener = setup.listener
    listener.listen("/map_node/pose", PoseStamped)
    listener.listen("/map_node/correction", TransformStamped)
    listener.listen("/vo_node/pose", PoseWithCovarianceStamped)
    setup.camera.advertise("/camera_info", CameraInfo)
    # Everybody has to know everybody before the first frame.
    kit.wait_until(lambda: listener.node.count_subscribers("/vo_node/points") == 1)
    yield SimpleNamespace(setup=setup, listener=listener, film=film, saved=saved)
    assert node.stop() == 0
    assert setup.close() == 0
    assert "Traceback" not in log.read_text()


def show(running: Any, kit: Any, index: int) -> SimpleNamespace | None:
    """Show a frame; return its stamp, its pose in the odometry, and its pose and `map -> odom` in the map.

    None stands for a frame that the odometry cannot place.
    """
    focal = CALIBRATED * FOCAL
    k = [focal, 0.0, WIDTH / 2 - 0.5, 0.0, focal, HEIGHT / 2 - 0.5, 0.0, 0.0, 1.0]
    p = [*k[:3], 0.0, *k[3:6], 0.0, *k[6:], 0.0]
    # Sent with each frame: it is best effort.
    running.setup.camera.publish("/camera_info", kit.camera_info(WIDTH, HEIGHT, k=k, p=p))
    stamp = running.setup.next_stamp(0.2)
    status = kit.values(running.setup.show(kit.image(running.film.image(index), stamp, "rgb8")))
    if status["state"] not in ("INITIALIZING", "TRACKING"):
        return None

    def of_frame(topic: str) -> Any:
        return running.listener.wait_for(topic, lambda m: nanoseconds(m.header.stamp) == stamp)

    odometry, placed = of_frame("/vo_node/pose").pose.pose, of_frame("/map_node/pose").pose
    correction = of_frame("/map_node/correction").transform
    return SimpleNamespace(
        index=index,
        stamp=stamp,
        segment=int(status["segment"]),
        in_odom=matrix_from_parts(odometry.position, odometry.orientation),
        in_map=matrix_from_parts(placed.position, placed.orientation),
        correction=matrix_from_parts(correction.translation, correction.rotation),
    )


def apart(one: np.ndarray, two: np.ndarray) -> float:
    return float(np.linalg.norm(one[:3, 3] - two[:3, 3]))


def test_a_loop_corrects_the_map_and_joins_what_comes_after_a_reset(running: Any, kit: Any) -> None:
    frames = [show(running, kit, index) for index in range(ROUND + AGAIN)]
    assert None not in frames
    size = max(apart(frames[0].in_odom, frame.in_odom) for frame in frames)
    # Nothing is seen again before the round is full: until then the map is the odometry.
    assert all(np.abs(frame.correction - np.eye(4)).max() < 1e-9 for frame in frames[: ROUND - 10])
    last = frames[-1]
    assert last.correction @ last.in_odom == pytest.approx(last.in_map, abs=1e-6)
    assert apart(np.eye(4), last.correction) > 0.01 * size
    # The odometry starts anew, and the camera, which has had time to go there, looks at what it saw before.
    running.setup.next_stamp(4.0)
    assert running.listener.call(Trigger, "/vo_node/reset", Trigger.Request()).success
    anew = [frame for index in range(FROM, FROM + ANEW) if (frame := show(running, kit, index)) is not None]
    assert anew[0].segment > last.segment
    # The new segment begins where the last one ended, until a loop takes it to where the camera is.
    assert apart(anew[0].in_map, last.in_map) < 1e-6
    answer = running.listener.call(Trigger, "/map_node/save_map", Trigger.Request())
    assert answer.success, answer.message
    saved = Mapper.load(running.saved)
    way, shown = saved.path(), (*frames, *anew)
    row_at = {int(stamp): row for row, stamp in enumerate(way.stamps_ns)}
    poses = [way.poses[row_at[frame.stamp]] for frame in shown]
    segments = [int(way.segments[row_at[frame.stamp]]) for frame in shown]
    assert segments == [frame.segment - frames[0].segment for frame in shown]
    # Each place is where it was when it was seen first.
    first, again = frames[AGAIN - 1], ROUND + AGAIN - 1
    assert apart(poses[AGAIN - 1], poses[again]) < 0.5 * apart(first.in_odom, last.in_odom)
    assert apart(poses[anew[-1].index], poses[-1]) < 0.05 * size
    assert anew[-1].in_map == pytest.approx(poses[-1], abs=1e-6)
