# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from drcn_ros.odometry import Reason, State
from drcn_ros.ros.node.failures import failed_result, in_one_line, is_out_of_memory


def torch_error() -> Exception:
    try:
        torch.empty(2**62, dtype=torch.uint8)
    except RuntimeError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (MemoryError(), True),
        (torch.cuda.OutOfMemoryError("CUDA out of memory"), True),
        (torch_error(), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_want_of_memory_is_told_from_other_errors(error: Exception, answer: bool) -> None:
    assert is_out_of_memory(error) is answer


def test_want_of_memory_in_opencv_is_known() -> None:
    with pytest.raises(cv2.error) as caught:
        cv2.resize(np.zeros((2, 2), np.uint8), (2**30, 2**30))
    assert is_out_of_memory(caught.value)


def test_an_error_is_told_in_one_line_with_its_place() -> None:
    try:
        raise ValueError("two\n  lines")
    except ValueError as error:
        text = in_one_line(error)
    assert text.startswith("ValueError: two lines (")
    assert "test_failures.py:" in text


def test_a_frame_without_a_result_leaves_the_path_where_it_was() -> None:
    pose = np.diag([1.0, -1.0, -1.0, 1.0])
    result = failed_result(5, Reason.BAD_IMAGE, "cut off", pose, 3)
    assert (result.stamp_ns, result.state, result.reason) == (5, State.LOST, Reason.BAD_IMAGE)
    assert (result.segment, result.pose is pose) == (3, True)
    assert len(result.keypoints) == len(result.matches) == len(result.tracks.ids) == 0
