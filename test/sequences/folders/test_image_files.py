# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Images, patterns and videos give the frames that were written into them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from drcn_ros.errors import InputError
from drcn_ros.sequences import SequenceOptions, open_sequence
from drcn_ros.sequences.calibrations import calibration_text


def calibrated(tmp_path: Path, clip) -> Path:
    file = tmp_path / "calib.yaml"
    file.write_text(calibration_text(clip.camera))
    return file


def test_a_folder_of_images_takes_stamps_from_names_that_are_times(tmp_path: Path, clip, assert_same):
    for index, stamp in enumerate(clip.stamps_ns):
        clip.save(index, tmp_path / "images" / f"{stamp}.png")
    sequence = open_sequence(tmp_path / "images", SequenceOptions(camera=calibrated(tmp_path, clip)))
    assert_same(sequence, truth=False)


def test_numbered_images_come_in_the_order_of_their_numbers_at_the_given_rate(tmp_path: Path, clip):
    for index, number in enumerate((1, 2, 9, 10, 11, 100, 101, 1000)):
        clip.save(index, tmp_path / "images" / f"f{number}.png")
    for source in (tmp_path / "images", tmp_path / "images" / "f*.png"):
        frames = list(open_sequence(source, SequenceOptions(rate=4.0)).frames())
        assert [frame.stamp_ns for frame in frames] == [index * 250_000_000 for index in range(8)]
        for frame, image in zip(frames, clip.images, strict=True):
            assert np.array_equal(frame.image, image)


def test_a_folder_of_thermal_images_keeps_its_brightness(tmp_path: Path, clip):
    for number, image in enumerate(clip.images):
        values = 29000 + 2 * image[:, :, 0].astype(np.uint16)
        values[:20, :20] += 50 * number
        (tmp_path / f"{number}.png").write_bytes(cv2.imencode(".png", values)[1].tobytes())
    frames = [frame.image for frame in open_sequence(tmp_path).frames()]
    scale = np.ptp(frames[0][20:].astype(float)) / np.ptp(clip.images[0][20:, :, 0].astype(float))
    assert scale > 0.5
    for frame, image in zip(frames, clip.images, strict=True):
        moved = frame[20:].astype(float) - scale * image[20:, :, 0]
        assert np.ptp(moved) < 3
        assert abs(np.median(moved) - np.median(frames[0][20:] - scale * clip.images[0][20:, :, 0])) < 1.5


def test_one_image_is_no_sequence(tmp_path: Path, clip):
    clip.save(0, tmp_path / "only.png")
    for source in (tmp_path / "only.png", tmp_path / "*.png", tmp_path):
        with pytest.raises(InputError, match="1 image, need at least two"):
            open_sequence(source)


def test_a_video_gives_its_frames_at_its_rate(tmp_path: Path, clip):
    file = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, (320, 240))
    if not writer.isOpened():
        pytest.skip("this OpenCV writes no videos")
    for image in clip.images:
        writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    writer.release()
    sequence = open_sequence(file, SequenceOptions(camera=calibrated(tmp_path, clip)))
    frames = list(sequence.frames())
    assert len(sequence) == len(frames) == 8
    assert frames[3].stamp_ns == 120_000_000
    difference = frames[3].image.astype(int) - clip.images[3]
    assert np.abs(difference).mean() < 8
    assert sequence.camera == clip.camera
