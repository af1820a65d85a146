# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Writes a sequence as a rosbag2: images, calibration, and ground truth as odometry of the camera frame."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.interfaces import Connection
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from drcn_ros.conversion.camera_info import camera_info_fields
from drcn_ros.odometry.types import Frame
from drcn_ros.results.replacing import whole_folder
from drcn_ros.sequences.bags.bag import typestore
from drcn_ros.sequences.base import ALL, ImageSequence, Selection
from drcn_ros.sequences.trajectories.trajectory import Trajectory

IMAGE_TOPIC = "/camera/image_raw"
CAMERA_INFO_TOPIC = "/camera/camera_info"
GROUND_TRUTH_TOPIC = "/ground_truth/odom"
CAMERA_FRAME = "camera_optical_frame"
WORLD_FRAME = "world"

_IMAGE, _CAMERA_INFO, _ODOMETRY = (
    "sensor_msgs/msg/Image",
    "sensor_msgs/msg/CameraInfo",
    "nav_msgs/msg/Odometry",
)
_SECOND_NS = 1_000_000_000


class Storage(Enum):
    """Containers of rosbag2."""

    MCAP = StoragePlugin.MCAP
    SQLITE3 = StoragePlugin.SQLITE3


class Compression(Enum):
    """What is compressed with zstd: nothing, whole files, single messages, or mcap's chunks."""

    NONE = CompressionMode.NONE
    FILE = CompressionMode.FILE
    MESSAGE = CompressionMode.MESSAGE
    STORAGE = CompressionMode.STORAGE


def write_bag(
    sequence: ImageSequence,
    path: Path,
    *,
    storage: Storage = Storage.MCAP,
    compression: Compression = Compression.NONE,
    selection: Selection = ALL,
    on_frame: Callable[[int], None] | None = None,
) -> None:
    """Write a sequence as a bag folder; the same sequence gives the same bytes.

    Args:
        sequence: images, with or without calibration and ground truth.
        path: folder to make.
        storage: container.
        compression: zstd.
        selection: which frames.
        on_frame: told the number of frames written so far.

    Raises:
        InputError: the folder exists or cannot be written to, or the input is damaged.
    """
    with whole_folder(path) as temporary:
        writer = Writer(temporary, version=9, storage_plugin=storage.value)
        writer.set_compression(compression.value, CompressionFormat.ZSTD)
        with writer:
            bag = _BagWriter(writer, sequence)
            for count, frame in enumerate(sequence.frames(selection), start=1):
                bag.write(frame)
                if on_frame is not None:
                    on_frame(count)


class _BagWriter:
    def __init__(self, writer: Writer, sequence: ImageSequence) -> None:
        self._writer = writer
        self._sequence = sequence
        self._image = self._connection(IMAGE_TOPIC, _IMAGE)
        self._camera_info = self._connection(CAMERA_INFO_TOPIC, _CAMERA_INFO)
        self._truth = sequence.ground_truth
        if self._truth is not None:
            self._odometry = self._connection(GROUND_TRUTH_TOPIC, _ODOMETRY)
        self._poses = 0

    def write(self, frame: Frame) -> None:
        """Write one image, its calibration, and all poses up to it and the one after."""
        if self._truth is not None:
            self._write_poses(self._truth, frame.stamp_ns)
        height, width = frame.image.shape[:2]
        header = _header(frame.stamp_ns, CAMERA_FRAME)
        channels = 1 if frame.image.ndim == 2 else 3
        image = _message(
            _IMAGE,
            header=header,
            height=height,
            width=width,
            encoding="mono8" if channels == 1 else "rgb8",
            is_bigendian=0,
            step=width * channels,
            data=np.ascontiguousarray(frame.image).reshape(-1),
        )
        self._put(self._image, frame.stamp_ns, image)
        fields = camera_info_fields(self._sequence.camera, width, height)
        for name in "dkrp":
            fields[name] = np.array(fields[name], np.float64)
        region = _message(
            "sensor_msgs/msg/RegionOfInterest", x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
        )
        info = _message(_CAMERA_INFO, header=header, binning_x=0, binning_y=0, roi=region, **fields)
        self._put(self._camera_info, frame.stamp_ns, info)

    def _write_poses(self, truth: Trajectory, until_ns: int) -> None:
        # One pose beyond the image lets a reader interpolate at the last image too.
        end = min(int(np.searchsorted(truth.stamps_ns, until_ns)) + 1, len(truth))
        positions, quaternions = truth.positions[self._poses : end], truth.quaternions[self._poses : end]
        for stamp, position, quaternion in zip(
            truth.stamps_ns[self._poses : end], positions, quaternions, strict=True
        ):
            self._put(self._odometry, int(stamp), _odometry(int(stamp), position, quaternion))
        self._poses = max(self._poses, end)

    def _connection(self, topic: str, kind: str) -> Connection:
        return self._writer.add_connection(topic, kind, typestore=typestore())

    def _put(self, connection: Connection, time_ns: int, message: Any) -> None:
        self._writer.write(connection, time_ns, typestore().serialize_cdr(message, connection.msgtype))


def _message(kind: str, **fields: Any) -> Any:
    return typestore().types[kind](**fields)


def _header(stamp_ns: int, frame_id: str) -> Any:
    stamp = _message("builtin_interfaces/msg/Time", sec=stamp_ns // _SECOND_NS, nanosec=stamp_ns % _SECOND_NS)
    return _message("std_msgs/msg/Header", stamp=stamp, frame_id=frame_id)


def _odometry(stamp_ns: int, position: Any, quaternion: Any) -> Any:
    x, y, z, w = (float(value) for value in quaternion)
    point = _message("geometry_msgs/msg/Point", **dict(zip("xyz", map(float, position), strict=True)))
    orientation = _message("geometry_msgs/msg/Quaternion", x=x, y=y, z=z, w=w)
    pose = _message("geometry_msgs/msg/Pose", position=point, orientation=orientation)
    rest = _message("geometry_msgs/msg/Vector3", x=0.0, y=0.0, z=0.0)
    unknown = np.zeros(36)
    return _message(
        _ODOMETRY,
        header=_header(stamp_ns, WORLD_FRAME),
        child_frame_id=CAMERA_FRAME,
        pose=_message("geometry_msgs/msg/PoseWithCovariance", pose=pose, covariance=unknown),
        twist=_message(
            "geometry_msgs/msg/TwistWithCovariance",
            twist=_message("geometry_msgs/msg/Twist", linear=rest, angular=rest),
            covariance=unknown,
        ),
    )
