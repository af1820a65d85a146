# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib.util
import sys
import types
from typing import Any

import numpy as np
import pytest
from geometry_msgs.msg import TransformStamped

from drcn_ros.errors import MissingDependencyError
from drcn_ros.ros.messages import header
from drcn_ros.ros.transforms import BaseTransform, Broadcaster


class RecordingTf2(types.ModuleType):
    """Stands in for tf2_ros, which is in no package registry of Python; keeps what it is asked and told."""

    class TransformException(Exception):
        pass

    def __init__(self) -> None:
        super().__init__("tf2_ros")
        self.transforms: dict[tuple[str, str], TransformStamped] = {}
        self.sent: list[TransformStamped] = []
        self.asked: list[tuple[str, str]] = []
        module = self

        class Buffer:
            def lookup_transform(self, target: str, source: str, _time: Any) -> TransformStamped:
                module.asked.append((target, source))
                try:
                    return module.transforms[target, source]
                except KeyError:
                    text = f'"{target}" passed to lookupTransform does not exist'
                    raise module.TransformException(text) from None

        class TransformListener:
            def __init__(self, _buffer: Any, _node: Any, spin_thread: bool) -> None:
                assert not spin_thread

            def unregister(self) -> None:
                pass

        class TransformBroadcaster:
            def __init__(self, _node: Any) -> None:
                pass

            def sendTransform(self, transform: TransformStamped) -> None:
                module.sent.append(transform)

        self.Buffer, self.TransformListener = Buffer, TransformListener
        self.TransformBroadcaster = TransformBroadcaster


@pytest.fixture
def tf2(monkeypatch: pytest.MonkeyPatch) -> RecordingTf2:
    module = RecordingTf2()
    monkeypatch.setitem(sys.modules, "tf2_ros", module)
    return module


@pytest.mark.skipif(importlib.util.find_spec("tf2_ros") is not None, reason="tf2_ros is installed")
@pytest.mark.parametrize("make", [lambda: BaseTransform(None, "base_link"), lambda: Broadcaster(None)])
def test_without_tf2_the_parameter_and_the_package_are_named(make: Any) -> None:
    with pytest.raises(MissingDependencyError, match=r"parameter \w+ needs .* apt install .*tf2-ros-py"):
        make()


def test_a_transform_is_waited_for_and_asked_once(tf2: RecordingTf2) -> None:
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


def test_a_camera_that_is_the_base_needs_no_transform(tf2: RecordingTf2) -> None:
    assert BaseTransform(None, "eye").lookup("eye") == pytest.approx(np.eye(4))
    assert tf2.asked == []


def test_a_pose_is_sent_between_the_frames(tf2: RecordingTf2) -> None:
    pose = np.eye(4)
    pose[:3, 3] = 1.0, 2.0, 3.0
    Broadcaster(None).send(pose, header(1_500_000_000, "odom"), "base_link")
    sent = tf2.sent[0]
    assert (sent.header.frame_id, sent.child_frame_id, sent.header.stamp.sec) == ("odom", "base_link", 1)
    assert (sent.transform.translation.z, sent.transform.rotation.w) == (3.0, 1.0)
