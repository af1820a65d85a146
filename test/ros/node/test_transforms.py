# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest
from geometry_msgs.msg import TransformStamped

from drcn_ros.errors import MissingDependencyError
from drcn_ros.ros.messages.convert import header
from drcn_ros.ros.node.transforms import BaseTransform, Broadcaster


@pytest.mark.skipif(importlib.util.find_spec("tf2_ros") is not None, reason="tf2_ros is installed")
@pytest.mark.parametrize("make", [lambda: BaseTransform(None, "base_link"), lambda: Broadcaster(None)])
def test_without_tf2_the_parameter_and_the_package_are_named(make: Any) -> None:
    with pytest.raises(MissingDependencyError, match=r"parameter \w+ needs .* apt install .*tf2-ros-py"):
        make()


def test_a_transform_is_waited_for_and_asked_once(tf2: Any) -> None:
    base = BaseTransform(None, "base_link")
    assert base.lookup("eye") is None
    assert "no transform from eye to base_link in TF" in base.problem
    known = TransformStamped()
    known.transform.translation.x = 0.5
    known.transform.rotation.z = known.transform.rotation.w = 0.5**0.5
    tf2.transforms["base_link", "eye"] = known
    matrix = base.lookup("eye")
    assert base.problem == ""
    assert matrix == pytest.approx(
        np.array([[0.0, -1.0, 0.0, 0.5], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    )
    count = len(tf2.asked)
    base.lookup("eye")
    assert len(tf2.asked) == count


def test_a_camera_that_is_the_base_needs_no_transform(tf2: Any) -> None:
    assert BaseTransform(None, "eye").lookup("eye") == pytest.approx(np.eye(4))
    assert tf2.asked == []


def test_a_pose_is_sent_between_the_frames(tf2: Any) -> None:
    pose = np.eye(4)
    pose[:3, 3] = 1.0, 2.0, 3.0
    Broadcaster(None).send(pose, header(1_500_000_000, "odom"), "base_link")
    sent = tf2.sent[0]
    assert (sent.header.frame_id, sent.child_frame_id, sent.header.stamp.sec) == ("odom", "base_link", 1)
    assert (sent.transform.translation.z, sent.transform.rotation.w) == (3.0, 1.0)
