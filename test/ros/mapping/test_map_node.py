# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The map node behind a running odometry, each in its process, over DDS; the tests run in their order."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseStamped, PoseWithCovarianceStamped, TransformStamped
from nav_msgs.msg import Path as PathMessage
from rcl_interfaces.srv import DescribeParameters, SetParameters
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo
from std_srvs.srv import Trigger

from drcn_ros.mapping import Mapper
from drcn_ros.ros.messages.convert import matrix_from_parts, nanoseconds
from drcn_ros.ros.session.node_process import NodeProcess

pytest.importorskip("gtsam", reason="the map needs GTSAM")
pytestmark = pytest.mark.dds

MODULE, NAME = "drcn_ros.ros.mapping.map_node", "map_node"
FRAMES, MOST_FRAMES = 10, 50


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, kit: Any) -> Iterator[SimpleNamespace]:
    """The odometry with its camera and a listener, and the map node on the same domain."""
    folder = tmp_path_factory.mktemp("map")
    setup = kit.Setup(folder, publish_descriptors=True, matcher__max_keypoints=400)
    running = SimpleNamespace(setup=setup, log=folder / "map.log", folder=folder, frames=0)
    running.profile = kit.PROFILE
    running.node = start_map(running)
    listener = running.listener = setup.listener
    listener.listen("/map_node/pose", PoseStamped)
    listener.listen("/map_node/correction", TransformStamped)
    listener.listen("/map_node/path", PathMessage, match=False)
    listener.listen("/map_node/status", DiagnosticStatus)
    listener.listen("/diagnostics", DiagnosticArray)
    listener.listen("/vo_node/pose", PoseWithCovarianceStamped)
    setup.camera.advertise("/camera_info", CameraInfo)
    # Everybody has to know everybody before the first frame.
    kit.wait_until(lambda: "vo_node/points" in str(listener.node.get_topic_names_and_types()))
    kit.wait_until(lambda: listener.node.count_subscribers("/vo_node/points") == 1)
    yield running
    assert running.node.stop() == 0
    assert setup.close() == 0
    assert "Traceback" not in running.log.read_text()


def start_map(both: Any, **parameters: Any) -> NodeProcess:
    given = {"map_folder": str(both.folder / "saved"), "transform_tolerance": 0.25, **parameters}
    return NodeProcess(both.setup.domain_id, given, both.log, profile=both.profile, module=MODULE, name=NAME)


def film(both: Any, kit: Any, count: int) -> int:
    """Show frames of a picture that slides by; return the stamp of the last."""
    last = 0
    for _ in range(count):
        # Sent with each frame: it is best effort.
        both.setup.camera.publish("/camera_info", kit.camera_info())
        last = both.setup.next_stamp()
        both.setup.show(kit.image(kit.texture(shift=6.0 * both.frames), last))
        both.frames += 1
    return last


def film_until_placed(both: Any, kit: Any) -> None:
    """Show frames until one is in the map; the first of a node just started may come before it listens."""
    shown: set[int] = set()

    def placed() -> bool:
        poses = both.listener.messages("/map_node/pose")
        return any(nanoseconds(pose.header.stamp) in shown for pose in poses)

    while not placed():
        assert len(shown) < MOST_FRAMES
        shown.add(film(both, kit, 1))
        time.sleep(0.1)


def values(both: Any, kit: Any) -> dict[str, str]:
    return dict(kit.values(both.listener.messages("/map_node/status")[-1]))


def test_it_places_each_frame_in_the_map(both: Any, kit: Any) -> None:
    last = film(both, kit, FRAMES)
    newest = both.listener.wait_for("/map_node/pose", lambda m: nanoseconds(m.header.stamp) == last)
    assert newest.header.frame_id == "map"
    odometry = both.listener.wait_for("/vo_node/pose", lambda m: nanoseconds(m.header.stamp) == last)
    correction = both.listener.wait_for(
        "/map_node/correction", lambda m: nanoseconds(m.header.stamp) == last + 250_000_000
    )
    assert (correction.header.frame_id, correction.child_frame_id) == ("map", "odom")
    # map -> odom and the odometry's own pose make the pose in the map (REP 105).
    found = matrix_from_parts(correction.transform.translation, correction.transform.rotation)
    in_odom = matrix_from_parts(odometry.pose.pose.position, odometry.pose.pose.orientation)
    in_map = matrix_from_parts(newest.pose.position, newest.pose.orientation)
    assert found @ in_odom == pytest.approx(in_map, abs=1e-6)
    # The picture slid to the left, so that the camera went to the right.
    assert newest.pose.position.x > 0.1


def test_it_tells_the_path_and_how_it_fares(both: Any, kit: Any) -> None:
    both.listener.wait_for("/map_node/path", lambda m: len(m.poses) > 2)
    # Both are published once a second, and agree when no more frames come.
    kit.wait_until(
        lambda: str(len(both.listener.messages("/map_node/path")[-1].poses)) == values(both, kit)["keyframes"]
    )
    path = both.listener.messages("/map_node/path")[-1]
    assert path.header.frame_id == "map"
    stamps = [nanoseconds(pose.header.stamp) for pose in path.poses]
    assert stamps == sorted(set(stamps))
    assert (np.diff([pose.pose.position.x for pose in path.poses]) > 0.0).all()
    told = values(both, kit)
    # The first frames may have come before all had found each other.
    assert len(path.poses) <= int(told["frames"]) <= FRAMES
    assert (told["damaged"], told["failures"], told["dropped"]) == ("0", "0", "0")
    both.listener.wait_for("/diagnostics", lambda m: m.status[0].name == "/map_node: map")


def test_a_reset_of_the_odometry_goes_on_in_the_same_map(both: Any, kit: Any) -> None:
    before = int(values(both, kit)["keyframes"])
    assert both.listener.call(Trigger, "/vo_node/reset", Trigger.Request()).success
    film_until_placed(both, kit)
    both.listener.wait_for("/map_node/status", lambda m: int(kit.values(m)["keyframes"]) > before)


def test_a_map_without_a_folder_is_not_saved_and_one_with_it_is(both: Any, kit: Any) -> None:
    def call(name: str) -> Any:
        return both.listener.call(Trigger, f"/map_node/{name}", Trigger.Request())

    answer = call("load_map")
    assert not answer.success
    assert str(both.folder / "saved") in answer.message
    answer = call("save_map")
    assert answer.success, answer.message
    before = int(answer.message.split()[0])
    assert before > 3
    assert answer.message == f"{before} keyframes saved in {both.folder / 'saved'}"
    assert len(Mapper.load(both.folder / "saved")) == before
    answer = call("load_map")
    assert answer.message == f"{before} keyframes loaded from {both.folder / 'saved'}"
    # What comes after is a new segment of the same map.
    film_until_placed(both, kit)
    both.listener.wait_for("/map_node/status", lambda m: int(kit.values(m)["keyframes"]) > before)


def test_a_map_whose_saving_is_cut_off_leaves_the_last_good_one(both: Any, kit: Any) -> None:
    good = len(Mapper.load(both.folder / "saved"))
    client = both.listener.node.create_client(Trigger, "/map_node/save_map")
    assert client.wait_for_service(kit.PATIENCE_S)
    client.call_async(Trigger.Request())
    os.kill(both.node.pid, signal.SIGKILL)
    both.node.stop()
    both.listener.node.destroy_client(client)
    # Whichever moment it was: there is a whole map, the last one or the new one.
    whole = len(Mapper.load(both.folder / "saved"))
    assert whole >= good
    both.node = start_map(both, load_map=True)
    kit.wait_until(lambda: f"{whole} keyframes loaded from" in both.log.read_text())
    both.listener.wait_for(
        "/map_node/status",
        lambda m: kit.values(m)["keyframes"] == str(whole) and kit.values(m)["frames"] == "0",
    )


def test_a_reset_begins_a_new_map(both: Any, kit: Any) -> None:
    assert both.listener.call(Trigger, "/map_node/reset", Trigger.Request()).success
    both.listener.wait_for("/map_node/status", lambda m: kit.values(m)["keyframes"] == "0")
    film_until_placed(both, kit)


def test_parameters_are_described_and_some_are_fixed(both: Any) -> None:
    request = DescribeParameters.Request(names=["map_folder", "loops.candidates", "spacing.distance"])
    described = both.listener.call(DescribeParameters, "/map_node/describe_parameters", request).descriptors
    assert all(entry.description.endswith(".") for entry in described)

    def change(name: str, value: Any) -> Any:
        request = SetParameters.Request(parameters=[Parameter(name, value=value).to_parameter_msg()])
        return both.listener.call(SetParameters, "/map_node/set_parameters", request).results[0]

    assert change("patience", 0.5).successful
    refused = change("map_frame", "world")
    assert not refused.successful
    assert refused.reason == "parameter map_frame is fixed while the node runs; set it at start"


def test_without_gtsam_it_says_so_in_one_line(
    tmp_path: Path, kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gtsam.py").write_text("raise ImportError('no such library')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    log = tmp_path / "map.log"
    with kit.process(["-m", MODULE], log) as running:
        assert running.wait(kit.PATIENCE_S) == 1
    (line,) = [line for line in log.read_text().splitlines() if line]
    assert "the map needs GTSAM" in line
    assert "pip install gtsam" in line
