# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""KITTI sequences give the frames that were written into them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from drcn_ros.errors import InputError
from drcn_ros.sequences import SequenceOptions, open_sequence
from drcn_ros.sequences.bags.sequence import BagTopics
from drcn_ros.sequences.trajectories.files import kitti_lines


def kitti(root: Path, clip, cameras: tuple[str, ...] = ("image_0",)) -> Path:
    folder = root / "sequences" / "05"
    for index in range(len(clip)):
        for camera in cameras:
            clip.save(index, folder / camera / f"{index:06d}.png")
    first = clip.stamps_ns[0]
    times = [f"{(stamp - first) / 1e9:e}\n" for stamp in clip.stamps_ns]
    (folder / "times.txt").write_text("".join(times))
    matrix = clip.camera.matrix
    rows = []
    for number, baseline in enumerate((0.0, -0.5, 0.06, -0.47)):
        projection = np.hstack([matrix, matrix @ [[baseline], [0], [0]]])
        rows.append(f"P{number}: " + " ".join(f"{value:.12e}" for value in projection.ravel()) + "\n")
    (folder / "calib.txt").write_text("".join(rows))
    (root / "poses").mkdir()
    (root / "poses" / "05.txt").write_text("".join(kitti_lines(clip.ground_truth.poses)))
    return folder


def test_a_kitti_sequence_gives_images_times_camera_and_poses(tmp_path: Path, clip):
    sequence = open_sequence(kitti(tmp_path, clip))
    assert sequence.kind == "KITTI odometry sequence"
    frames = list(sequence.frames())
    assert np.array_equal(frames[5].image, clip.images[5])
    assert [frame.stamp_ns for frame in frames] == [stamp - clip.stamps_ns[0] for stamp in clip.stamps_ns]
    assert sequence.camera == clip.camera
    assert np.abs(sequence.ground_truth.poses - clip.ground_truth.poses).max() < 1e-12


def test_another_kitti_camera_sits_beside_the_first(tmp_path: Path, clip):
    folder = kitti(tmp_path, clip, ("image_0", "image_1"))
    sequence = open_sequence(folder, SequenceOptions(topics=BagTopics(image="image_1")))
    offset = np.linalg.inv(clip.ground_truth.poses) @ sequence.ground_truth.poses
    assert offset[:, :3, 3] == pytest.approx(np.tile([0.5, 0, 0], (8, 1)), abs=1e-9)
    with pytest.raises(InputError, match="no camera 'image_3'; choose one of image_0, image_1"):
        open_sequence(folder, SequenceOptions(topics=BagTopics(image="image_3")))


def test_a_kitti_sequence_with_too_few_times_is_refused(tmp_path: Path, clip):
    folder = kitti(tmp_path, clip)
    (folder / "times.txt").write_text("0.0\n0.1\n")
    with pytest.raises(InputError, match=r"times.txt has 2 stamps, image_0 has 8 images"):
        open_sequence(folder)
