# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Topics of a bag are found by their type; where that is not clear, the choices are named."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer

from drcn_ros.conversion.camera_info import camera_info_fields
from drcn_ros.errors import InputError
from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.sequences import Selection, SequenceOptions, open_sequence
from drcn_ros.sequences.bags.bag import typestore
from drcn_ros.sequences.bags.sequence import BagTopics
from drcn_ros.sequences.trajectories.quaternions import quaternions_from_rotations

SECOND = 1_000_000_000


class Recorder:
    """Writes single messages into an mcap bag."""

    def __init__(self, path: Path) -> None:
        self.writer = Writer(path, version=9, storage_plugin=StoragePlugin.MCAP)
        self.writer.open()
        self.connections: dict[str, Any] = {}

    def make(self, kind: str, **fields: Any) -> Any:
        return typestore().types[kind](**fields)

    def header(self, stamp_ns: int, frame: str) -> Any:
        stamp = self.make("builtin_interfaces/msg/Time", sec=stamp_ns // SECOND, nanosec=stamp_ns % SECOND)
        return self.make("std_msgs/msg/Header", stamp=stamp, frame_id=frame)

    def put(self, topic: str, kind: str, stamp_ns: int, message: Any) -> None:
        if topic not in self.connections:
            self.connections[topic] = self.writer.add_connection(topic, kind, typestore=typestore())
        self.writer.write(self.connections[topic], stamp_ns, typestore().serialize_cdr(message, kind))

    def image(self, topic: str, stamp_ns: int, pixels: np.ndarray, **changes: Any) -> None:
        height, width = pixels.shape[:2]
        colour = pixels.ndim == 3
        fields: dict[str, Any] = {
            "header": self.header(stamp_ns, "camera"),
            "height": height,
            "width": width,
            "encoding": "rgb8" if colour else "mono8",
            "is_bigendian": 0,
            "step": width * (3 if colour else 1),
            "data": np.ascontiguousarray(pixels).reshape(-1),
        }
        kind = "sensor_msgs/msg/Image"
        self.put(topic, kind, stamp_ns, self.make(kind, **{**fields, **changes}))

    def compressed(self, topic: str, stamp_ns: int, data: bytes, form: str = "jpeg", came: int = 0) -> None:
        kind = "sensor_msgs/msg/CompressedImage"
        message = self.make(
            kind, header=self.header(stamp_ns, "camera"), format=form, data=np.frombuffer(data, np.uint8)
        )
        self.put(topic, kind, came or stamp_ns, message)

    def packet(self, topic: str, stamp_ns: int, data: bytes, encoding: str, came: int = 0) -> None:
        kind = "ffmpeg_image_transport_msgs/msg/FFMPEGPacket"
        fields: dict[str, Any] = {"width": 320, "height": 240, "pts": 0, "flags": 0, "is_bigendian": False}
        fields["header"], fields["data"] = self.header(stamp_ns, "camera"), np.frombuffer(data, np.uint8)
        self.put(topic, kind, came or stamp_ns, self.make(kind, encoding=encoding, **fields))

    def camera_info(self, topic: str, stamp_ns: int, camera: Any, binning: int = 0, **changes: Any) -> None:
        fields = {**camera_info_fields(camera, 320, 240), **changes}
        for name in "dkrp":
            fields[name] = np.array(fields[name], float)
        region = self.make(
            "sensor_msgs/msg/RegionOfInterest", x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
        )
        kind = "sensor_msgs/msg/CameraInfo"
        message = self.make(
            kind,
            header=self.header(stamp_ns, "camera"),
            binning_x=binning,
            binning_y=binning,
            roi=region,
            **fields,
        )
        self.put(topic, kind, stamp_ns, message)

    def transform(self, topic: str, stamp_ns: int, parent: str, child: str, pose: np.ndarray) -> None:
        x, y, z, w = (float(value) for value in quaternions_from_rotations(pose[None, :3, :3])[0])
        a, b, c = (float(value) for value in pose[:3, 3])
        entry = self.make(
            "geometry_msgs/msg/TransformStamped",
            header=self.header(stamp_ns, parent),
            child_frame_id=child,
            transform=self.make(
                "geometry_msgs/msg/Transform",
                translation=self.make("geometry_msgs/msg/Vector3", x=a, y=b, z=c),
                rotation=self.make("geometry_msgs/msg/Quaternion", x=x, y=y, z=z, w=w),
            ),
        )
        if topic.startswith("/tf"):
            kind = "tf2_msgs/msg/TFMessage"
            self.put(topic, kind, stamp_ns, self.make(kind, transforms=[entry]))
        else:
            self.put(topic, "geometry_msgs/msg/TransformStamped", stamp_ns, entry)

    def pose(self, topic: str, stamp_ns: int, pose: np.ndarray) -> None:
        x, y, z, w = (float(value) for value in quaternions_from_rotations(pose[None, :3, :3])[0])
        a, b, c = (float(value) for value in pose[:3, 3])
        inner = self.make(
            "geometry_msgs/msg/Pose",
            position=self.make("geometry_msgs/msg/Point", x=a, y=b, z=c),
            orientation=self.make("geometry_msgs/msg/Quaternion", x=x, y=y, z=z, w=w),
        )
        kind = "geometry_msgs/msg/PoseStamped"
        self.put(topic, kind, stamp_ns, self.make(kind, header=self.header(stamp_ns, "world"), pose=inner))

    def done(self) -> None:
        self.writer.close()


@pytest.fixture
def recorder(tmp_path: Path):
    return Recorder(tmp_path / "bag")


def opened(recorder: Recorder, tmp_path: Path, **topics: str):
    recorder.done()
    return open_sequence(tmp_path / "bag", SequenceOptions(topics=BagTopics(**topics)))


def fill(recorder: Recorder, clip, topic: str = "/cam/image_raw") -> None:
    for stamp, image in zip(clip.stamps_ns, clip.images, strict=True):
        recorder.image(topic, stamp, image)


def test_two_image_topics_are_a_question_with_its_choices(recorder, clip, tmp_path):
    fill(recorder, clip, "/left/image_raw")
    fill(recorder, clip, "/right/image_raw")
    with pytest.raises(InputError, match=r"--image-topic: /left/image_raw \(8 messages\), /right/image_raw"):
        opened(recorder, tmp_path)


def test_the_asked_topic_is_taken(recorder, clip, tmp_path, assert_same):
    recorder.image("/other", clip.stamps_ns[0], clip.images[0])
    fill(recorder, clip)
    assert_same(opened(recorder, tmp_path, image="/cam/image_raw"), truth=False, camera=False)


@pytest.mark.parametrize("reordered", [False, True])
@pytest.mark.parametrize(("kind", "codec", "name"), [
    ("compressed", "h264", "h264"), ("compressed", "hevc", ""), ("packet", "h264", "libx264"),
    ("packet", "hevc", "hevc;yuv420p;bgr8;bgr8"),
])  # fmt: skip
def test_video_in_messages_gives_each_image_with_its_own_stamp(
    recorder, clip, tmp_path, encoded_video, kind, codec, name, reordered
):
    packets = encoded_video(codec, clip.images, reordered)
    for came, (index, data) in zip(clip.stamps_ns, packets, strict=True):
        getattr(recorder, kind)("/cam/image_raw/video", clip.stamps_ns[index], data, name, came)
    sequence = opened(recorder, tmp_path)
    frames = list(sequence.frames())
    assert [frame.stamp_ns for frame in frames] == clip.stamps_ns
    for frame, image in zip(frames, clip.images, strict=True):
        assert np.abs(frame.image.astype(int) - image).mean() < 8
    assert sequence.notes.lines == []
    assert [frame.stamp_ns for frame in sequence.frames(Selection(step=3))] == clip.stamps_ns[::3]


def test_video_without_pyav_says_what_to_install(recorder, clip, tmp_path, monkeypatch):
    for stamp in clip.stamps_ns:
        recorder.compressed("/cam/image_raw/video", stamp, b"\0\0\0\1\x67" + bytes(40), "h264")
    monkeypatch.setitem(sys.modules, "av", None)
    sequence = opened(recorder, tmp_path)
    assert list(sequence.frames()) == []
    assert sequence.notes.lines == [
        "8 images left out; the first: h264 images are video, which needs PyAV: pip install av"
    ]
    with pytest.raises(
        InputError, match=r"not one image is readable; 8 images left out; the first: h264 .*install av"
    ):
        open_sequence(tmp_path / "bag", SequenceOptions(view_deg=70.0))


def test_a_topic_that_is_not_there_is_answered_with_those_that_are(recorder, clip, tmp_path):
    fill(recorder, clip)
    with pytest.raises(InputError, match=r"no images on /nope; choose one of /cam/image_raw"):
        opened(recorder, tmp_path, image="/nope")


def test_a_bag_without_images_names_what_it_has(recorder, clip, tmp_path):
    recorder.pose("/pose", 0, np.eye(4))
    with pytest.raises(InputError, match=r"holds no images; it has /pose \(geometry_msgs/msg/PoseStamped\)"):
        opened(recorder, tmp_path)


def test_the_compressed_twin_is_no_second_topic(recorder, clip, tmp_path, assert_same):
    fill(recorder, clip)
    data = cv2.imencode(".jpg", clip.images[0])[1].tobytes()
    recorder.compressed("/cam/image_raw/compressed", clip.stamps_ns[0], data)
    assert_same(opened(recorder, tmp_path), truth=False, camera=False)


def test_compressed_images_alone_are_decoded_and_damaged_ones_left_out(recorder, clip, tmp_path):
    for index, (stamp, image) in enumerate(zip(clip.stamps_ns, clip.images, strict=True)):
        data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()
        recorder.compressed("/cam/image_raw/compressed", stamp, data[:200] if index == 2 else data)
    sequence = opened(recorder, tmp_path)
    frames = list(sequence.frames())
    assert [frame.stamp_ns for frame in frames] == clip.stamps_ns[:2] + clip.stamps_ns[3:]
    assert np.array_equal(frames[0].image, clip.images[0])
    assert any(
        "1 images left out; the first: compressed jpeg of 200 bytes" in note for note in sequence.notes.lines
    )


def test_the_calibration_beside_the_images_is_taken(recorder, clip, tmp_path):
    fill(recorder, clip)
    recorder.camera_info("/cam/camera_info", clip.stamps_ns[0], clip.camera)
    recorder.camera_info("/other/camera_info", clip.stamps_ns[0], clip.camera.scaled(640, 480))
    assert opened(recorder, tmp_path).camera == clip.camera


@pytest.mark.parametrize(
    ("topic", "rectified", "expected"),
    [
        ("image_rect", "auto", 300.0),
        ("image_raw", "auto", 250.0),
        ("image_raw", "true", 300.0),
        ("image_rect", "false", 250.0),
    ],
)
def test_rectified_images_have_the_matrix_p(recorder, clip, tmp_path, topic, rectified, expected):
    fill(recorder, clip, f"/cam/{topic}")
    recorder.camera_info("/cam/camera_info", 0, clip.camera, k=matrix(250.0), p=matrix(300.0, columns=4))
    assert opened(recorder, tmp_path, rectified=rectified).camera.fx == expected


def matrix(focal: float, columns: int = 3) -> np.ndarray:
    values = np.zeros((3, columns))
    values[:, :3] = [[focal, 0, 160], [0, focal, 120], [0, 0, 1]]
    return values.reshape(-1)


def test_an_uncalibrated_camera_is_none_and_says_so(recorder, clip, tmp_path):
    fill(recorder, clip)
    recorder.camera_info("/cam/camera_info", clip.stamps_ns[0], None)
    sequence = opened(recorder, tmp_path)
    assert sequence.camera is None
    assert any("uncalibrated" in note for note in sequence.notes.lines)


def test_a_header_without_a_stamp_takes_the_time_of_recording(recorder, clip, tmp_path):
    recorder.image("/cam/image_raw", 7 * SECOND, clip.images[0], header=recorder.header(0, "camera"))
    assert next(opened(recorder, tmp_path).frames()).stamp_ns == 7 * SECOND


def test_messages_in_order_of_arrival_are_replayed_by_their_stamps(recorder, clip, tmp_path, assert_same):
    arrival = [0, 1, 3, 2, 4, 6, 7, 5]
    for place, index in enumerate(arrival):
        header = recorder.header(clip.stamps_ns[index], "camera")
        recorder.image("/cam/image_raw", clip.stamps_ns[place] + 1, clip.images[index], header=header)
    sequence = opened(recorder, tmp_path)
    assert_same(sequence, camera=False, truth=False)
    assert any("2 images were recorded after later ones" in line for line in sequence.notes.lines)


def test_a_pose_topic_is_ground_truth_of_the_camera_and_that_is_said(recorder, clip, tmp_path, assert_same):
    fill(recorder, clip)
    for stamp, pose in zip(clip.stamps_ns, clip.ground_truth.poses, strict=True):
        recorder.pose("/mocap", stamp, pose)
    sequence = opened(recorder, tmp_path)
    assert_same(sequence, camera=False)
    assert any("taken as those of the camera's optical frame" in note for note in sequence.notes.lines)


def test_two_pose_topics_are_a_question_that_none_answers_too(recorder, clip, tmp_path):
    fill(recorder, clip)
    recorder.pose("/mocap", 0, np.eye(4))
    recorder.pose("/other", 0, np.eye(4))
    recorder.done()
    with pytest.raises(InputError, match=r"--gt-topic \(or --gt-topic none\): /mocap"):
        open_sequence(tmp_path / "bag")
    sequence = open_sequence(tmp_path / "bag", SequenceOptions(topics=BagTopics(ground_truth="none")))
    assert sequence.ground_truth is None


MOUNTING = np.eye(4)
MOUNTING[:3, :3] = rotation_matrix(np.array([-1.2, 1.2, -1.2]))
MOUNTING[:3, 3] = [0.1, 0.02, 0.3]


def test_static_transforms_lead_from_the_tracked_body_to_the_camera(recorder, clip, tmp_path, assert_same):
    fill(recorder, clip)
    recorder.transform("/tf_static", clip.stamps_ns[0], "body", "camera", MOUNTING)
    for stamp, pose in zip(clip.stamps_ns, clip.ground_truth.poses, strict=True):
        recorder.transform("/vicon", stamp, "world", "body", pose @ np.linalg.inv(MOUNTING))
    assert_same(opened(recorder, tmp_path), camera=False)


def test_a_chain_of_transforms_is_ground_truth_where_no_pose_topic_is(recorder, clip, tmp_path, assert_same):
    fill(recorder, clip)
    shift = np.eye(4)
    shift[:3, 3] = [5.0, 6.0, 7.0]
    recorder.transform("/tf_static", clip.stamps_ns[0], "body", "camera", MOUNTING)
    recorder.transform("/tf_static", clip.stamps_ns[0], "map", "odom", shift)
    for stamp, pose in zip(clip.stamps_ns, clip.ground_truth.poses, strict=True):
        body = np.linalg.inv(shift) @ pose @ np.linalg.inv(MOUNTING)
        recorder.transform("/tf", stamp, "odom", "body", body)
    assert_same(opened(recorder, tmp_path), camera=False)


def test_transforms_that_do_not_move_the_camera_are_no_ground_truth(recorder, clip, tmp_path):
    fill(recorder, clip)
    recorder.transform("/tf", clip.stamps_ns[0], "map", "something else", np.eye(4))
    recorder.done()
    assert open_sequence(tmp_path / "bag").ground_truth is None
    with pytest.raises(InputError, match="no transform moves the camera frame 'camera'"):
        open_sequence(tmp_path / "bag", SequenceOptions(topics=BagTopics(ground_truth="/tf")))


def test_a_binning_that_contradicts_the_matrix_is_told_and_can_be_ignored(recorder, clip, tmp_path):
    fill(recorder, clip)
    recorder.camera_info("/cam/camera_info", 0, clip.camera, binning=2, width=640, height=480)
    sequence = opened(recorder, tmp_path)
    assert sequence.camera.fx == 0.5 * clip.camera.fx
    assert "then set camera.binning to ignore" in sequence.notes.lines[0]
    ignored = open_sequence(tmp_path / "bag", SequenceOptions(topics=BagTopics(binning="ignore")))
    assert ignored.camera == clip.camera
    assert ignored.notes.lines == []
