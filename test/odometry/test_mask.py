# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Masks as users give them, and what is said of those that are none."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from drcn_ros.errors import ConfigurationError, ImageError
from drcn_ros.odometry import Frame, Reason
from drcn_ros.odometry.mask import ImageMask, read_mask


def test_polygons_leave_out_their_parts_of_an_image_of_any_size():
    mask = read_mask("0,0.75 1,0.75 1,1 0,1; 0,0 0.1,0 0.1,0.1 0,0.1")
    assert mask is not None
    for size in ((640, 480), (320, 240)):
        kept = mask.kept(size)
        assert kept.shape == size[::-1]
        assert (~kept).mean() == pytest.approx(0.26, abs=0.01)
        assert not kept[-1].any()
        assert not kept[0, 0]
        assert kept[size[1] // 2].all()


def test_a_picture_leaves_out_what_is_black_in_it(tmp_path: Path):
    picture = np.full((240, 320), 255, np.uint8)
    picture[200:, 100:] = 0
    path = tmp_path / "a, mask.png"
    path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    mask = read_mask(str(path))
    assert mask is not None
    assert np.array_equal(mask.kept((320, 240)), picture > 0)
    assert np.array_equal(mask.kept((160, 120)), picture[::2, ::2] > 0)


def test_no_mask_is_no_mask():
    assert read_mask("  ") is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("missing.png", "No such file"),
        ("0,0 1,1", "neither a file nor a polygon"),
        ("0,0 1,x 1,1", "neither a file nor a polygon"),
        ("0,90 416,90 416,128", "beyond 0 to 1"),
    ],
)
def test_what_is_no_mask_is_refused_with_what_to_write(text, complaint):
    with pytest.raises(ConfigurationError, match=complaint) as caught:
        read_mask(text)
    assert "0,0.7 1,0.7 1,1 0,1" in str(caught.value)


def test_a_file_that_is_no_picture_is_refused(tmp_path: Path):
    (tmp_path / "mask.png").write_text("no picture")
    with pytest.raises(ConfigurationError, match="is no picture"):
        read_mask(str(tmp_path / "mask.png"))


def test_a_mask_of_another_shape_of_image_is_told_at_each_frame(point_world, straight_poses):
    mask = ImageMask(picture=np.full((128, 416), 255, np.uint8))
    with pytest.raises(ImageError, match="416x128 pixels, the image 640x480"):
        mask.kept((640, 480))
    odometry = point_world(straight_poses(2, (0.0, 0.0, 0.1))).odometry()
    odometry.set_mask(mask)
    result = odometry.process(Frame(1, np.zeros((480, 640), np.uint8)))
    assert result.reason is Reason.BAD_IMAGE
    assert "416x128" in result.detail
