# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn inspect`: one page, and exit code 2 with the remedy where an input cannot be evaluated."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer

from drcn_ros.conversion.camera_info import camera_info_fields
from drcn_ros.geometry.camera import Camera
from drcn_ros.sequences.bags.bag import typestore

SECOND = 1_000_000_000
CAMERA = Camera(64, 48, 60.0, 60.0, 31.5, 23.5)


class Bag:
    """Writes images with any stamps, at a steady rate of arrival."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writer = Writer(path, version=9, storage_plugin=StoragePlugin.MCAP)
        self.writer.open()
        self.connections: dict[str, Any] = {}
        self.arrived = 100 * SECOND

    def put(self, topic: str, kind: str, stamp_ns: int, **fields: Any) -> None:
        types = typestore().types
        stamp = types["builtin_interfaces/msg/Time"](sec=stamp_ns // SECOND, nanosec=stamp_ns % SECOND)
        header = types["std_msgs/msg/Header"](stamp=stamp, frame_id="camera")
        message = types[kind](header=header, **fields)
        if topic not in self.connections:
            self.connections[topic] = self.writer.add_connection(topic, kind, typestore=typestore())
        self.writer.write(self.connections[topic], self.arrived, typestore().serialize_cdr(message, kind))
        self.arrived += 1_000_000

    def image(self, stamp_ns: int, topic: str = "/cam/image_raw", encoding: str = "mono8") -> None:
        pixels = np.random.default_rng(1).integers(0, 255, 48 * 64, np.uint8)
        self.put(
            topic, "sensor_msgs/msg/Image", stamp_ns, height=48, width=64, encoding=encoding,
            is_bigendian=0, step=64, data=pixels,
        )  # fmt: skip

    def camera_info(self, width: int = 64) -> None:
        fields = {**camera_info_fields(CAMERA, width, 48), "width": width}
        for name in "dkrp":
            fields[name] = np.array(fields[name], float)
        region = typestore().types["sensor_msgs/msg/RegionOfInterest"](
            x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
        )
        self.put(
            "/cam/camera_info", "sensor_msgs/msg/CameraInfo", SECOND, binning_x=0, binning_y=0, roi=region,
            **fields,
        )  # fmt: skip

    def pose(self, stamp_ns: int) -> None:
        types = typestore().types
        pose = types["geometry_msgs/msg/Pose"](
            position=types["geometry_msgs/msg/Point"](x=0.0, y=0.0, z=1e-9 * stamp_ns),
            orientation=types["geometry_msgs/msg/Quaternion"](x=0.0, y=0.0, z=0.0, w=1.0),
        )
        self.put("/truth", "geometry_msgs/msg/PoseStamped", stamp_ns, pose=pose)

    def done(self) -> Path:
        self.writer.close()
        return self.path


@pytest.fixture
def bag(tmp_path: Path) -> Bag:
    return Bag(tmp_path / "walk")


def test_a_folder_that_can_be_evaluated_says_so(drcn, recording: Path):
    answer = drcn("inspect", recording)
    assert answer.code == 0
    assert answer.out.startswith(f"{recording}: TUM RGB-D folder\n")
    assert "6 x 240x180" in answer.out
    assert "10.00 Hz" in answer.out
    assert f"from {recording / 'calib.yaml'}" in answer.out
    assert f"6 poses from {recording / 'groundtruth.txt'}, for 6 of 6 images (100 %)" in answer.out
    assert f"can be evaluated: drcn evaluate {recording}" in answer.out


def test_a_bag_shows_its_topics_its_disorder_and_how_far_its_truth_reaches(drcn, bag):
    bag.camera_info()
    for tick in (0, 1, 2, 4, 3, 5, 5, 6, 16, 17):
        bag.image(100 * SECOND + tick * 100_000_000)
    for tick in range(7):
        bag.pose(100 * SECOND + tick * 100_000_000)
    answer = drcn("inspect", bag.done())
    assert answer.code == 0
    assert "/cam/image_raw  sensor_msgs/msg/Image  10" in answer.out
    assert "10 x mono8 64x48" in answer.out
    assert "100.000 to 101.700 s, 1.700 s long, 10.00 Hz" in answer.out
    assert "longest distance 1000.0 ms, at 0.600 s; 1 gaps" in answer.out
    assert "1 late (older than one before), 1 equal to another, 0 empty" in answer.out
    assert "64x48, fx 60.00 fy 60.00 cx 31.50 cy 23.50, lens model none, from /cam/camera_info" in answer.out
    assert "7 poses from /truth, for 8 of 10 images (80 %); 2 before or after it" in answer.out


def test_without_a_calibration_the_remedy_is_told(drcn, bag):
    for tick in range(3):
        bag.image(SECOND + tick * 100_000_000)
    path = bag.done()
    answer = drcn("inspect", path)
    assert answer.code == 2
    assert "calibration:  none" in answer.out
    assert answer.error.strip().startswith("drcn inspect: no calibration; give one with --camera FILE")
    assert drcn("inspect", path, "--fov", "70").code == 0


def test_several_image_topics_are_shown_and_asked_about(drcn, bag):
    bag.camera_info()
    for tick in range(3):
        bag.image(SECOND + tick * 100_000_000, "/left/image_raw")
        bag.image(SECOND + tick * 100_000_000, "/right/image_raw")
    path = bag.done()
    answer = drcn("inspect", path)
    assert answer.code == 2
    assert "/left/image_raw  sensor_msgs/msg/Image  3" in answer.out
    assert "choose one with --image-topic: /left/image_raw (3 messages)" in answer.error
    assert drcn("inspect", path, "--image-topic", "/left/image_raw").code == 0


def test_images_that_cannot_be_decoded_and_stamps_that_are_empty(drcn, bag):
    bag.camera_info()
    for _ in range(3):
        bag.image(0, encoding="hsv8")
    answer = drcn("inspect", bag.done())
    assert answer.code == 2
    assert "3 x hsv8 64x48" in answer.out
    assert "3 empty" in answer.out
    assert "not one image can be decoded" in answer.error
    assert "hsv8" in answer.error


def test_a_calibration_for_another_size_is_told(drcn, bag):
    bag.camera_info(width=128)
    for tick in range(3):
        bag.image(SECOND + tick * 100_000_000)
    answer = drcn("inspect", bag.done())
    assert answer.code == 2
    assert "the calibration is for 128x48 pixels, the images are 64x48" in answer.error


def test_what_is_no_input_is_one_line(drcn, tmp_path: Path, recording: Path):
    for name in ("nowhere", "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        answer = drcn("inspect", tmp_path / name)
        assert answer.code == 2
        assert len(answer.error.strip().splitlines()) == 1
    shutil.copytree(recording, tmp_path / "one")
    first = (tmp_path / "one" / "rgb.txt").read_text().splitlines()[0]
    (tmp_path / "one" / "rgb.txt").write_text(first + "\n")
    assert "a motion needs two" in drcn("inspect", tmp_path / "one").error
