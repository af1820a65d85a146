# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""ROS 1 bags give the same frames as ROS 2 bags, whole or cut off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rosbags.rosbag1 import Writer
from rosbags.typesys import Stores, get_typestore

from drcn_ros.errors import InputError
from drcn_ros.sequences import open_sequence
from drcn_ros.sequences.files import read_lines


@pytest.fixture(scope="module")
def store():
    return get_typestore(Stores.ROS1_NOETIC)


def write(path: Path, clip, store, compression: str | None = None) -> None:
    with_pose = clip.ground_truth
    writer = Writer(path)
    if compression:
        writer.set_compression(Writer.CompressionFormat[compression])
    types = store.types
    with writer:
        kinds = {
            "/cam/image_raw": "sensor_msgs/msg/Image",
            "/cam/camera_info": "sensor_msgs/msg/CameraInfo",
            "/pose": "geometry_msgs/msg/PoseStamped",
        }
        topics = {name: writer.add_connection(name, kind, typestore=store) for name, kind in kinds.items()}
        for index, (stamp, image) in enumerate(zip(clip.stamps_ns, clip.images, strict=True)):
            time = types["builtin_interfaces/msg/Time"](sec=stamp // 10**9, nanosec=stamp % 10**9)
            header = types["std_msgs/msg/Header"](seq=index, stamp=time, frame_id="camera")
            height, width = image.shape[:2]
            pixels = types["sensor_msgs/msg/Image"](
                header, height, width, "rgb8", 0, 3 * width, np.ascontiguousarray(image).reshape(-1)
            )
            region = types["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
            camera = clip.camera
            info = types["sensor_msgs/msg/CameraInfo"](
                header,
                height,
                width,
                "plumb_bob",
                np.zeros(5),
                camera.matrix.reshape(-1),
                np.eye(3).reshape(-1),
                np.eye(3, 4).reshape(-1),
                0,
                0,
                region,
            )
            x, y, z, w = (float(value) for value in with_pose.quaternions[index])
            pose = types["geometry_msgs/msg/PoseStamped"](
                header,
                types["geometry_msgs/msg/Pose"](
                    types["geometry_msgs/msg/Point"](*(float(value) for value in with_pose.positions[index])),
                    types["geometry_msgs/msg/Quaternion"](x, y, z, w),
                ),
            )
            for name, message in zip(kinds, (pixels, info, pose), strict=True):
                writer.write(topics[name], stamp, store.serialize_ros1(message, kinds[name]))


@pytest.mark.parametrize("compression", [None, "BZ2", "LZ4"])
def test_a_ros1_bag_gives_the_same_frames(tmp_path: Path, clip, assert_same, store, compression):
    write(tmp_path / "a.bag", clip, store, compression)
    sequence = open_sequence(tmp_path / "a.bag")
    assert sequence.kind == "ROS 1 bag"
    assert len(sequence) == len(clip)
    assert_same(sequence)


@pytest.mark.parametrize("compression", [None, "BZ2", "LZ4"])
def test_a_cut_off_ros1_bag_is_read_up_to_the_cut(tmp_path: Path, clip, assert_same, store, compression):
    file = tmp_path / "a.bag"
    write(file, clip, store, compression)
    data = file.read_bytes()
    file.write_bytes(data[: int(0.8 * len(data))])
    sequence = open_sequence(file)
    frames = list(sequence.frames())
    assert 1 <= len(frames) < len(clip)
    assert_same(sequence, count=len(frames), truth=False)
    assert any("cut off" in note for note in sequence.notes.lines)


def test_a_ros1_bag_without_a_whole_message_is_one_clear_line(tmp_path: Path, clip, store):
    file = tmp_path / "a.bag"
    write(file, clip, store)
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(InputError, match="no whole message"):
        open_sequence(file)


def test_a_file_that_only_begins_like_text_is_refused(tmp_path: Path):
    (tmp_path / "x.bin").write_bytes(b"\xff\xfe\x81")
    with pytest.raises(InputError, match="no text file"):
        read_lines(tmp_path / "x.bin")
