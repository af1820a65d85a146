# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a running node publishes, read as the packages read it that take it in.

Two readers are real and have nothing to do with this package: rosbags reads the bytes, and evo reads poses
out of a bag. The others need a ROS installation or are written in C++; the rules of their source are in the
tests here, and docs/integration.md names the version of each that was read.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from diagnostic_msgs.msg import DiagnosticStatus
from evo.tools.file_interface import read_bag_trajectory
from geometry_msgs.msg import PoseWithCovarianceStamped, TwistWithCovarianceStamped
from nav_msgs.msg import Odometry
from nav_msgs.msg import Path as PathMessage
from rclpy.serialization import deserialize_message
from rosbags.rosbag2 import Reader, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore
from sensor_msgs.msg import CameraInfo, PointCloud, PointCloud2, PointField
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

pytestmark = pytest.mark.dds

CONFIG = Path(__file__).resolve().parents[3] / "config"
STORE = get_typestore(Stores.ROS2_JAZZY)
CLOUDS = ("keypoints", "matches", "points")
KINDS: dict[str, Any] = {
    **dict.fromkeys(CLOUDS, PointCloud2),
    "relative_pose": PoseWithCovarianceStamped,
    "pose": PoseWithCovarianceStamped,
    "path": PathMessage,
    "odometry": Odometry,
    "twist": TwistWithCovarianceStamped,
    "feature": PointCloud,
    "restart": Bool,
    "status": DiagnosticStatus,
}
IMAGES, CALIBRATION = "/camera/image_raw", "/camera/camera_info"
# Of sensor_msgs/PointField.
NUMBERS = {
    PointField.UINT8: np.uint8,
    PointField.INT32: np.int32,
    PointField.UINT32: np.uint32,
    PointField.FLOAT32: np.float32,
}
BEFORE, AFTER = 13, 4


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, kit: Any) -> SimpleNamespace:
    """The bytes of each topic of a node with a metric scale: thirteen frames, a reset, and four more."""
    setup = kit.Setup(
        tmp_path_factory.mktemp("contracts"),
        remaps={"image": IMAGES, "camera_info": CALIBRATION},
        vins_layout="fusion",
        publish_descriptors=True,
        scale__source="constant",
        matcher__max_keypoints=400,
    )
    setup.camera.advertise(CALIBRATION, CameraInfo)
    for name, kind in KINDS.items():
        # The status is also what tells that a frame is done, and so is not kept as it came.
        setup.listener.listen(f"/vo_node/{name}", kind, raw=name != "status")
    setup.camera.publish(CALIBRATION, kit.camera_info())
    for index in range(BEFORE + AFTER):
        if index == BEFORE:
            setup.listener.wait_for("/vo_node/path")
            assert setup.listener.call(Trigger, "/vo_node/reset", Trigger.Request()).success
        setup.show(kit.image(kit.texture(shift=6.0 * index), setup.next_stamp()), IMAGES)
    last = setup.next_stamp(0.0)
    setup.listener.wait_for(
        "/vo_node/path", lambda data: stamp(deserialize_message(data, PathMessage).header) == last
    )
    raw = {name: setup.listener.messages(f"/vo_node/{name}") for name in KINDS}
    status = raw.pop("status")
    graph = setup.listener.node
    topics = [
        name
        for find in (
            graph.get_publisher_names_and_types_by_node,
            graph.get_subscriber_names_and_types_by_node,
        )
        for name, _ in find("vo_node", "/")
    ]
    assert setup.close() == 0
    messages = {name: [deserialize_message(data, KINDS[name]) for data in raw[name]] for name in raw}
    return SimpleNamespace(raw=raw, status=status, topics=topics, **messages)


def type_name(name: str) -> str:
    kind = KINDS[name]
    return f"{kind.__module__.split('.')[0]}/msg/{kind.__name__}"


def stamp(header: Any) -> int:
    return int(header.stamp.sec) * 10**9 + int(header.stamp.nanosec)


def variances(covariance: Any) -> np.ndarray:
    return np.array(covariance).reshape(6, 6).diagonal()


def turn_length(pose: Any) -> float:
    turn = pose.orientation
    return float(np.linalg.norm([turn.x, turn.y, turn.z, turn.w]))


@pytest.mark.parametrize("name", [name for name in KINDS if name != "status"])
def test_another_reader_finds_the_same_in_the_bytes(published: Any, name: str) -> None:
    assert published.raw[name], "nothing was published"
    for data, ours in zip(published.raw[name], getattr(published, name), strict=True):
        theirs = STORE.deserialize_cdr(data, type_name(name))
        # Its own bytes of what it has read: no number is lost or moved. Padding at the end is free.
        again = bytes(STORE.serialize_cdr(theirs, type_name(name)))
        assert again.rstrip(b"\0") == bytes(data).rstrip(b"\0")
        if name != "restart":
            assert theirs.header.frame_id == ours.header.frame_id
            assert stamp(theirs.header) == stamp(ours.header)


@pytest.mark.parametrize("name", ["pose", "odometry"])
def test_evo_reads_the_poses_out_of_a_bag(published: Any, name: str, tmp_path: Path) -> None:
    with Writer(tmp_path / "bag", version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connection = writer.add_connection(f"/vo_node/{name}", type_name(name), typestore=STORE)
        for data, message in zip(published.raw[name], getattr(published, name), strict=True):
            writer.write(connection, stamp(message.header), bytes(data))
    with Reader(tmp_path / "bag") as reader:
        path = read_bag_trajectory(reader, f"/vo_node/{name}")
    messages = getattr(published, name)
    assert path.meta["frame_id"] == "odom"
    assert path.timestamps == pytest.approx([1e-9 * stamp(m.header) for m in messages], abs=1e-6)
    places = [m.pose.pose.position for m in messages]
    assert path.positions_xyz == pytest.approx(np.array([[p.x, p.y, p.z] for p in places]))
    assert path.check()[0]


def rows_of(cloud: PointCloud2) -> np.ndarray:
    """Read a cloud by the rules of `sensor_msgs_py.point_cloud2`: a field with a count is many."""
    assert not cloud.is_bigendian
    names, formats, offsets = [], [], []
    for field in cloud.fields:
        number = np.dtype(NUMBERS[field.datatype])
        assert field.count > 0, "fields without a value are refused"
        for index in range(field.count):
            names.append(field.name if field.count == 1 else f"{field.name}_{index}")
            formats.append(number)
            offsets.append(field.offset + index * number.itemsize)
    assert len(set(names)) == len(names), "a name twice is refused"
    kind = np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": cloud.point_step})
    return np.ndarray(cloud.width * cloud.height, kind, buffer=cloud.data)


@pytest.mark.parametrize("name", CLOUDS)
def test_clouds_are_laid_out_as_their_readers_expect(published: Any, name: str) -> None:
    for cloud in getattr(published, name):
        # RViz and PCL: three floats called x, y and z, and sizes that fit each other.
        assert [(f.name, f.datatype, f.count) for f in cloud.fields[:3]] == [
            (axis, PointField.FLOAT32, 1) for axis in "xyz"
        ]
        assert cloud.row_step == cloud.width * cloud.point_step
        assert len(cloud.data) == cloud.row_step * cloud.height
        rows = rows_of(cloud)
        lost = np.isnan(np.column_stack([rows[axis] for axis in "xyz"])).any(axis=1)
        # A reader that is told that a cloud is dense looks for no NaN.
        assert cloud.is_dense == (not lost.any())
    assert sum(len(rows_of(cloud)) for cloud in getattr(published, name)) > 300


@pytest.mark.parametrize("name", CLOUDS)
def test_the_real_reader_of_clouds_agrees(published: Any, name: str) -> None:
    reader = pytest.importorskip(
        "sensor_msgs_py.point_cloud2", reason="sensor_msgs_py comes with an installation of ROS"
    )
    for cloud in getattr(published, name):
        rows = rows_of(cloud)
        assert np.array_equal(reader.read_points(cloud), rows)
        xyz = reader.read_points_numpy(cloud, field_names=["x", "y", "z"], skip_nans=True)
        assert len(xyz) <= len(rows)
        assert len(reader.read_points_list(cloud, field_names=["x", "y"])) == len(rows)


def test_matches_name_a_frame_that_was_published(published: Any) -> None:
    frames = {stamp(cloud.header) for cloud in published.keypoints}
    for cloud in published.matches:
        for row in rows_of(cloud):
            assert int(row["ref_sec"]) * 10**9 + int(row["ref_nanosec"]) in frames


def test_descriptors_arrive_with_the_keypoints(published: Any) -> None:
    names = rows_of(published.keypoints[-1]).dtype.names
    assert [name for name in names if name.startswith("descriptor")] == [
        f"descriptor_{n}" for n in range(256)
    ]


def vins_frame(message: PointCloud, camera: int) -> dict[int, list[float]]:
    """Read a message as VINS' feature callback does; `camera` is the camera's channel or -1."""
    values = [channel.values for channel in message.channels]
    assert all(len(channel) == len(message.points) for channel in values)
    frame = {}
    for index, point in enumerate(message.points):
        assert point.z == 1.0, "its reader ends on any other"
        if camera >= 0:
            assert int(values[camera][index]) == 0
        # Cut to an integer there, rounded in VINS-Mono: both must find the same.
        number = values[0][index]
        assert int(number) == int(number + 0.5)
        frame[int(number)] = [point.x, point.y, *(channel[index] for channel in values[camera + 1 :])]
    assert len(frame) == len(message.points), "an id twice is a point seen twice"
    return frame


def test_features_are_read_as_vins_fusion_reads_them(published: Any) -> None:
    frames = [vins_frame(message, camera=1) for message in published.feature]
    stamps = [stamp(message.header) for message in published.feature]
    # Neither the first frame nor the one after the reset, which have no velocities.
    assert len(frames) == BEFORE + AFTER - 2
    assert [len(message.channels) for message in published.feature] == [9] * len(frames)
    assert (np.diff(stamps) > 0).all(), "IMU samples are taken up to each stamp"
    assert [message.data for message in published.restart] == [True]
    # Ids continue, and velocities lead from one frame to the next: 6 pixels in 50 ms, focal length 500.
    both = frames[0].keys() & frames[1].keys()
    assert len(both) > 50
    velocity = np.array([frames[1][number][4:6] for number in both])
    assert np.median(velocity, axis=0) == pytest.approx([-6.0 / 500.0 / 0.05, 0.0], abs=0.02)


@pytest.mark.parametrize(
    ("file", "sensor", "topic"),
    [("ekf_angular_only.yaml", "twist0", "twist"), ("ekf_scaled.yaml", "odom0", "odometry")],
)
def test_velocities_keep_robot_localization_content(
    published: Any, file: str, sensor: str, topic: str
) -> None:
    settings = yaml.safe_load((CONFIG / file).read_text())["ekf_filter_node"]["ros__parameters"]
    assert settings[sensor] == f"/vo_node/{topic}"
    used = np.array(settings[f"{sensor}_config"][6:12])
    messages = getattr(published, topic)
    # A message that is not newer than the one before is dropped.
    assert (np.diff([stamp(message.header) for message in messages]) > 0).all()
    warned = []
    for message in messages:
        frame = message.header.frame_id if topic == "twist" else message.child_frame_id
        assert frame == "camera", "without a name the velocity is taken for the robot's own"
        covariance = np.array(message.twist.covariance).reshape(6, 6)
        assert covariance == pytest.approx(covariance.T)
        assert np.linalg.eigvalsh(covariance).min() > 0.0, "zero and less are replaced there"
        # More than a thousand in the row of an axis that is used is warned of.
        warned.append(bool((covariance[used] > 1e3).any()))
    # The turning is known from the first motion on, the way from the first baseline on, which is the unit.
    assert not any(warned if topic == "twist" else warned[BEFORE - 3 : BEFORE])


def test_poses_are_such_as_filters_and_graphs_accept(published: Any) -> None:
    for name in ("pose", "relative_pose", "odometry"):
        messages = getattr(published, name)
        assert (np.diff([stamp(message.header) for message in messages]) > 0).all()
        for message in messages:
            assert message.header.frame_id
            assert turn_length(message.pose.pose) == pytest.approx(1.0, abs=1e-9)
            covariance = np.array(message.pose.covariance).reshape(6, 6)
            assert covariance == pytest.approx(covariance.T)
            # A graph inverts it.
            assert np.linalg.eigvalsh(covariance).min() > 0.0


def test_rtabmap_opens_a_new_map_with_each_segment_and_at_no_other_time(published: Any) -> None:
    resets = []
    for message in published.odometry:
        place, turn = message.pose.pose.position, message.pose.pose.orientation
        identity = (place.x, place.y, place.z, turn.x, turn.y, turn.z) == (0.0,) * 6
        bad = (
            variances(message.pose.covariance)[0] >= 9999.0
            and variances(message.twist.covariance)[0] >= 9999.0
        )
        resets.append(identity or bad)
        assert stamp(message.header) > 0, "a message without a stamp is not taken"
        # One is its mark of a covariance that nobody has filled in.
        assert variances(message.pose.covariance)[0] != 1.0
    assert [index for index, reset in enumerate(resets) if reset] == [0, BEFORE]


def test_a_path_is_one_that_rviz_draws(published: Any) -> None:
    for message in published.path:
        assert message.header.frame_id == "odom"
        assert {pose.header.frame_id for pose in message.poses} == {"odom"}
        assert (np.diff([stamp(pose.header) for pose in message.poses]) > 0).all()
        assert stamp(message.header) == stamp(message.poses[-1].header)
        assert all(turn_length(pose.pose) == pytest.approx(1.0) for pose in message.poses)
    # A reset begins another path.
    assert len(published.path[-1].poses) == AFTER


def layout_paths() -> list[str]:
    """Return all that the Foxglove layout takes from messages: topics, or topics and fields."""
    panels = json.loads((CONFIG / "foxglove.json").read_text())["configById"]
    found = []
    for panel in panels.values():
        found += [panel[key] for key in ("topicPath", "topicToRender") if key in panel]
        found += panel.get("imageMode", {}).values()
        found += panel.get("topics", {})
        found += [entry["value"] for entry in panel.get("paths", ())]
    return found


def test_the_layout_shows_camera_matches_path_states_and_latency() -> None:
    kinds = [name.split("!")[0] for name in json.loads((CONFIG / "foxglove.json").read_text())["configById"]]
    assert kinds.count("Image") == 2
    assert {"3D", "StateTransitions", "Plot", "DiagnosticSummary", "RawMessages"} < set(kinds)


@pytest.mark.parametrize("path", layout_paths())
def test_the_layout_takes_what_the_running_node_has(published: Any, path: str) -> None:
    topic, *fields = path.split(".")
    assert topic in published.topics
    if not fields:
        return
    for message in getattr(published, topic.removeprefix("/vo_node/")):
        value: Any = message
        for name in fields:
            # A path such as values[:]{key=="state"} takes the entries that the filter lets through.
            field, key, wanted = re.fullmatch(r'(\w+)(?:\[:\]\{(\w+)=="(\w+)"\})?', name).groups()  # type: ignore[union-attr]
            value = getattr(value, field)
            if key is not None:
                (value,) = [entry for entry in value if getattr(entry, key) == wanted]
        # A plot takes numbers, also those that are texts; a row of states takes texts.
        assert re.search(r"state|reason", path) or float(value) == float(value)
        assert value != ""
